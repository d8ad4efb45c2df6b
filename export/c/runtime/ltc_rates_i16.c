#include "ltc_i16.h"
#include "ltc_i16_arithmetic.h"

void ltc_rates_i16(int16_t t, const int16_t *fast, const int16_t *slow, int16_t *moved, uint32_t count)
{
    for (uint32_t i = 0U; i < count; ++i) {
        const int32_t drawn = (int32_t)t * fast[i];
        moved[i] = (int16_t)ltc_share_of_i16(drawn, drawn + (int32_t)slow[i] * LTC_ONE_I16);
    }
}
