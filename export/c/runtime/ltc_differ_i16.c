#include "ltc_i16.h"

uint32_t ltc_differ_i16(const int16_t *one, const int16_t *other, uint32_t count)
{
    uint32_t differ = 0U;
    for (uint32_t i = 0U; i < count; ++i) {
        if (one[i] != other[i]) {
            differ = 1U;
        }
    }
    return differ;
}
