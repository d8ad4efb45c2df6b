#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

uint32_t ltc_slew_f32(const float *slew, float seconds, const float *previous, float *action,
                      uint32_t count)
{
    uint32_t held = 0U;
    for (uint32_t i = 0U; i < count; ++i) {
        const float reach = slew[i] * seconds;
        const float most = previous[i] + reach;
        const float least = previous[i] - reach;
        if ((action[i] > most) || (action[i] < least)) {
            held = 1U;
        }
        action[i] = ltc_maximum(ltc_minimum(action[i], most), least);
    }
    return held;
}
