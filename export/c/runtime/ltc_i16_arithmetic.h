/*
 * ltc_i16_arithmetic.h: rounding, saturation, division and functions of 16-bit codes; for .c files alone.
 *
 * Rounding is to the nearest, ties upwards: half of the last place is added, and an arithmetic shift
 * rounds down. Saturation is to +-32767: codes are symmetric, and -32768 never comes out of a step.
 */
#ifndef LTC_I16_ARITHMETIC_H
#define LTC_I16_ARITHMETIC_H

#include <stdint.h>

#if (-1 >> 1) != -1
#error "this compiler shifts negative numbers in another way than all that this was tested with"
#endif

/*
 * 1: the processor has no instruction that divides, and ltc_ratio_i16 takes 15 steps of a subtraction
 * each; 0: it divides. Both give the same quotient.
 */
#ifndef LTC_I16_NO_DIVISION
#if (defined(__arm__) && !defined(__ARM_FEATURE_IDIV)) || defined(__AVR__) \
    || (defined(__riscv) && !defined(__riscv_div))
#define LTC_I16_NO_DIVISION 1
#else
#define LTC_I16_NO_DIVISION 0
#endif
#endif

#define LTC_ONE_I16 32768            /* 1 in 2^-15; codes themselves end at 32767 */
#define LTC_TABLE_END_I16 0x7FFFF    /* last place in a table: 512 pieces of 1024 places */

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

static inline int16_t ltc_saturated_code_i16(int32_t value)
{
    return (int16_t)ltc_clamp_i32(value, -32767, 32767);
}

/*
 * A place within a table, 0 to LTC_TABLE_END_I16, from one that may lie beyond. Without a branch, so that
 * its time is the same on processors that have no conditional instructions.
 */
static inline uint32_t ltc_place_i16(int32_t place)
{
    const int32_t low = place & ~(place >> 31);
    return (uint32_t)(low | ((LTC_TABLE_END_I16 - low) >> 31)) & (uint32_t)LTC_TABLE_END_I16;
}

/* A function by its table of 513 values, linearly between them. */
static inline int32_t ltc_lookup_i16(const uint16_t *table, uint32_t place)
{
    const uint16_t *const piece = &table[place >> 10];
    const int32_t below = (int32_t)piece[0];
    const int32_t step = (int32_t)piece[1] - below;
    return below + ((step * (int32_t)(place & 1023U)) >> 10);
}

/* |numerator| / denominator in 2^-15, rounded to the nearest; |numerator| <= denominator <= 2^30. */
static inline int16_t ltc_ratio_i16(int32_t numerator, int32_t denominator)
{
    const uint32_t divisor = (uint32_t)denominator >> 14;
    const int32_t sign = numerator >> 31;
    const uint32_t magnitude = (uint32_t)((numerator ^ sign) - sign);
    const uint32_t most = (divisor << 15) - 1U;
    const uint32_t wanted = (magnitude << 1) + (divisor >> 1);
    const uint32_t dividend = (wanted < most) ? wanted : most;
    uint32_t quotient;
#if LTC_I16_NO_DIVISION
    uint32_t rest = dividend;
    uint32_t part = divisor << 14;
    quotient = 0U;
    for (uint32_t bit = 0U; bit < 15U; ++bit) {
        const uint32_t left = rest - part;
        const uint32_t borrow = (uint32_t)((int32_t)left >> 31);  /* all ones where part did not fit */
        rest = left + (part & borrow);
        quotient = (quotient << 1) + 1U + borrow;
        part >>= 1;
    }
#else
    quotient = dividend / divisor;
#endif
    return (int16_t)(((int32_t)quotient ^ sign) - sign);
}

/* The same of a place that may lie beyond the table: the function is at its end there. */
static inline int32_t ltc_read_i16(const uint16_t *table, int32_t place)
{
    return ltc_lookup_i16(table, ltc_place_i16(place));
}

/* tanh(x) = 2 sigmoid(2x) - 1. */
static inline int32_t ltc_tanh_i16(const uint16_t *table, int32_t place)
{
    return 2 * ltc_read_i16(table, place) - LTC_ONE_I16;
}

/*
 * e^x of a code x <= 0 in 2^-bits, in 2^-15. With -x * log2(e) = k + f, it is 2^-f, of which table holds 33
 * values, shifted by k.
 */
static inline int32_t ltc_exp_i16(const uint16_t *table, int32_t x, uint32_t bits)
{
    const uint32_t size = (uint32_t)ltc_clamp_i32(-x, 0, 32767) * 23637U;  /* log2(e) in 2^-14 */
    const uint32_t whole = size >> (bits + 14U);
    const uint32_t fraction = (size >> (bits - 1U)) & 0x7FFFU;
    const uint16_t *const piece = &table[fraction >> 10];
    const int32_t step = (int32_t)piece[1] - (int32_t)piece[0];
    const int32_t power = (int32_t)piece[0] + ((step * (int32_t)(fraction & 1023U)) >> 10);
    const uint32_t shift = (whole < 16U) ? whole : 16U;
    return (2 * power + (int32_t)(1UL << shift)) >> (shift + 1U);
}

static inline int32_t ltc_abs_i32(int32_t value)
{
    return (value < 0) ? -value : value;
}

static inline int32_t ltc_minimum_i32(int32_t a, int32_t b)
{
    return (b < a) ? b : a;
}

static inline int32_t ltc_maximum_i32(int32_t a, int32_t b)
{
    return (b > a) ? b : a;
}

#endif
