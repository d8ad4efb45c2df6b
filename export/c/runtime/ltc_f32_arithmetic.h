/*
 * ltc_f32_arithmetic.h: sigmoid, tanh, exp and erf from single IEEE operations; for .c files alone.
 *
 * All but erf rest on 2^u = 2^k * (A + B) / (A - B), with k the whole number nearest to u, f = (u - k) / 16,
 * A = f^2 + 0.0799..., B = f * (f^2 + 0.443...): a rational minimax of relative error 7.1e-8. Exponents are
 * handled as u / 16, in which unit f^2 needs no coefficient: a power of two, it costs no precision.
 * A sigmoid then costs one division, and no branch: its time does not depend on its argument.
 */
#ifndef LTC_F32_ARITHMETIC_H
#define LTC_F32_ARITHMETIC_H

#include <stdint.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) \
    || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(_M_FP_FAST)
#error "compile without -ffast-math and -Ofast: they remove the checks for NaN and change the results"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "this target computes float in a wider type; on x86 compile with -msse2 -mfpmath=sse"
#endif

/*
 * a * b + c must be rounded twice. GCC ignores the standard's pragma and contracts in its GNU modes;
 * -ffp-contract=off on the command line does the same as what stands here. <name>_selftest() tells.
 */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#define LTC_LOG2E_16 0.0901684388F  /* log2(e) / 16 */
#define LTC_ROUND 786439.938F  /* (1.5 * 2^23 + 127) / 16: adding it rounds, and leaves k + 127 in the low bits */
#define LTC_MOST_EXPONENT 7.5F  /* of 2: 120, in sixteenths */
#define LTC_A0 0.0799529925F
#define LTC_B0 0.443353653F

typedef union {
    float value;
    uint32_t bits;
} ltc_float_bits;

typedef struct {
    float power;  /* 2^k */
    float even;   /* A */
    float odd;    /* B */
} ltc_exponential;

/* 2^(16 * u) in parts; |u| must not be above 7.875. */
static inline ltc_exponential ltc_exp2_parts(float u)
{
    ltc_exponential parts;
    ltc_float_bits power;
    const float rounded = u + LTC_ROUND;
    const float f = u - (rounded - LTC_ROUND);
    const float w = f * f;

    power.value = rounded;
    power.bits <<= 23;
    parts.power = power.value;
    parts.even = w + LTC_A0;
    parts.odd = f * (w + LTC_B0);
    return parts;
}

static inline float ltc_clamp(float x, float most)
{
    const float above = (x < -most) ? -most : x;
    return (above > most) ? most : above;
}

/* 1 / (1 + 2^(16 * u)). */
static inline float ltc_logistic2(float u)
{
    const ltc_exponential e = ltc_exp2_parts(u);
    const float difference = e.even - e.odd;
    return difference / (difference + (e.even + e.odd) * e.power);
}

static inline float ltc_sigmoid(float x)
{
    return ltc_logistic2(ltc_clamp(x * -LTC_LOG2E_16, LTC_MOST_EXPONENT));
}

/*
 * Of |x|, with the sign put back: (e^2x - 1) / (e^2x + 1), arranged so that nothing cancels near 0; and
 * 1 - 2 / (e^2x + 1) further out, where that is the more accurate. Both have one denominator.
 */
static inline float ltc_tanh(float x)
{
    const float y = (x < 0.0F) ? -x : x;
    const ltc_exponential e = ltc_exp2_parts(ltc_clamp(y * (2.0F * LTC_LOG2E_16), 1.875F));
    const float difference = e.even - e.odd;
    const float below = difference + (e.even + e.odd) * e.power;
    const float above = (e.power - 1.0F) * e.even + (e.power + 1.0F) * e.odd;
    const float quotient = ((y < 0.55F) ? above : (difference + difference)) / below;
    const float size = (y < 0.55F) ? quotient : (1.0F - quotient);
    return (x < 0.0F) ? -size : size;
}

static inline float ltc_exp(float x)
{
    const ltc_exponential e = ltc_exp2_parts(ltc_clamp(x * LTC_LOG2E_16, LTC_MOST_EXPONENT));
    return (e.even + e.odd) / (e.even - e.odd) * e.power;
}

static inline float ltc_abs(float x)
{
    return (x < 0.0F) ? -x : x;
}

static inline float ltc_minimum(float a, float b)
{
    return (b < a) ? b : a;
}

static inline float ltc_maximum(float a, float b)
{
    return (b > a) ? b : a;
}

static inline float ltc_relu(float x)
{
    return ltc_maximum(x, 0.0F);
}

/* A rational approximation of the error function; beyond 4 it is 1 to the last bit. */
static inline float ltc_erf(float x)
{
    const float y = ltc_clamp(x, 4.0F);
    const float w = y * y;
    float p = w * -2.72614225e-10F + 2.77068142e-8F;
    float q = w * -1.45660718e-5F + -2.13374055e-4F;

    p = w * p + -2.10102402e-6F;
    p = w * p + -5.69250639e-5F;
    p = w * p + -7.34990631e-4F;
    p = w * p + -2.95459980e-3F;
    p = w * p + -1.60960333e-2F;
    q = w * q + -1.68282697e-3F;
    q = w * q + -7.37332917e-3F;
    q = w * q + -1.42647390e-2F;
    return y * p / q;
}

static inline float ltc_gelu(float x)
{
    return 0.5F * x * (1.0F + ltc_erf(x * 0.707106781F));
}

#endif
