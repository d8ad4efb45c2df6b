#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

void ltc_sparse_f32(const uint16_t *count, const uint16_t *column, const float *weight,
                    const float *bias, const float *input, float *output, uint32_t rows)
{
    for (uint32_t i = 0U; i < rows; ++i) {
        float sum = bias[i];
        for (uint32_t left = count[i]; left != 0U; --left) {
            sum += *weight++ * input[*column++];
        }
        output[i] = sum;
    }
}
