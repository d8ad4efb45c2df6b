/* cfc_network.h: the weights as the loops read them. A template over REAL, as vector.h. */

typedef struct {
    const ltc_edge_cfc *cell;
    const void *const *parameters;
    cfc_shape shape;
    REAL *memory;
    REAL *weights;    /* of each map, for each PRODUCT_ROWS of its rows, column by column, the bias last */
    REAL *transposed; /* of each map, for each PRODUCT_ROWS of its columns, row by row */
    REAL *w_tau, *a;  /* N each, of the pure mode */
} NAME(network);

/* A number of a map's weights; `column` map->columns is the bias. */
static REAL NAME(weight)(const NAME(network) * network, int64_t index, int64_t row, int64_t column)
{
    const cfc_map *const map = &network->shape.map[index];
    const int64_t units = map->units > 0 ? map->units : map->rows, head = row / units, unit = row % units;
    const int is_bias = column == map->columns;
    const int64_t place = is_bias ? unit : unit * map->columns + column;
    const void *const *const own = network->parameters + map->parameter + 2 * head + is_bias;
    REAL weight = ((const REAL *)own[0])[place];
    if (map->units == 0) {
        return weight;
    }
    if (network->shape.heads == 3 && head == 2) {
        weight += ((const REAL *)own[2])[place];
    }
    const REAL *const mask = network->cell->masks[index - network->shape.backbone];
    return mask != NULL && head < 2 && !is_bias ? weight * mask[place] : weight;
}

static void NAME(pack)(const NAME(network) * network, int64_t index)
{
    const cfc_map *const map = &network->shape.map[index];
    REAL *to = network->weights + map->weights;
    for (int64_t block = 0; block < map->rows; block += PRODUCT_ROWS) {
        for (int64_t column = 0; column <= map->columns; column++) {
            for (int64_t row = block; row < block + PRODUCT_ROWS; row++) {
                *to++ = row < map->rows ? NAME(weight)(network, index, row, column) : (REAL)0;
            }
        }
    }
    to = network->transposed + map->transposed;
    for (int64_t block = 0; block < map->columns; block += PRODUCT_ROWS) {
        for (int64_t row = 0; row < map->rows; row++) {
            for (int64_t column = block; column < block + PRODUCT_ROWS; column++) {
                *to++ = column < map->columns ? NAME(weight)(network, index, row, column) : (REAL)0;
            }
        }
    }
}

/* Fill `network`; free its memory in any case. Returns whether there was memory. */
static int NAME(new_network)(NAME(network) * network, const ltc_edge_cfc *cell, const void *const *parameters,
                             int timed)
{
    *network = (NAME(network)){.cell = cell, .parameters = parameters, .shape = shape_of(cell, timed)};
    const cfc_shape *const shape = &network->shape;
    network->memory = malloc((size_t)(shape->weights + shape->transposed + 2 * shape->units) * sizeof(REAL));
    if (network->memory == NULL) {
        return 0;
    }
    network->weights = network->memory;
    network->transposed = network->weights + shape->weights;
    network->w_tau = network->transposed + shape->transposed;
    network->a = network->w_tau + shape->units;
    for (int64_t index = 0; index < shape->maps; index++) {
        NAME(pack)(network, index);
    }
    for (int64_t index = shape->backbone; cell->mode == LTC_EDGE_CFC_PURE && index < shape->maps; index++) {
        const cfc_map *const map = &shape->map[index];
        const size_t bytes = (size_t)map->units * sizeof(REAL);
        memcpy(network->w_tau + map->first, parameters[map->parameter + 2], bytes);
        memcpy(network->a + map->first, parameters[map->parameter + 3], bytes);
    }
    return 1;
}

/* Of one map, from the sums of outer products to the gradients of its weights and biases. */
static void NAME(map_gradients)(const NAME(network) * network, int64_t index, const double *sums, void *const *gradients)
{
    const cfc_map *const map = &network->shape.map[index];
    const int64_t units = map->units > 0 ? map->units : map->rows;
    const int64_t width = round_up(map->columns + 1, SUM_COLUMNS);
    const REAL *const mask = map->units > 0 ? network->cell->masks[index - network->shape.backbone] : NULL;
    for (int64_t row = 0; row < map->rows; row++) {
        const int64_t head = row / units, unit = row % units;
        void *const *const own = gradients + map->parameter + 2 * head;
        const int merged = network->shape.heads == 3 && head == 2 && map->units > 0;
        for (int64_t column = 0; column <= map->columns; column++) {
            const int is_bias = column == map->columns;
            const int64_t place = is_bias ? unit : unit * map->columns + column;
            const int64_t block = row / SUM_ROWS * width / SUM_COLUMNS + column / SUM_COLUMNS;
            const int64_t within = row % SUM_ROWS * SUM_COLUMNS + column % SUM_COLUMNS;
            REAL gradient = (REAL)sums[map->sums + block * SUM_ROWS * SUM_COLUMNS + within];
            if (mask != NULL && head < 2 && !is_bias) {
                gradient *= mask[place];
            }
            ((REAL *)own[is_bias])[place] = gradient;
            if (merged) {
                ((REAL *)own[2 + is_bias])[place] = gradient;
            }
        }
    }
}

/* From all sums, the maps' and then those of w_tau and A, to the gradients. */
static void NAME(parameter_gradients)(const NAME(network) * network, const double *sums, void *const *gradients)
{
    const cfc_shape *const shape = &network->shape;
    for (int64_t index = 0; index < shape->maps; index++) {
        NAME(map_gradients)(network, index, sums, gradients);
    }
    const double *const w_tau = sums + shape->sums, *const a = w_tau + shape->units;
    for (int64_t index = shape->backbone; network->cell->mode == LTC_EDGE_CFC_PURE && index < shape->maps; index++) {
        const cfc_map *const map = &shape->map[index];
        for (int64_t i = 0; i < map->units; i++) {
            ((REAL *)gradients[map->parameter + 2])[i] = (REAL)w_tau[map->first + i];
            ((REAL *)gradients[map->parameter + 3])[i] = (REAL)a[map->first + i];
        }
    }
}
