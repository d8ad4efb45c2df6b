#include "ltc_f32_arithmetic.h"
#include "ltc_i16.h"

#define LTC_LARGEST_CODE 0x46FFFE00U  /* bits of 32767.0F */
#define LTC_SIGN 0x80000000U
#define LTC_WHOLE 12582912.0F         /* 1.5 * 2^23: adding it rounds, and leaves the code in the low bits */
#define LTC_WHOLE_BITS 0x4B400000U

void ltc_encode_i16(const float *raw, const float *center, const float *gain, int16_t *codes,
                    uint32_t count)
{
    for (uint32_t i = 0U; i < count; ++i) {
        ltc_float_bits scaled;
        scaled.value = (raw[i] - center[i]) * gain[i];
        /* Compared as whole numbers, which takes a fraction of the time where floats are emulated. */
        if ((scaled.bits & ~LTC_SIGN) >= LTC_LARGEST_CODE) {
            codes[i] = ((scaled.bits & LTC_SIGN) != 0U) ? (int16_t)-32767 : (int16_t)32767;
        } else {
            scaled.value += LTC_WHOLE;
            codes[i] = (int16_t)((int32_t)scaled.bits - (int32_t)LTC_WHOLE_BITS);
        }
    }
}
