/* ltc_forward.h: a tile through the time steps. A template, as ltc_tile.h. */

/* What one step needs besides the state, and room to work. */
typedef struct {
    V *memory; /* what all of the following lies in */
    int64_t segment; /* whose inputs, elapsed times and outputs the next three hold; none is -1 */
    V *all_inputs;   /* SEGMENT * I */
    V *all_spans;    /* SEGMENT */
    V *all_outputs;  /* SEGMENT * M */
    V *inputs; /* I, of this step */
    V *span;   /* 1 */
    V capacity_span[BLOCKS]; /* the span that `capacity` was made for; none is 0 */
    V *numerator, *denominator; /* N each: what does not depend on the state */
    V *capacity;                /* N: fused, cm * unfolds / dt; others, dt / (unfolds * cm) */
    V *gates;                   /* 4N, with a memory */
    V *region;                  /* a step's region and the state after it */
} TILE(step);

static int TILE(new_step)(TILE(step) * step, const TILE(task) * task)
{
    const ltc_edge_circuit *const circuit = task->network->circuit;
    const int64_t units = circuit->units;
    const int64_t gates = task->sequences->gates != NULL ? 4 * units : 0;
    const int64_t small = TILE(SEGMENT) * (circuit->inputs + 1 + circuit->outputs) + 3 * units + gates;
    const int64_t vectors = small * BLOCKS + task->layout.step + task->layout.state;
    step->memory = aligned_alloc(sizeof(V), (size_t)vectors * sizeof(V));
    if (step->memory == NULL) {
        return 0;
    }
    TILE(clear)(step->memory, vectors);
    step->segment = -1;
    TILE(clear)(step->capacity_span, BLOCKS);
    step->all_inputs = step->memory;
    step->all_spans = step->all_inputs + TILE(SEGMENT) * circuit->inputs * BLOCKS;
    step->all_outputs = step->all_spans + TILE(SEGMENT) * BLOCKS;
    step->numerator = step->all_outputs + TILE(SEGMENT) * circuit->outputs * BLOCKS;
    step->denominator = step->numerator + units * BLOCKS;
    step->capacity = step->denominator + units * BLOCKS;
    step->gates = step->capacity + units * BLOCKS;
    step->region = step->gates + gates * BLOCKS;
    for (int64_t i = 0; i < TILE(SEGMENT) * BLOCKS; i++) {
        step->all_spans[i] = NAME(all)(1);
    }
    return 1;
}

/* Add what the synapses onto neuron i carry from `u` to its numerator and denominator. Neurons come in turn. */
ALWAYS_INLINE void TILE(add_synapses)(const NAME(lists) * lists, int64_t i, const V *u, const int bounded,
                                      TILE(pipeline) * pipeline, V numerator[BLOCKS], V denominator[BLOCKS])
{
    const NAME(synapse) *const end = lists->synapse + lists->start[i + 1];
    while (pipeline->next < end) {
        V activation[BLOCKS];
        const NAME(synapse) *const own = TILE(activate)(u, bounded, pipeline, activation);
        EACH_BLOCK(k) numerator[k] += activation[k] * own->drive;
        EACH_BLOCK(k) denominator[k] += activation[k] * own->conductance;
    }
}

/* (1 - exp(-z)) / z and its derivative, also where z is small. */
ALWAYS_INLINE void TILE(relaxation)(V z, V *alpha, V *psi, V *slope)
{
    static const double c[] = {1.0,
                               -1.0 / 2,
                               1.0 / 6,
                               -1.0 / 24,
                               1.0 / 120,
                               -1.0 / 720,
                               1.0 / 5040,
                               -1.0 / 40320,
                               1.0 / 362880,
                               -1.0 / 3628800,
                               1.0 / 39916800,
                               -1.0 / 479001600,
                               1.0 / 6227020800,
                               -1.0 / 87178291200,
                               1.0 / 1307674368000,
                               -1.0 / 20922789888000};
    const int terms = DOUBLE_PRECISION ? 16 : 10;
    const VI small = z < (REAL)0.5;
    V series = NAME(all)((REAL)c[terms - 1]), derivative = NAME(all)((REAL)(c[terms - 1] * (terms - 1)));
    for (int i = terms - 2; i >= 0; i--) {
        series = series * z + (REAL)c[i];
        if (i > 0) {
            derivative = derivative * z + (REAL)(c[i] * i);
        }
    }
    *alpha = NAME(exp2)(NAME(exponent)(z * (REAL)-1.44269504088896340736));
    /* A division by zero is not chosen. */
    const V far = NAME(choose)(small, NAME(all)(1), z);
    *psi = NAME(choose)(small, series, ((REAL)1 - *alpha) / far);
    *slope = NAME(choose)(small, derivative, (*alpha - *psi) / far);
}

