#include "ltc_row_kernel_i16.h"

void ltc_sparse_i16(const uint16_t *count, const uint16_t *column, const int8_t *weight,
                    const ltc_row_i16 *row, const int16_t *input, int16_t *output, uint32_t rows)
{
    for (uint32_t i = 0U; i < rows; ++i) {
        int32_t sum = row[i].bias;
        for (uint32_t left = count[i]; left != 0U; --left) {
            sum += (int32_t)*weight++ * input[*column++];
        }
        output[i] = ltc_row_code_i16(&row[i], sum);
    }
}
