/* cfc_backward.h: back-propagation through a tile. A template, as lanes.h.
 *
 * A segment of steps is computed again, then gone through backwards for the gradients of states and rows; then those
 * of the weights are summed over all of its steps, so that a sum stays in its register meanwhile. */

typedef struct {
    V *memory;
    V *sums;     /* of each map's weights */
    V *w_tau, *a; /* N each, of the pure mode */
    V *state;    /* N: gradient of the state after a step, then of that before */
    V *layer;    /* as many as the largest map has columns: gradient of what a map reads */
    V *following; /* likewise: of a layer's states, or of a backbone's features */
    V *outputs;  /* M */
    V *span;     /* 1 */
    V *rows;     /* of each step of a segment, the gradients of the maps' rows */
    V *regions;  /* of a segment, and of the state after it */
} TILE(back);

static int TILE(new_back)(TILE(back) * back, const TILE(task) * task)
{
    const cfc_shape *const shape = &task->network->shape;
    const TILE(layout) *const layout = &task->layout;
    const int64_t constants = cfc_constants(task->network->cell) > 0 ? shape->units : 0;
    const int64_t rows = TILE(SEGMENT) * shape->gradients * BLOCKS;
    const int64_t regions = (TILE(SEGMENT) + 1) * layout->step;
    const int64_t small = BLOCKS * (shape->units + 2 * shape->columns + shape->outputs + 1);
    const int64_t vectors = shape->sums + 2 * constants + small + rows + regions;
    back->memory = aligned_alloc(sizeof(V), (size_t)vectors * sizeof(V));
    if (back->memory == NULL) {
        return 0;
    }
    TILE(clear)(back->memory, vectors);
    back->sums = back->memory;
    back->w_tau = back->sums + shape->sums;
    back->a = back->w_tau + constants;
    back->state = back->a + constants;
    back->layer = back->state + shape->units * BLOCKS;
    back->following = back->layer + shape->columns * BLOCKS;
    back->outputs = back->following + shape->columns * BLOCKS;
    back->span = back->outputs + shape->outputs * BLOCKS;
    back->rows = back->span + BLOCKS;
    back->regions = back->rows + rows;
    return 1;
}

/* Add the outputs' gradient at step t to the state's; outputs are the last neurons. */
static void TILE(back_outputs)(const TILE(task) * task, TILE(back) * back, TILE(lanes) lanes, int64_t t)
{
    const cfc_shape *const shape = &task->network->shape;
    if (task->gradients->outputs == NULL) {
        return;
    }
    TILE(gather)(task->gradients->outputs, lanes, task->sequences->length, t, shape->outputs, back->outputs);
    V *const motor = back->state + (shape->units - shape->outputs) * BLOCKS;
    for (int64_t i = 0; i < shape->outputs * BLOCKS; i++) {
        motor[i] += back->outputs[i];
    }
}

/* From the gradient of a layer's states, of which those that feed another map have it in back->layer, to its heads'. */
static void TILE(back_layer)(const TILE(task) * task, const TILE(room) * room, TILE(back) * back, int64_t index,
                             V *region, V *rows)
{
    const NAME(network) *const network = task->network;
    const cfc_shape *const shape = &network->shape;
    const cfc_map *const map = &shape->map[index];
    V *const gradient = back->state + map->first * BLOCKS;
    if (index + 1 < shape->maps) {
        for (int64_t i = 0; i < map->units * BLOCKS; i++) {
            gradient[i] += back->layer[i];
        }
    }
    const TILE(closing) closing = TILE(closing_of)(network, index, room->span, region);
    const int64_t first = cfc_constants(network->cell) > 0 ? map->first : 0;
    TILE(open)
    (&closing, network->cell->mode, task->sequences->timespans != NULL, map->units, gradient, rows, back->span,
     back->w_tau + first, back->a + first);
}

