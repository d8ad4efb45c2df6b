/* ltc_logistic.h: the activation 1 / (1 + 2^x) of a synapse, in stages. A template over REAL, as vector.h.
 *
 * It takes fewer operations than by the polynomial of exp2. In float its error is 1.1e-7 at most besides roundings.
 */

/* With y = ln 2 * f, 2^f = (p + f) / (p - f) where p = f coth(y / 2), an even function, so smooth that few terms in
 * f^2 do. These are the minimax ones for |f| <= 1/2, by the quotient's relative error: 4.3e-7 in float, 1.3e-19 in
 * double. */
#if DOUBLE_PRECISION
#define COTH_DEGREE 5
static const REAL NAME(coth_coefficients)[] = {
    1.5269850301842963872e-9,    -1.2710138873900309696e-7, 1.0582188296544366692e-5,
    -9.2506847769536151595e-4, 1.1552453009332260313e-1,  2.8853900817779268292};
#else
#define COTH_DEGREE 1
static const REAL NAME(coth_coefficients)[] = {1.1523606509794250362e-1f, 2.8854081236933628562f};
#endif

/* 2^x is (p + fraction) / (p - fraction) times the power of two in the lowest bits of `shifted`. */
typedef struct {
    V fraction, shifted;
} NAME(reduced);

/* |x| <= LARGEST_EXPONENT. NaN stays NaN in the fraction. */
ALWAYS_INLINE NAME(reduced) NAME(reduce)(V x)
{
    const V shifted = x + EXP2_SHIFT;
    return (NAME(reduced)){x - (shifted - EXP2_SHIFT), shifted};
}

typedef struct {
    V numerator, denominator;
} NAME(quotient);

/* 1 / (1 + 2^x), before the division. */
ALWAYS_INLINE NAME(quotient) NAME(logistic_quotient)(NAME(reduced) x)
{
    const V square = x.fraction * x.fraction;
    V p = NAME(all)(NAME(coth_coefficients)[0]);
#pragma GCC unroll 8
    for (int i = 1; i <= COTH_DEGREE; i++) {
        p = p * square + NAME(coth_coefficients)[i];
    }
    const V below = p - x.fraction;
    return (NAME(quotient)){below, (p + x.fraction) * (V)((VI)x.shifted << MANTISSA_BITS) + below};
}
