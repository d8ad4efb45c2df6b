#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

void ltc_dense_f32(const float *weight, const float *bias, const float *input, float *output,
                   uint32_t rows, uint32_t columns)
{
    for (uint32_t i = 0U; i < rows; ++i) {
        float sum = bias[i];
        for (uint32_t j = 0U; j < columns; ++j) {
            sum += *weight++ * input[j];
        }
        output[i] = sum;
    }
}
