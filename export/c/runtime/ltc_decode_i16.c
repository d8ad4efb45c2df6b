#include "ltc_f32_arithmetic.h"
#include "ltc_i16.h"

void ltc_decode_i16(const int16_t *codes, const float *center, const float *span, float *raw,
                    uint32_t count)
{
    for (uint32_t i = 0U; i < count; ++i) {
        const float scaled = (float)codes[i] * span[i];
        raw[i] = center[i] + scaled;
    }
}
