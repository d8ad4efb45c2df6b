#include "ltc_row_kernel_i16.h"

void ltc_dense_i16(const int8_t *weight, const ltc_row_i16 *row, const int16_t *input, int16_t *output,
                   uint32_t rows, uint32_t columns)
{
    for (uint32_t i = 0U; i < rows; ++i) {
        int32_t sum = row[i].bias;
        for (uint32_t j = 0U; j < columns; ++j) {
            sum += (int32_t)*weight++ * input[j];
        }
        output[i] = ltc_row_code_i16(&row[i], sum);
    }
}