/* Back through step t, which left `region`; leaves the gradients of the maps' rows at `rows`. */
static void TILE(back_step)(const TILE(task) * task, TILE(room) * room, TILE(back) * back, TILE(lanes) lanes, int64_t t,
                            V *region, V *rows)
{
    const NAME(network) *const network = task->network;
    const cfc_shape *const shape = &network->shape;
    const ltc_edge_sequences *const sequences = task->sequences;
    const ltc_edge_gradients *const gradients = task->gradients;
    TILE(back_outputs)(task, back, lanes, t);
    if (sequences->timespans != NULL) {
        TILE(gather)(sequences->timespans, lanes, sequences->length, t, 1, room->span);
    }
    TILE(clear)(back->span, BLOCKS);
    for (int64_t index = shape->maps - 1; index >= 0; index--) {
        const cfc_map *const map = &shape->map[index];
        V *const own = rows + map->gradients * BLOCKS;
        if (index >= shape->backbone) {
            TILE(back_layer)(task, room, back, index, region, own);
        } else {
            const V *const slope = region + map->kept * BLOCKS;
            for (int64_t i = 0; i < map->rows * BLOCKS; i++) {
                own[i] = back->layer[i] * slope[i];
            }
        }
        /* Nothing asks for the gradient of the inputs, but for their own sake. */
        const int64_t first = index > 0 || gradients->inputs != NULL ? 0 : map->feed / PRODUCT_ROWS * PRODUCT_ROWS;
        TILE(multiply)
        (network->transposed + map->transposed + first * map->rows, round_up(map->columns - first, PRODUCT_ROWS),
         map->rows, own, back->layer + first * BLOCKS);
        if (map->columns > map->feed) {
            const int64_t to = map->units > 0 ? map->first : 0;
            TILE(copy)
            (back->state + to * BLOCKS, back->layer + map->feed * BLOCKS, (map->columns - map->feed) * BLOCKS);
        }
    }
    if (gradients->inputs != NULL) {
        TILE(scatter)(gradients->inputs, lanes, sequences->length, t, shape->inputs, back->layer);
    }
    if (gradients->timespans != NULL) {
        TILE(scatter)(gradients->timespans, lanes, sequences->length, t, 1, back->span);
    }
}

/* Back through steps first to last - 1, from the state before them. */
static void TILE(back_segment)(const TILE(task) * task, TILE(room) * room, TILE(back) * back, TILE(lanes) lanes,
                               int64_t first, int64_t last, const V *state)
{
    const cfc_shape *const shape = &task->network->shape;
    const int64_t stride = shape->gradients * BLOCKS, step = task->layout.step;
    V *const regions = back->regions;
    TILE(settle)(shape, state, regions);
    for (int64_t t = first; t < last; t++) {
        V *const region = regions + (t - first) * step;
        TILE(advance)(task, room, lanes, t, region, region + step);
    }
    for (int64_t t = last - 1; t >= first; t--) {
        TILE(back_step)(task, room, back, lanes, t, regions + (t - first) * step, back->rows + (t - first) * stride);
    }
    for (int64_t index = 0; index < shape->maps; index++) {
        const cfc_map *const map = &shape->map[index];
        TILE(add_outer_products)
        (map->rows, map->columns + 1, back->rows + map->gradients * BLOCKS, stride, regions + map->x * BLOCKS, step,
         last - first, back->sums + map->sums);
    }
}

/* The backward pass of a tile, as work of ltc_edge_tiles. */
static void TILE(backward_tile)(void *context, int64_t tile, int32_t thread)
{
    (void)thread;
    TILE(task) *const task = context;
    const cfc_shape *const shape = &task->network->shape;
    const ltc_edge_sequences *const sequences = task->sequences;
    const TILE(layout) *const layout = &task->layout;
    const TILE(lanes) lanes = TILE(lanes_of)(sequences->batch, tile);
    TILE(room) room;
    TILE(back) back;
    if (!TILE(new_room)(&room, task)) {
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    if (!TILE(new_back)(&back, task)) {
        free(room.memory);
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    const V *const trace = (const V *)sequences->trace + tile * layout->trace;
    if (task->gradients->last != NULL) {
        TILE(gather)(task->gradients->last, lanes, 1, 0, shape->units, back.state);
    }
    for (int64_t last = sequences->length; last > 0;) {
        const int64_t segment = (last - 1) / TILE(SEGMENT), first = segment * TILE(SEGMENT);
        TILE(back_segment)(task, &room, &back, lanes, first, last, trace + segment * layout->state);
        last = first;
    }
    if (task->gradients->state != NULL) {
        TILE(scatter)(task->gradients->state, lanes, 1, 0, shape->units, back.state);
    }
    REAL *const parts = task->parts + tile * task->sums;
    for (int64_t i = 0; i < task->sums; i++) {
        parts[i] = NAME(sum)(back.sums[i]);
    }
    free(back.memory);
    free(room.memory);
}
