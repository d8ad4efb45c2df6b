#include "ltc_i16.h"

uint32_t ltc_checksum_i16(const int16_t *values, uint32_t count)
{
    uint32_t sum = 1U;
    for (uint32_t i = 0U; i < count; ++i) {
        sum = sum * 31U + (uint16_t)values[i];
    }
    return sum;
}
