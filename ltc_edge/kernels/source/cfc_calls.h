/* cfc_calls.h: the calls over all tiles of a batch. A template over REAL, after those over BLOCKS. */

static int NAME(is_timespan_bad)(const ltc_edge_sequences *sequences)
{
    const REAL *const timespans = sequences->timespans;
    int64_t bad = 0;
    for (int64_t i = 0; timespans != NULL && i < sequences->batch * sequences->length; i++) {
        bad += !(timespans[i] > 0);
    }
    return bad != 0;
}

/* A tile of one vector wastes the least of a small batch, one of two loads parameters half as often. The choice
 * depends on the batch alone, so that results do not depend on the number of threads. */
static int NAME(is_wide)(int64_t batch)
{
    return batch > 2 * LANES;
}

static int64_t NAME(trace)(const ltc_edge_cfc *cell, const ltc_edge_sequences *sequences)
{
    const cfc_shape shape = shape_of(cell, sequences->timespans != NULL);
    return NAME(is_wide)(sequences->batch) ? NAME(trace_bytes_2)(&shape, sequences)
                                           : NAME(trace_bytes_1)(&shape, sequences);
}

static int32_t NAME(forward)(const ltc_edge_cfc *cell, const void *const *parameters,
                             const ltc_edge_sequences *sequences, int32_t threads)
{
    if (NAME(is_timespan_bad)(sequences)) {
        return LTC_EDGE_BAD_TIMESPAN;
    }
    NAME(network) network;
    int32_t result = LTC_EDGE_NO_MEMORY;
    if (NAME(new_network)(&network, cell, parameters, sequences->timespans != NULL)) {
        result = NAME(is_wide)(sequences->batch) ? NAME(forward_tiles_2)(&network, sequences, threads)
                                                 : NAME(forward_tiles_1)(&network, sequences, threads);
    }
    free(network.memory);
    return result;
}

/* The sums of all tiles, tile by tile. */
static void NAME(add_parts)(const REAL *parts, int64_t tiles, int64_t sums, double *total)
{
    for (int64_t tile = 0; tile < tiles; tile++) {
        for (int64_t i = 0; i < sums; i++) {
            total[i] += (double)parts[tile * sums + i];
        }
    }
}

static int32_t NAME(backward)(const ltc_edge_cfc *cell, const void *const *parameters,
                              const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                              void *const *parameter_gradients, int32_t threads)
{
    const int wide = NAME(is_wide)(sequences->batch);
    const int64_t width = (wide ? 2 : 1) * LANES, tiles = (sequences->batch + width - 1) / width;
    NAME(network) network;
    if (!NAME(new_network)(&network, cell, parameters, sequences->timespans != NULL)) {
        return LTC_EDGE_NO_MEMORY;
    }
    const int64_t sums = network.shape.sums + cfc_constants(cell);
    REAL *const parts = calloc((size_t)(tiles * sums + 1), sizeof *parts);
    double *const total = calloc((size_t)sums, sizeof *total);
    int32_t result = LTC_EDGE_NO_MEMORY;
    if (parts != NULL && total != NULL) {
        result = wide ? NAME(backward_tiles_2)(&network, sequences, gradients, parts, sums, threads)
                      : NAME(backward_tiles_1)(&network, sequences, gradients, parts, sums, threads);
    }
    if (result == LTC_EDGE_OK) {
        NAME(add_parts)(parts, tiles, sums, total);
        NAME(parameter_gradients)(&network, total, parameter_gradients);
    }
    free(network.memory);
    free(parts);
    free(total);
    return result;
}
