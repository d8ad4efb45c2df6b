#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

uint32_t ltc_limit_f32(const float *low, const float *high, float *action, uint32_t count)
{
    uint32_t met = 0U;
    for (uint32_t i = 0U; i < count; ++i) {
        if (!(action[i] > low[i]) || !(action[i] < high[i])) {
            met = 1U;
        }
        action[i] = ltc_maximum(ltc_minimum(action[i], high[i]), low[i]);
    }
    return met;
}
