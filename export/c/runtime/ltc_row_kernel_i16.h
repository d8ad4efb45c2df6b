/* ltc_row_kernel_i16.h: how the sum of a row becomes a code, once for dense and sparse matrices. */
#ifndef LTC_ROW_KERNEL_I16_H
#define LTC_ROW_KERNEL_I16_H

#include "ltc_i16.h"
#include "ltc_i16_arithmetic.h"

static inline int16_t ltc_row_code_i16(const ltc_row_i16 *row, int32_t sum)
{
    const int32_t within = ltc_clamp_i32(sum, -row->limit, row->limit) >> row->before;
    return (int16_t)ltc_code_i16(ltc_scaled_i32(within * row->multiplier, row->after));
}

#endif
