#include "ltc_i16.h"

uint32_t ltc_within_i16(const int16_t *values, const int16_t *low, const int16_t *high, uint32_t count)
{
    uint32_t inside = 1U;
    for (uint32_t i = 0U; i < count; ++i) {
        if ((values[i] < low[i]) || (values[i] > high[i])) {
            inside = 0U;
        }
    }
    return inside;
}
