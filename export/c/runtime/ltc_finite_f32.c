#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

uint32_t ltc_finite_f32(const float *values, uint32_t count)
{
    uint32_t finite = 1U;
    for (uint32_t i = 0U; i < count; ++i) {
        ltc_float_bits word;
        word.value = values[i];
        if ((word.bits & 0x7F800000U) == 0x7F800000U) {
            finite = 0U;
        }
    }
    return finite;
}
