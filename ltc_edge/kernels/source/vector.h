/* vector.h: vectors of REAL as wide as the instruction set has them, and the functions that cells need.
 *
 * A template: include it with REAL, WHOLE (a signed integer of its size), NAME(x), and DOUBLE_PRECISION, 0 or 1,
 * defined. The vectors are the compiler's own, so that one source serves every processor.
 */
#ifndef VECTOR_BYTES
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef ALWAYS_INLINE
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif

typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef WHOLE NAME(whole) __attribute__((vector_size(VECTOR_BYTES)));

#define V NAME(vector)
#define VI NAME(whole)
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(REAL)))

ALWAYS_INLINE V NAME(all)(REAL x)
{
    return x - (V){0};
}

/* The lesser of the two; where x is NaN, x. */
ALWAYS_INLINE V NAME(at_most)(V limit, V x)
{
#if VECTOR_BYTES == 64 && defined(__AVX512F__)
    return DOUBLE_PRECISION ? (V)_mm512_min_pd((__m512d)limit, (__m512d)x) : (V)_mm512_min_ps((__m512)limit, (__m512)x);
#elif VECTOR_BYTES == 32 && defined(__AVX2__)
    return DOUBLE_PRECISION ? (V)_mm256_min_pd((__m256d)limit, (__m256d)x) : (V)_mm256_min_ps((__m256)limit, (__m256)x);
#elif VECTOR_BYTES == 16 && defined(__SSE2__)
    return DOUBLE_PRECISION ? (V)_mm_min_pd((__m128d)limit, (__m128d)x) : (V)_mm_min_ps((__m128)limit, (__m128)x);
#else
    const VI below = limit < x;
    return (V)((below & (VI)limit) | (~below & (VI)x));
#endif
}

/* The greater of the two; where x is NaN, x. */
ALWAYS_INLINE V NAME(at_least)(V limit, V x)
{
#if VECTOR_BYTES == 64 && defined(__AVX512F__)
    return DOUBLE_PRECISION ? (V)_mm512_max_pd((__m512d)limit, (__m512d)x) : (V)_mm512_max_ps((__m512)limit, (__m512)x);
#elif VECTOR_BYTES == 32 && defined(__AVX2__)
    return DOUBLE_PRECISION ? (V)_mm256_max_pd((__m256d)limit, (__m256d)x) : (V)_mm256_max_ps((__m256)limit, (__m256)x);
#elif VECTOR_BYTES == 16 && defined(__SSE2__)
    return DOUBLE_PRECISION ? (V)_mm_max_pd((__m128d)limit, (__m128d)x) : (V)_mm_max_ps((__m128)limit, (__m128)x);
#else
    return -NAME(at_most)(-limit, -x);
#endif
}

/* yes where the mask is set, no elsewhere. */
ALWAYS_INLINE V NAME(choose)(VI mask, V yes, V no)
{
    return (V)((mask & (VI)yes) | (~mask & (VI)no));
}

#if DOUBLE_PRECISION
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#define LARGEST_EXPONENT 1020.0
#else
#define EXPONENT_BIAS 127
#define MANTISSA_BITS 23
#define LARGEST_EXPONENT 124.0f
#endif

/* The minimax polynomial of 2^f on [-1/2, 1/2], by relative error: 7.5e-8 in float, 3e-18 in double. */
#if DOUBLE_PRECISION
#define EXP2_DEGREE 11
static const REAL NAME(exp2_coefficients)[] = {
    4.4355611531941030052e-10, 7.0741474714255223491e-9, 1.0178196284863738128e-7, 1.3215432828500292254e-6,
    1.5252733493776577392e-5,  1.5403530463084525455e-4, 1.3333558146786556395e-3, 9.618129107587827697e-3,
    5.5504108664819932006e-2,  2.4022650695910157784e-1, 6.9314718055994533041e-1, 1.0};
#else
#define EXP2_DEGREE 5
static const REAL NAME(exp2_coefficients)[] = {1.327647216781994333e-3f,  9.6755413310213911451e-3f,
                                               5.550713272875391178e-2f,  2.4022119723969178047e-1f,
                                               6.9314696706526492761e-1f, 1.0000000716546416382f};
#endif

/* What exp2 adds to round to a whole number and to leave it, with the exponent's bias, in the lowest bits. */
#define EXP2_SHIFT ((REAL)(3LL << (MANTISSA_BITS - 1)) + (REAL)EXPONENT_BIAS)

/* 2^x, |x| <= LARGEST_EXPONENT. NaN stays NaN: the polynomial has it, whatever the power is. */
ALWAYS_INLINE V NAME(exp2)(V x)
{
    const V shifted = x + EXP2_SHIFT;
    const V f = x - (shifted - EXP2_SHIFT);
    V p = NAME(all)(NAME(exp2_coefficients)[0]);
#pragma GCC unroll 12
    for (int i = 1; i <= EXP2_DEGREE; i++) {
        p = p * f + NAME(exp2_coefficients)[i];
    }
    return p * (V)((VI)shifted << MANTISSA_BITS);
}

/* x, cut off where 2^x would leave the range of REAL. */
ALWAYS_INLINE V NAME(exponent)(V x)
{
    return NAME(at_least)(NAME(all)(-LARGEST_EXPONENT), NAME(at_most)(NAME(all)(LARGEST_EXPONENT), x));
}

/* The logistic function of -ln 2 * x, |x| <= LARGEST_EXPONENT. */
ALWAYS_INLINE V NAME(logistic)(V x)
{
    return (REAL)1 / (NAME(exp2)(x) + (REAL)1);
}

/* The logistic function of any x, and the hyperbolic tangent, from it: their errors are absolute. */
ALWAYS_INLINE V NAME(sigmoid)(V x)
{
    return NAME(logistic)(NAME(exponent)(x * (REAL)-1.44269504088896340736));
}

ALWAYS_INLINE V NAME(tanh)(V x)
{
    /* Without the rounding of a logistic function near 1/2. */
    const V e = NAME(exp2)(NAME(exponent)(x * (REAL)-2.88539008177792681472));
    return ((REAL)1 - e) / ((REAL)1 + e);
}

/* The sum over the lanes, always in the same order. */
ALWAYS_INLINE REAL NAME(sum)(V x)
{
    REAL lanes[VECTOR_BYTES / sizeof(REAL)];
    memcpy(lanes, &x, sizeof x);
    for (int64_t step = LANES / 2; step > 0; step /= 2) {
        for (int64_t i = 0; i < step; i++) {
            lanes[i] += lanes[i + step];
        }
    }
    return lanes[0];
}
