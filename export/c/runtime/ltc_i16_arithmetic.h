/*
 * ltc_i16_arithmetic.h: rounding, saturation, division and functions of 16-bit codes; for .c files alone.
 *
 * Rounding is to the nearest, ties upwards: half of the last place is added, and an arithmetic shift
 * rounds down. Saturation is to the ends of 16 bits.
 */
#ifndef LTC_I16_ARITHMETIC_H
#define LTC_I16_ARITHMETIC_H

#include "ltc_i16.h"

#if (-1 >> 1) != -1
#error "this compiler shifts negative numbers in another way than all that this was tested with"
#endif

/* 1: the processor has no instruction that divides; 0: it has. Both ways give the same quotients. */
#ifndef LTC_I16_NO_DIVISION
#if (defined(__arm__) && !defined(__ARM_FEATURE_IDIV)) || defined(__AVR__) \
    || (defined(__riscv) && !defined(__riscv_div))
#define LTC_I16_NO_DIVISION 1
#else
#define LTC_I16_NO_DIVISION 0
#endif
#endif

/* Instructions of a Cortex-M4 and its like that saturate, and that multiply halves of words. */
#if defined(__ARM_FEATURE_SAT) && defined(__thumb2__) && !defined(LTC_I16_PLAIN)
#define LTC_I16_SATURATES 1
#else
#define LTC_I16_SATURATES 0
#endif
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && !defined(LTC_I16_PLAIN)
#define LTC_I16_MULTIPLIES_HALVES 1
#else
#define LTC_I16_MULTIPLIES_HALVES 0
#endif

#define LTC_ONE_I16 32768            /* 1 in 2^-15; codes themselves end at 32767 */
#define LTC_PART_BITS_I16 14U        /* of a place within its piece */
#define LTC_PART_MASK_I16 0x3FFFU
#define LTC_TABLE_END_I16 0x7FFFFF   /* last place in a table of 512 pieces */
#define LTC_PROVED_SHIFT_I16 8U      /* of places that are proved to lie in the table: they fill 31 bits */

/* value * 2^-shift, rounded; shift is at least 1. */
static inline int32_t ltc_scaled_i32(int32_t value, uint32_t shift)
{
    return (value + (int32_t)(1UL << (shift - 1U))) >> shift;
}

static inline int32_t ltc_clamp_i32(int32_t value, int32_t low, int32_t high)
{
    const int32_t above = (value < low) ? low : value;
    return (above > high) ? high : above;
}

static inline int32_t ltc_minimum_i32(int32_t a, int32_t b)
{
    return (b < a) ? b : a;
}

static inline int32_t ltc_maximum_i32(int32_t a, int32_t b)
{
    return (b > a) ? b : a;
}

static inline int32_t ltc_abs_i32(int32_t value)
{
    return (value < 0) ? -value : value;
}

/*
 * A value as a code, and as one that is not negative. Where a processor has an instruction for it, it is
 * asked for by name, since compilers do not always find it.
 */
static inline int32_t ltc_code_i16(int32_t value)
{
#if LTC_I16_SATURATES
    return (int32_t)__builtin_arm_ssat(value, 16);
#else
    return ltc_clamp_i32(value, -32768, 32767);
#endif
}

static inline int32_t ltc_share_i16(int32_t value)
{
#if LTC_I16_SATURATES
    return (int32_t)__builtin_arm_usat(value, 15);
#else
    return ltc_clamp_i32(value, 0, 32767);
#endif
}

/*
 * A function by its table, linearly between its values. A piece is one word: the value where it begins in
 * its high half, and four times how far it rises in its low half, so that one multiplication and one addition
 * give the value in the high half.
 */
static inline int32_t ltc_lookup_i16(const int32_t *table, uint32_t piece, uint32_t part)
{
    const int32_t entry = table[piece];
#if LTC_I16_MULTIPLIES_HALVES
    return __builtin_arm_smlabb(entry, (int32_t)part, entry) >> 16;
#else
    return (entry + (int32_t)(int16_t)entry * (int32_t)part) >> 16;
#endif
}

/* The same of a place that may lie beyond the table, at whose end the function then is. */
static inline int32_t ltc_read_i16(const int32_t *table, int32_t place)
{
#if LTC_I16_SATURATES
    const uint32_t within = (uint32_t)__builtin_arm_usat(place, 23);
#else
    const uint32_t within = (uint32_t)ltc_clamp_i32(place, 0, LTC_TABLE_END_I16);
#endif
    return ltc_lookup_i16(table, within >> LTC_PART_BITS_I16, within & LTC_PART_MASK_I16);
}

/* tanh(x) = 2 sigmoid(2x) - 1. */
static inline int32_t ltc_tanh_i16(const int32_t *table, int32_t place)
{
    return 2 * ltc_read_i16(table, place) - LTC_ONE_I16;
}

/*
 * e^x of a code x <= 0 in 2^-bits, in 2^-15. With -x * log2(e) = k + f, it is 2^-f, of which table holds 32
 * pieces, shifted by k. bits is at least 5.
 */
static inline int32_t ltc_exp_i16(const int32_t *table, int32_t x, uint32_t bits)
{
    const uint32_t size = (uint32_t)ltc_clamp_i32(-x, 0, 32767) * 23637U;  /* log2(e) in 2^-14 */
    const uint32_t whole = size >> (bits + 14U);
    const uint32_t fraction = size >> (bits - 5U);  /* in 2^-19 */
    const int32_t power = ltc_lookup_i16(table, (fraction >> LTC_PART_BITS_I16) & 31U,
                                         fraction & LTC_PART_MASK_I16);
    const uint32_t shift = (whole < 16U) ? whole : 16U;
    return (2 * power + (int32_t)(1UL << shift)) >> (shift + 1U);
}

/*
 * A part of a share, both of them above 0 and in 2^-15: rounded up, so that it is not 0 either, and a quotient
 * by it is safe.
 */
static inline int32_t ltc_part_i16(int32_t share, int32_t part)
{
    return (share * part + 32767) >> 15;
}

/*
 * numerator / denominator in 2^-15, rounded to the nearest; of a numerator beyond the denominator, which is
 * 2^15 to 2^30, or 2^14 where the numerator is no greater, anything from 1 on.
 */
static inline int32_t ltc_quotient_of_i16(uint32_t numerator, uint32_t denominator)
{
    const uint32_t divisor = denominator >> 14;
#if LTC_I16_NO_DIVISION
    const uint32_t fraction = (numerator < denominator) ? numerator : denominator;
    return (int32_t)ltc_quotient_i16((fraction << 1) + (divisor >> 1), divisor);
#else
    return (int32_t)(((numerator << 1) + (divisor >> 1)) / divisor);
#endif
}

/* The same as a code, of numerators of either sign. */
static inline int32_t ltc_ratio_i16(int32_t numerator, int32_t denominator)
{
    const int32_t sign = numerator >> 31;
    const uint32_t magnitude = (uint32_t)((numerator ^ sign) - sign);
    const int32_t quotient = ltc_quotient_of_i16(magnitude, (uint32_t)denominator);
    return ltc_code_i16((quotient ^ sign) - sign);
}

/* The same of numerators that are not negative. */
static inline int32_t ltc_share_of_i16(int32_t numerator, int32_t denominator)
{
    return ltc_share_i16(ltc_quotient_of_i16((uint32_t)numerator, (uint32_t)denominator));
}

#endif
