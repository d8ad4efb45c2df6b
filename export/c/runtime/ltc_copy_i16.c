#include "ltc_i16.h"

void ltc_copy_i16(const int16_t *source, int16_t *target, uint32_t count)
{
    const volatile int16_t *from = source;
    for (uint32_t i = 0U; i < count; ++i) {
        target[i] = from[i];
    }
}
