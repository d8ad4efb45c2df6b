/* cfc_product.h: products with weights, and sums of outer products. A template, as lanes.h.
 *
 * A weight meets BLOCKS vectors while it is in a register, a vector as many weights as registers hold results of.
 */

/* out = weights * x, for `rows` rows, a multiple of PRODUCT_ROWS; the weights are packed as cfc_network.h says. */
static void TILE(multiply)(const REAL *weights, int64_t rows, int64_t columns, const V *x, V *out)
{
    for (int64_t row = 0; row < rows; row += PRODUCT_ROWS) {
        V sum[PRODUCT_ROWS][BLOCKS] = {{{0}}};
        for (int64_t column = 0; column < columns; column++, weights += PRODUCT_ROWS) {
#pragma GCC unroll 6
            for (int64_t r = 0; r < PRODUCT_ROWS; r++) {
                EACH_BLOCK(k)
                {
                    sum[r][k] += x[column * BLOCKS + k] * weights[r];
                }
            }
        }
#pragma GCC unroll 6
        for (int64_t r = 0; r < PRODUCT_ROWS; r++) {
            EACH_BLOCK(k)
            {
                out[(row + r) * BLOCKS + k] = sum[r][k];
            }
        }
    }
}

/* Add gradients * x^T of `steps` steps, lane by lane, to SUM_ROWS by SUM_COLUMNS sums. */
ALWAYS_INLINE void TILE(add_outer)(const V *gradients, int64_t gradient_stride, const V *x, int64_t stride,
                                   int64_t steps, V *sums)
{
    V sum[SUM_ROWS][SUM_COLUMNS] = {{{0}}};
    for (int64_t step = 0; step < steps; step++, gradients += gradient_stride, x += stride) {
        EACH_BLOCK(k)
        {
#pragma GCC unroll 4
            for (int64_t c = 0; c < SUM_COLUMNS; c++) {
                const V column = x[c * BLOCKS + k];
#pragma GCC unroll 3
                for (int64_t r = 0; r < SUM_ROWS; r++) {
                    sum[r][c] += gradients[r * BLOCKS + k] * column;
                }
            }
        }
    }
#pragma GCC unroll 3
    for (int64_t r = 0; r < SUM_ROWS; r++) {
#pragma GCC unroll 4
        for (int64_t c = 0; c < SUM_COLUMNS; c++) {
            sums[r * SUM_COLUMNS + c] += sum[r][c];
        }
    }
}

/* The same for a whole map: rows and columns round up to blocks. */
static void TILE(add_outer_products)(int64_t rows, int64_t columns, const V *gradients, int64_t gradient_stride,
                                     const V *x, int64_t stride, int64_t steps, V *sums)
{
    for (int64_t row = 0; row < rows; row += SUM_ROWS) {
        for (int64_t column = 0; column < columns; column += SUM_COLUMNS, sums += SUM_ROWS * SUM_COLUMNS) {
            TILE(add_outer)
            (gradients + row * BLOCKS, gradient_stride, x + column * BLOCKS, stride, steps, sums);
        }
    }
}
