/*
 * exhaustive.c: what the runtime's small functions promise, over every float of 32 bits (or every n-th).
 * Ends with 0, or says what broke its promise at which bits.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

#define IS_NAN(x) ((x) != (x))

static int broken(uint32_t bits)
{
    ltc_float_bits word;
    word.bits = bits;
    const float x = word.value;
    const int nan = IS_NAN(x);
    const uint32_t finite = ((bits & 0x7F800000U) != 0x7F800000U) ? 1U : 0U;
    const float clamped = ltc_clamp(x, LTC_MOST_EXPONENT);
    const float s = ltc_sigmoid(x);
    const float t = ltc_tanh(x);
    const float e = ltc_exp(x);
    if (ltc_finite_f32(&x, 1U) != finite) {
        return 1;
    }
    if (nan ? !IS_NAN(clamped) : !((clamped >= -LTC_MOST_EXPONENT) && (clamped <= LTC_MOST_EXPONENT))) {
        return 2;
    }
    if (!nan && (x >= -LTC_MOST_EXPONENT) && (x <= LTC_MOST_EXPONENT) && (clamped != x)) {
        return 3;
    }
    if (nan ? !IS_NAN(s) : !((s >= 0.0F) && (s <= 1.0F))) {
        return 4;
    }
    if (nan ? !IS_NAN(t) : !((t >= -1.0F) && (t <= 1.0F))) {
        return 5;
    }
    if (nan ? !IS_NAN(e) : !((e > 0.0F) && (e < 2e36F))) {
        return 6;
    }
    if (!nan && ((ltc_abs(x) < 0.0F) || (ltc_relu(x) < 0.0F))) {
        return 7;
    }
    return 0;
}

int main(int count, char **arguments)
{
    const uint32_t stride = (count > 1) ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1U;
    uint32_t bits = 0U;
    for (;;) {
        const int which = broken(bits);
        if (which != 0) {
            (void)fprintf(stderr, "promise %d is broken at 0x%08X\n", which, (unsigned int)bits);
            return 1;
        }
        if (0xFFFFFFFFU - bits < stride) {
            return 0;
        }
        bits += stride;
    }
}