/* Read a step's inputs and elapsed time, and make the capacity of it. */
static void TILE(read_step)(const TILE(task) * task, TILE(step) * step, TILE(lanes) lanes, int64_t t)
{
    const NAME(network) *const network = task->network;
    const ltc_edge_circuit *const circuit = network->circuit;
    const ltc_edge_sequences *const sequences = task->sequences;
    const int64_t length = sequences->length, segment = t / TILE(SEGMENT), first = segment * TILE(SEGMENT);
    if (segment != step->segment) {
        const int64_t steps = TILE(steps_from)(length, first);
        TILE(gather_steps)(sequences->inputs, lanes, length, first, steps, circuit->inputs, step->all_inputs);
        if (sequences->timespans != NULL) {
            TILE(gather_steps)(sequences->timespans, lanes, length, first, steps, 1, step->all_spans);
        }
        step->segment = segment;
    }
    step->inputs = step->all_inputs + (t - first) * circuit->inputs * BLOCKS;
    step->span = step->all_spans + (t - first) * BLOCKS;
    if (memcmp(step->capacity_span, step->span, sizeof step->capacity_span) == 0) {
        return;
    }
    TILE(copy)(step->capacity_span, step->span, BLOCKS);
    const REAL unfolds = (REAL)circuit->unfolds;
    const int fused = circuit->solver == LTC_EDGE_FUSED;
    V rate[BLOCKS];
    EACH_BLOCK(k) rate[k] = fused ? unfolds / step->span[k] : step->span[k] / unfolds;
    const V longest = NAME(all)((REAL)1e15);
    for (int64_t i = 0; i < circuit->units; i++) {
        V *const capacity = step->capacity + i * BLOCKS;
        EACH_BLOCK(k) capacity[k] = fused ? rate[k] * network->cm[i] : rate[k] / network->cm[i];
        if (circuit->solver == LTC_EDGE_EXPONENTIAL) {
            /* A state has settled long before that, and an infinity times 0 would be no number. */
            EACH_BLOCK(k) capacity[k] = NAME(at_most)(longest, capacity[k]);
        }
    }
}

/* The leak's and the inputs' share of numerators and denominators. */
static void TILE(drive)(const TILE(task) * task, TILE(step) * step)
{
    const NAME(network) *const network = task->network;
    const NAME(lists) *const lists = &network->sensory_by_target;
    const int32_t solver = network->circuit->solver;
    TILE(pipeline) pipeline;
    TILE(fill)(lists, step->inputs, 0, &pipeline);
    for (int64_t i = 0; i < network->circuit->units; i++) {
        V n[BLOCKS], d[BLOCKS];
        EACH_BLOCK(k) n[k] = NAME(all)(network->leak_drive[i]);
        EACH_BLOCK(k) d[k] = NAME(all)(network->gleak[i]);
        TILE(add_synapses)(lists, i, step->inputs, 0, &pipeline, n, d);
        if (solver == LTC_EDGE_FUSED) {
            EACH_BLOCK(k) d[k] += step->capacity[i * BLOCKS + k] + EPSILON;
        } else if (solver == LTC_EDGE_EXPONENTIAL) {
            EACH_BLOCK(k) d[k] += EPSILON;
        }
        EACH_BLOCK(k) step->numerator[i * BLOCKS + k] = n[k];
        EACH_BLOCK(k) step->denominator[i * BLOCKS + k] = d[k];
    }
}

/* One semi-implicit sub-step: v' = (capacity * u + numerator) / (capacity + denominator). `constant` is the inverse
 * of the denominator where there are no synapses. */
ALWAYS_INLINE void TILE(fused_step)(const NAME(network) * network, const TILE(step) * step, const V *u,
                                    const V *constant, V *inverse, V *next, int64_t stride, const int bounded)
{
    const NAME(lists) *const lists = &network->by_target;
    const int64_t units = network->circuit->units, driven = network->driven;
    TILE(pipeline) pipeline;
    TILE(fill)(lists, u, bounded, &pipeline);
    for (int64_t i = 0; i < driven; i++) {
        V n[BLOCKS], d[BLOCKS];
        __builtin_prefetch(u + 2 * stride + i * BLOCKS, 1);
        __builtin_prefetch(inverse + 2 * stride + i * BLOCKS, 1);
        EACH_BLOCK(k)
        {
            n[k] = step->numerator[i * BLOCKS + k] + step->capacity[i * BLOCKS + k] * u[i * BLOCKS + k];
            d[k] = step->denominator[i * BLOCKS + k];
        }
        TILE(add_synapses)(lists, i, u, bounded, &pipeline, n, d);
        EACH_BLOCK(k)
        {
            const V reciprocal = (REAL)1 / d[k];
            inverse[i * BLOCKS + k] = reciprocal;
            next[i * BLOCKS + k] = n[k] * reciprocal;
        }
    }
    for (int64_t i = driven; i < units; i++) {
        __builtin_prefetch(u + 2 * stride + i * BLOCKS, 1);
        EACH_BLOCK(k)
        {
            const int64_t own = i * BLOCKS + k;
            next[own] = (step->numerator[own] + step->capacity[own] * u[own]) * constant[own];
        }
    }
}

