#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

uint32_t ltc_within_f32(const float *values, const float *low, const float *high, uint32_t count)
{
    uint32_t inside = 1U;
    for (uint32_t i = 0U; i < count; ++i) {
        /* Written so that a comparison with NaN, which is false, counts as outside. */
        if (!(values[i] >= low[i]) || !(values[i] <= high[i])) {
            inside = 0U;
        }
    }
    return inside;
}
