#include "ltc_f32.h"

void ltc_copy_f32(const float *source, float *target, uint32_t count)
{
    const volatile float *from = source;
    for (uint32_t i = 0U; i < count; ++i) {
        target[i] = from[i];
    }
}