/* All semi-implicit sub-steps of a step, from the state at `slot`. */
ALWAYS_INLINE void TILE(solve_fused)(const TILE(task) * task, const TILE(step) * step, V *slot, const int bounded)
{
    const NAME(network) *const network = task->network;
    const int64_t neurons = network->circuit->units * BLOCKS, stride = task->layout.stride;
    V *const constant = slot + neurons;
    for (int64_t i = network->driven * BLOCKS; i < neurons; i++) {
        constant[i] = (REAL)1 / step->denominator[i];
    }
    for (int32_t l = 0; l < network->circuit->unfolds; l++, slot += stride) {
        TILE(fused_step)(network, step, slot, constant, slot + neurons, slot + stride, stride, bounded);
    }
    if (task->layout.arrays == 3) {
        TILE(copy)(slot - stride + 2 * neurons, slot, neurons);
    }
}

/* Denominator and current numerator - denominator * u of each neuron. */
ALWAYS_INLINE void TILE(currents)(const NAME(network) * network, const TILE(step) * step, const V *u, V *denominator,
                                  V *current, const int bounded)
{
    const NAME(lists) *const lists = &network->by_target;
    TILE(pipeline) pipeline;
    TILE(fill)(lists, u, bounded, &pipeline);
    for (int64_t i = 0; i < network->circuit->units; i++) {
        V n[BLOCKS], d[BLOCKS];
        EACH_BLOCK(k)
        {
            n[k] = step->numerator[i * BLOCKS + k];
            d[k] = step->denominator[i * BLOCKS + k];
        }
        TILE(add_synapses)(lists, i, u, bounded, &pipeline, n, d);
        EACH_BLOCK(k)
        {
            denominator[i * BLOCKS + k] = d[k];
            current[i * BLOCKS + k] = n[k] - d[k] * u[i * BLOCKS + k];
        }
    }
}

static void TILE(exponential_step)(const TILE(step) * step, int64_t units, const V *u, const V *denominator,
                                   const V *current, V *next)
{
    for (int64_t i = 0; i < units * BLOCKS; i++) {
        V alpha, psi, slope;
        TILE(relaxation)(step->capacity[i] * denominator[i], &alpha, &psi, &slope);
        next[i] = u[i] + step->capacity[i] * psi * current[i];
    }
}

/* next = u + factor * capacity * current */
static void TILE(advance)(const TILE(step) * step, int64_t units, const V *u, REAL factor, const V *current, V *next)
{
    for (int64_t i = 0; i < units * BLOCKS; i++) {
        next[i] = u[i] + step->capacity[i] * factor * current[i];
    }
}

/* All sub-steps of a step, from the state at `slot`, which is the first evaluation's u; the state after them is
 * left behind the last evaluation. */
ALWAYS_INLINE void TILE(solve)(const TILE(task) * task, const TILE(step) * step, V *slot, const int bounded)
{
    const NAME(network) *const network = task->network;
    const int64_t units = network->circuit->units, neurons = units * BLOCKS;
    const int64_t stride = task->layout.stride;
    if (network->circuit->solver == LTC_EDGE_FUSED) {
        TILE(solve_fused)(task, step, slot, bounded);
        return;
    }
    for (int32_t l = 0; l < network->circuit->unfolds; l++) {
        V *const u = slot, *const d = u + neurons, *const third = d + neurons, *const next = u + stride;
        switch (network->circuit->solver) {
        case LTC_EDGE_EXPONENTIAL:
            TILE(currents)(network, step, u, d, third, bounded);
            TILE(exponential_step)(step, units, u, d, third, next);
            break;
        case LTC_EDGE_EULER:
            TILE(currents)(network, step, u, d, third, 0);
            TILE(advance)(step, units, u, 1, third, next);
            break;
        default: {
            V *const second = u + stride, *const third_slot = second + stride, *const fourth = third_slot + stride;
            V *const after = fourth + stride, *const k1 = third, *const k2 = second + 2 * neurons;
            V *const k3 = third_slot + 2 * neurons, *const k4 = fourth + 2 * neurons;
            TILE(currents)(network, step, u, d, k1, 0);
            TILE(advance)(step, units, u, (REAL)0.5, k1, second);
            TILE(currents)(network, step, second, second + neurons, k2, 0);
            TILE(advance)(step, units, u, (REAL)0.5, k2, third_slot);
            TILE(currents)(network, step, third_slot, third_slot + neurons, k3, 0);
            TILE(advance)(step, units, u, 1, k3, fourth);
            TILE(currents)(network, step, fourth, fourth + neurons, k4, 0);
            for (int64_t i = 0; i < neurons; i++) {
                const V slope = k1[i] + (k2[i] + k3[i]) * (REAL)2 + k4[i];
                after[i] = u[i] + step->capacity[i] * (REAL)(1.0 / 6) * slope;
            }
            slot = fourth;
            break;
        }
        }
        slot += stride;
    }
}

