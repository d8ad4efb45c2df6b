#include "ltc_i16.h"

uint32_t ltc_saturated_i16(const int16_t *values, uint32_t count)
{
    uint32_t met = 0U;
    for (uint32_t i = 0U; i < count; ++i) {
        if ((values[i] >= 32767) || (values[i] <= -32767)) {
            met = 1U;
        }
    }
    return met;
}
