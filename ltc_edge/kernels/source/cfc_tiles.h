/* cfc_tiles.h: all tiles of a batch, over threads. A template, as lanes.h. */

static int64_t TILE(trace_bytes)(const cfc_shape *shape, const ltc_edge_sequences *sequences)
{
    const TILE(layout) layout = TILE(layout_of)(shape, sequences);
    return layout.tiles * layout.trace * (int64_t)sizeof(V);
}

static int32_t TILE(forward_tiles)(const NAME(network) * network, const ltc_edge_sequences *sequences,
                                   int32_t threads)
{
    TILE(task) task = {
        .network = network,
        .sequences = sequences,
        .layout = TILE(layout_of)(&network->shape, sequences),
    };
    ltc_edge_tiles(TILE(forward_tile), &task, task.layout.tiles, threads);
    return atomic_load(&task.out_of_memory) ? LTC_EDGE_NO_MEMORY : LTC_EDGE_OK;
}

static int32_t TILE(backward_tiles)(const NAME(network) * network, const ltc_edge_sequences *sequences,
                                    const ltc_edge_gradients *gradients, REAL *parts, int64_t sums,
                                    int32_t threads)
{
    TILE(task) task = {
        .network = network,
        .sequences = sequences,
        .gradients = gradients,
        .layout = TILE(layout_of)(&network->shape, sequences),
        .parts = parts,
        .sums = sums,
    };
    ltc_edge_tiles(TILE(backward_tile), &task, task.layout.tiles, threads);
    return atomic_load(&task.out_of_memory) ? LTC_EDGE_NO_MEMORY : LTC_EDGE_OK;
}
