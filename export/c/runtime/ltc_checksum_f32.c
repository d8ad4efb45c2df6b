#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

uint32_t ltc_checksum_f32(const float *values, uint32_t count)
{
    uint32_t sum = 1U;
    for (uint32_t i = 0U; i < count; ++i) {
        ltc_float_bits word;
        word.value = values[i];
        sum = sum * 31U + word.bits;
    }
    return sum;
}