static void TILE(solve_bounded)(const TILE(task) * task, const TILE(step) * step, V *slot)
{
    TILE(solve)(task, step, slot, 1);
}

static void TILE(solve_any)(const TILE(task) * task, const TILE(step) * step, V *slot)
{
    TILE(solve)(task, step, slot, 0);
}

/* One time step: from the state that begins `region` to the one behind it. */
static void TILE(advance_step)(const TILE(task) * task, TILE(step) * step, TILE(lanes) lanes, int64_t t, V *region)
{
    const ltc_edge_sequences *const sequences = task->sequences;
    const int64_t units = task->network->circuit->units;
    V *const after = region + task->layout.step;
    TILE(read_step)(task, step, lanes, t);
    TILE(drive)(task, step);
    if (sequences->gates != NULL) {
        TILE(remember)(task, step->gates, lanes, t, region);
    }
    (task->network->bounded ? TILE(solve_bounded) : TILE(solve_any))(task, step,
                                                                    region + task->layout.memory * units * BLOCKS);
    if (sequences->forced != NULL) {
        TILE(gather)(sequences->forced, lanes, sequences->length, t, task->layout.state / BLOCKS, after);
    }
}

/* The outputs of a state. */
static void TILE(emit)(const TILE(task) * task, TILE(step) * step, TILE(lanes) lanes, int64_t t, const V *state)
{
    const NAME(network) *const network = task->network;
    const int64_t outputs = network->circuit->outputs, length = task->sequences->length;
    const int64_t first = t / TILE(SEGMENT) * TILE(SEGMENT), steps = TILE(steps_from)(length, first);
    V *const own = step->all_outputs + (t - first) * outputs * BLOCKS;
    for (int64_t m = 0; m < outputs; m++) {
        EACH_BLOCK(k) own[m * BLOCKS + k] = state[m * BLOCKS + k] * network->output_w[m] + network->output_b[m];
    }
    if (t + 1 == first + steps) {
        TILE(scatter_steps)(task->sequences->outputs, lanes, length, first, steps, outputs, step->all_outputs);
    }
}

/* The forward pass of a tile, as work of ltc_edge_tiles. */
static void TILE(forward_tile)(void *context, int64_t tile, int32_t thread)
{
    (void)thread;
    TILE(task) *const task = context;
    const ltc_edge_sequences *const sequences = task->sequences;
    const TILE(layout) *const layout = &task->layout;
    const TILE(lanes) lanes = TILE(lanes_of)(sequences->batch, tile);
    TILE(step) step;
    if (!TILE(new_step)(&step, task)) {
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    V *const trace = sequences->trace == NULL ? NULL : (V *)sequences->trace + tile * layout->trace;
    const int full = trace != NULL && layout->full;
    V *region = full ? trace : step.region;
    if (full) {
        TILE(clear)(region, layout->state); /* idle lanes */
    }
    TILE(gather)(sequences->state, lanes, 1, 0, layout->state / BLOCKS, region);
    for (int64_t t = 0; t < sequences->length; t++) {
        if (trace != NULL && !full && t % layout->segment == 0) {
            TILE(copy)(trace + t / layout->segment * layout->state, region, layout->state);
        }
        V *const after = region + layout->step;
        if (full && sequences->forced != NULL) {
            TILE(clear)(after, layout->state);
        }
        TILE(advance_step)(task, &step, lanes, t, region);
        TILE(emit)(task, &step, lanes, t, after);
        if (full) {
            region = after;
        } else {
            TILE(copy)(region, after, layout->state);
        }
    }
    TILE(scatter)(sequences->last, lanes, 1, 0, layout->state / BLOCKS, region);
    free(step.memory);
}
