/* ltc_tiles.h: all tiles of a batch, over threads. A template, as ltc_tile.h. */

static int32_t TILE(forward_tiles)(const NAME(network) * network, const ltc_edge_sequences *sequences, int full,
                                   int32_t threads)
{
    TILE(task) task = {
        .network = network,
        .sequences = sequences,
        .layout = TILE(layout_of)(network->circuit, sequences, full),
    };
    ltc_edge_tiles(TILE(forward_tile), &task, task.layout.tiles, threads);
    return atomic_load(&task.out_of_memory) ? LTC_EDGE_NO_MEMORY : LTC_EDGE_OK;
}

static int32_t TILE(backward_tiles)(const NAME(network) * network, const ltc_edge_sequences *sequences,
                                    const ltc_edge_gradients *gradients, int full, REAL *parts, int64_t sums,
                                    int32_t threads)
{
    TILE(task) task = {
        .network = network,
        .sequences = sequences,
        .gradients = gradients,
        .layout = TILE(layout_of)(network->circuit, sequences, full),
        .parts = parts,
        .sums = sums,
    };
    ltc_edge_tiles(TILE(backward_tile), &task, task.layout.tiles, threads);
    return atomic_load(&task.out_of_memory) ? LTC_EDGE_NO_MEMORY : LTC_EDGE_OK;
}
