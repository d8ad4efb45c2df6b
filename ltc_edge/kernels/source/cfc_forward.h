/* cfc_forward.h: a tile through the time steps. A template, as lanes.h.
 *
 * What a step leaves is one region: for each map its columns, then what the backward pass needs of its results. Where
 * a map's columns are the results of another, these are written there at once.
 *
 * The trace is the states from which the backward pass runs each segment of steps again: that is no slower than to
 * write all regions to memory and to read them back, and takes a hundredth of it. */

typedef struct {
    int64_t step;    /* vectors of a region */
    int64_t state;   /* of a state */
    int64_t tiles;
    int64_t trace;   /* vectors a tile leaves to the backward pass */
} TILE(layout);

/* Steps that the backward pass takes at a time: few enough that their regions stay in the cache, enough for the way
 * of the weights' sums to registers and back. */
enum { TILE(SEGMENT) = 16 };

static TILE(layout) TILE(layout_of)(const cfc_shape *shape, const ltc_edge_sequences *sequences)
{
    TILE(layout) own;
    own.step = shape->step * BLOCKS;
    own.state = shape->units * BLOCKS;
    own.tiles = (sequences->batch + WIDTH - 1) / WIDTH;
    own.trace = (sequences->length + TILE(SEGMENT) - 1) / TILE(SEGMENT) * own.state;
    return own;
}

/* Everything that a call shares over its tiles. */
typedef struct {
    const NAME(network) * network;
    const ltc_edge_sequences *sequences;
    const ltc_edge_gradients *gradients;
    TILE(layout) layout;
    REAL *parts;  /* sums of each tile for the parameters' gradients */
    int64_t sums; /* how many of them */
    atomic_int out_of_memory;
} TILE(task);

/* Room to work. */
typedef struct {
    V *memory;  /* what all of the following lies in */
    V *span;    /* 1 */
    V *state;   /* N */
    V *heads;   /* rows of the largest map */
    V *regions; /* two, of a step and of the state after it */
} TILE(room);

static int TILE(new_room)(TILE(room) * room, const TILE(task) * task)
{
    const cfc_shape *const shape = &task->network->shape;
    const int64_t vectors = BLOCKS * (1 + shape->units + shape->rows) + 2 * task->layout.step;
    room->memory = aligned_alloc(sizeof(V), (size_t)vectors * sizeof(V));
    if (room->memory == NULL) {
        return 0;
    }
    TILE(clear)(room->memory, vectors);
    room->span = room->memory;
    room->state = room->span + BLOCKS;
    room->heads = room->state + shape->units * BLOCKS;
    room->regions = room->heads + shape->rows * BLOCKS;
    EACH_BLOCK(k)
    {
        room->span[k] = NAME(all)(1);
    }
    return 1;
}

/* From a state to the columns that read it, and back. */
static void TILE(settle)(const cfc_shape *shape, const V *state, V *region)
{
    for (int64_t index = shape->backbone; index < shape->maps; index++) {
        const cfc_map *const map = &shape->map[index];
        TILE(copy)(region + home_of(shape, index) * BLOCKS, state + map->first * BLOCKS, map->units * BLOCKS);
    }
}

static void TILE(collect)(const cfc_shape *shape, const V *region, V *state)
{
    for (int64_t index = shape->backbone; index < shape->maps; index++) {
        const cfc_map *const map = &shape->map[index];
        TILE(copy)(state + map->first * BLOCKS, region + home_of(shape, index) * BLOCKS, map->units * BLOCKS);
    }
}

/* What a step of the closed form needs of the layer at `index`. */
static TILE(closing) TILE(closing_of)(const NAME(network) * network, int64_t index, const V *span, V *region)
{
    const cfc_map *const map = &network->shape.map[index];
    return (TILE(closing)){
        .span = span,
        .kept = region + map->kept * BLOCKS,
        .kept_stride = map->units * BLOCKS,
        .w_tau = network->w_tau + map->first,
        .a = network->a + map->first,
    };
}

/* One time step: the state among the columns of `region` is there, the state after goes to those of `after`. */
static void TILE(advance)(const TILE(task) * task, TILE(room) * room, TILE(lanes) lanes, int64_t t, V *region, V *after)
{
    const NAME(network) *const network = task->network;
    const cfc_shape *const shape = &network->shape;
    const ltc_edge_sequences *const sequences = task->sequences;
    V *const inputs = region + shape->map[0].x * BLOCKS;
    if (lanes.count < WIDTH) {
        TILE(clear)(inputs, shape->inputs * BLOCKS);
    }
    TILE(gather)(sequences->inputs, lanes, sequences->length, t, shape->inputs, inputs);
    if (sequences->timespans != NULL) {
        TILE(gather)(sequences->timespans, lanes, sequences->length, t, 1, room->span);
    }
    for (int64_t index = 0; index < shape->maps; index++) {
        const cfc_map *const map = &shape->map[index];
        V *const x = region + map->x * BLOCKS;
        V *const fed = index + 1 < shape->maps ? region + map[1].x * BLOCKS : NULL;
        EACH_BLOCK(k)
        {
            x[map->columns * BLOCKS + k] = NAME(all)(1);
        }
        TILE(multiply)
        (network->weights + map->weights, round_up(map->rows, PRODUCT_ROWS), map->columns + 1, x, room->heads);
        if (index < shape->backbone) {
            TILE(activate)
            (network->cell->activation, map->rows * BLOCKS, room->heads, fed, region + map->kept * BLOCKS);
            continue;
        }
        V *const state = after + home_of(shape, index) * BLOCKS;
        const TILE(closing) closing = TILE(closing_of)(network, index, room->span, region);
        TILE(close)
        (&closing, network->cell->mode, sequences->timespans != NULL, map->units, room->heads, state);
        if (fed != NULL) {
            TILE(copy)(fed, state, map->units * BLOCKS);
        }
    }
    if (sequences->forced != NULL) {
        TILE(gather)(sequences->forced, lanes, sequences->length, t, shape->units, room->state);
        TILE(settle)(shape, room->state, after);
    }
}

/* The forward pass of a tile, as work of ltc_edge_tiles. */
static void TILE(forward_tile)(void *context, int64_t tile, int32_t thread)
{
    (void)thread;
    TILE(task) *const task = context;
    const cfc_shape *const shape = &task->network->shape;
    const ltc_edge_sequences *const sequences = task->sequences;
    const TILE(layout) *const layout = &task->layout;
    const TILE(lanes) lanes = TILE(lanes_of)(sequences->batch, tile);
    TILE(room) room;
    if (!TILE(new_room)(&room, task)) {
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    V *const trace = sequences->trace == NULL ? NULL : (V *)sequences->trace + tile * layout->trace;
    V *region = room.regions, *after = region + layout->step;
    TILE(gather)(sequences->state, lanes, 1, 0, shape->units, room.state);
    TILE(settle)(shape, room.state, region);
    const int64_t motor = home_of(shape, shape->maps - 1) * BLOCKS;
    for (int64_t t = 0; t < sequences->length; t++) {
        if (trace != NULL && t % TILE(SEGMENT) == 0) {
            TILE(collect)(shape, region, trace + t / TILE(SEGMENT) * layout->state);
        }
        TILE(advance)(task, &room, lanes, t, region, after);
        TILE(scatter)(sequences->outputs, lanes, sequences->length, t, shape->outputs, after + motor);
        V *const before = region;
        region = after;
        after = before;
    }
    TILE(collect)(shape, region, room.state);
    TILE(scatter)(sequences->last, lanes, 1, 0, shape->units, room.state);
    free(room.memory);
}
