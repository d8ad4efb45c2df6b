/* ltc_backward.h: back-propagation through a tile. A template, as ltc_tile.h.
 *
 * With g the gradient of a sub-step's result, N and D its numerator and denominator without the capacity's share:
 *
 *     fused         dN = g / (D + c),  dD = -dN v',           du = c dN,       dc = dN (u - v')
 *     exponential   dN = g phi,        dD = g (I phi' - phi u),  du = g alpha,  dk = g I alpha
 *     euler, rk4    dN = g k,          dD = -dN u,             du = g - D dN,   dk = g I
 *
 * where c = cm L / dt and k = dt / (L cm) are what the forward pass calls capacity, I = N - D u, alpha = exp(-k D),
 * phi = k psi(k D). Through a synapse from u_j with activation s, its gradient q of the pre-activation is
 * (dN drive + dD conductance) s (1 - s). Activations are computed again: a sigmoid costs less than its memory.
 */

/* Sums over a tile's sequences and steps; each is one vector, whose lanes are added up at the end. */
typedef struct {
    V drive, weight, pre_u, pre; /* of dN s, p s, q u, q */
} TILE(synapse_sums);

typedef struct {
    V drive, leak, capacity; /* of dN, dD, and the gradient of cm (times cm, where the solver is explicit) */
} TILE(neuron_sums);

typedef struct {
    V weight, bias;
} TILE(output_sums);

typedef struct {
    V *memory;
    V *state, *state_next; /* N each: gradients of the state */
    V *cell_memory;        /* N, with an LSTM memory: its gradient */
    V *gates;              /* 4N likewise */
    V *numerator, *denominator;               /* N each: gradients of an evaluation, */
    V *numerator_before, *denominator_before; /* and of the one before */
    V *numerator_sum, *denominator_sum, *capacity_sum; /* N each: over a step's evaluations */
    V *stage, *stage_next;                             /* N each: of a current, and of the next stage's u */
    int64_t segment;                       /* whose gradients the next three hold; none is -1 */
    V *all_inputs, *all_spans, *all_outputs; /* SEGMENT * I, SEGMENT, SEGMENT * M */
    TILE(synapse_sums) * synapse, *sensory;
    TILE(neuron_sums) * neuron;
    TILE(output_sums) * output;
    V *recurrent; /* [4N, N], with a memory */
    V *trace;     /* of a segment, where steps are computed again */
} TILE(back);

static int TILE(new_back)(TILE(back) * back, const TILE(task) * task)
{
    const ltc_edge_circuit *const circuit = task->network->circuit;
    const TILE(layout) *const layout = &task->layout;
    const int64_t units = circuit->units, neurons = units * BLOCKS;
    const int64_t memory = task->sequences->gates != NULL;
    const int64_t tile_vectors = (11 + memory * 5) * neurons +
                                 TILE(SEGMENT) * (circuit->inputs + 1 + circuit->outputs) * BLOCKS;
    const int64_t sum_vectors = 4 * ((int64_t)circuit->synapses + circuit->sensory_synapses) + 3 * units +
                                2 * circuit->outputs + memory * 4 * units * units;
    const int64_t trace_vectors = layout->full ? 0 : layout->segment * layout->step + layout->state;
    const int64_t vectors = tile_vectors + sum_vectors + trace_vectors;
    back->memory = aligned_alloc(sizeof(V), (size_t)vectors * sizeof(V));
    if (back->memory == NULL) {
        return 0;
    }
    TILE(clear)(back->memory, vectors);
    back->segment = -1;
    V *next = back->memory;
#define TAKE(member, count)  \
    back->member = (void *)next; \
    next += (count)
    TAKE(synapse, 4 * (int64_t)circuit->synapses);
    TAKE(sensory, 4 * (int64_t)circuit->sensory_synapses);
    TAKE(neuron, 3 * units);
    TAKE(output, 2 * (int64_t)circuit->outputs);
    TAKE(recurrent, memory * 4 * units * units);
    TAKE(state, neurons);
    TAKE(state_next, neurons);
    TAKE(numerator, neurons);
    TAKE(denominator, neurons);
    TAKE(numerator_before, neurons);
    TAKE(denominator_before, neurons);
    TAKE(numerator_sum, neurons);
    TAKE(denominator_sum, neurons);
    TAKE(capacity_sum, neurons);
    TAKE(stage, neurons);
    TAKE(stage_next, neurons);
    TAKE(cell_memory, memory * neurons);
    TAKE(gates, memory * 4 * neurons);
    TAKE(all_inputs, TILE(SEGMENT) * circuit->inputs * BLOCKS);
    TAKE(all_spans, TILE(SEGMENT) * BLOCKS);
    TAKE(all_outputs, TILE(SEGMENT) * circuit->outputs * BLOCKS);
    TAKE(trace, trace_vectors);
#undef TAKE
    return 1;
}

/* Through the synapses of source j, in state `u`, with dN and dD of their targets: add to `gradient`, of u, and to
 * their sums. */
ALWAYS_INLINE void TILE(back_row)(const NAME(lists) * lists, int64_t j, const V *u, const V *numerator,
                                  const V *denominator, TILE(synapse_sums) * sums, const int bounded,
                                  TILE(pipeline) * pipeline, const V state[BLOCKS], V gradient[BLOCKS])
{
    const int32_t end = lists->start[j + 1];
    for (int32_t s = lists->start[j]; s < end; s++) {
        const int64_t target = (int64_t)lists->target[s] * BLOCKS;
        const REAL erev = lists->synapse[s].erev, reach = lists->synapse[s].reach;
        V activation[BLOCKS], q[BLOCKS];
        TILE(activate)(lists, s, u, bounded, pipeline, activation);
        EACH_BLOCK(k) q[k] = (numerator[target + k] * erev + denominator[target + k]) * activation[k];
        TILE(synapse_sums) sum = sums[s];
        EACH_BLOCK(k) sum.drive += numerator[target + k] * activation[k];
        EACH_BLOCK(k) sum.weight += q[k];
        EACH_BLOCK(k) q[k] -= q[k] * activation[k];
        EACH_BLOCK(k) gradient[k] += q[k] * reach;
        EACH_BLOCK(k) sum.pre_u += q[k] * state[k];
        EACH_BLOCK(k) sum.pre += q[k];
        sums[s] = sum;
    }
}

/* Through one evaluation of the synapses at `u`. */
ALWAYS_INLINE void TILE(back_synapses)(const NAME(lists) * lists, int64_t rows, const V *u, const V *numerator,
                                       const V *denominator, TILE(synapse_sums) * sums, V *gradient,
                                       const int bounded)
{
    TILE(pipeline) pipeline;
    TILE(fill)(lists, u, bounded, &pipeline);
    for (int64_t j = 0; j < rows; j++) {
        V state[BLOCKS], total[BLOCKS];
        EACH_BLOCK(k) state[k] = u[j * BLOCKS + k];
        EACH_BLOCK(k) total[k] = gradient[j * BLOCKS + k];
        TILE(back_row)(lists, j, u, numerator, denominator, sums, bounded, &pipeline, state, total);
        EACH_BLOCK(k) gradient[j * BLOCKS + k] = total[k];
    }
}

/* The same for the synapses among neurons, with what stands in `back`. */
ALWAYS_INLINE void TILE(back_neurons)(const NAME(network) * network, TILE(back) * back, const V *u, V *gradient,
                                      const int bounded)
{
    TILE(back_synapses)
    (&network->by_source, network->circuit->units, u, back->numerator, back->denominator, back->synapse, gradient,
     bounded);
}

/* Add dN and dD of an evaluation to the step's. */
ALWAYS_INLINE void TILE(add_evaluation)(TILE(back) * back, int64_t i, V n, V d, V capacity)
{
    back->numerator[i] = n;
    back->denominator[i] = d;
    back->numerator_sum[i] += n;
    back->denominator_sum[i] += d;
    back->capacity_sum[i] += capacity;
}

/* A fused sub-step from the state `u` to `after`, with room for the gradients of its numerators and denominators. */
typedef struct {
    const V *u, *after;
    V *numerator, *denominator;
} TILE(sub_step);

/* Of neuron j, from the gradient g of the state after the sub-step. */
ALWAYS_INLINE void TILE(back_quotient)(const TILE(sub_step) * own, int64_t j, const V g[BLOCKS], const V *inverse,
                                       const V after[BLOCKS])
{
    V n[BLOCKS];
    EACH_BLOCK(k) n[k] = g[k] * inverse[j * BLOCKS + k];
    EACH_BLOCK(k) own->numerator[j * BLOCKS + k] = n[k];
    EACH_BLOCK(k) own->denominator[j * BLOCKS + k] = -n[k] * after[k];
}

/* Back through a fused sub-step to the quotients of the one before, if there is one. */
ALWAYS_INLINE void TILE(back_sub_step)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                       const TILE(sub_step) * own, const TILE(sub_step) * before, const V *constant,
                                       const int bounded)
{
    const NAME(network) *const network = task->network;
    const NAME(lists) *const lists = &network->by_source;
    const int64_t units = network->circuit->units, driven = network->driven, stride = task->layout.stride;
    const V *const inverse = own->u - stride + units * BLOCKS;
    TILE(pipeline) pipeline;
    TILE(fill)(lists, own->u, bounded, &pipeline);
    for (int64_t j = 0; j < units; j++) {
        /* From memory that is long out of the cache. */
        __builtin_prefetch(own->u - 2 * stride + j * BLOCKS);
        __builtin_prefetch((j < driven ? inverse - stride : constant - task->layout.step) + j * BLOCKS);
        V state[BLOCKS], g[BLOCKS];
        EACH_BLOCK(k)
        {
            const int64_t i = j * BLOCKS + k;
            const V n = own->numerator[i], after = own->after[i];
            state[k] = own->u[i];
            g[k] = n * step->capacity[i];
            back->numerator_sum[i] += n;
            back->denominator_sum[i] -= n * after;
            back->capacity_sum[i] += n * (state[k] - after);
        }
        TILE(back_row)
        (lists, j, own->u, own->numerator, own->denominator, back->synapse, bounded, &pipeline, state, g);
        if (before != NULL) {
            TILE(back_quotient)(before, j, g, j < driven ? inverse : constant, state);
        } else {
            EACH_BLOCK(k) back->state[j * BLOCKS + k] = g[k];
        }
    }
}

/* All fused sub-steps of a step: back->state is the gradient of the state after them and becomes that of the state
 * before. A neuron goes on to the sub-step before as soon as its gradient is complete. */
ALWAYS_INLINE void TILE(back_fused)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                    const V *slots, const int bounded)
{
    const int64_t units = task->network->circuit->units, neurons = units * BLOCKS, stride = task->layout.stride;
    const int64_t last = task->network->circuit->unfolds - 1;
    const V *const constant = slots + neurons, *const u = slots + last * stride;
    TILE(sub_step) own = {u, u + (task->layout.arrays == 3 ? 2 * neurons : stride), back->numerator,
                          back->denominator};
    TILE(sub_step) before = {u - stride, u, back->numerator_before, back->denominator_before};
    for (int64_t j = 0; j < units; j++) {
        TILE(back_quotient)
        (&own, j, back->state + j * BLOCKS, j < task->network->driven ? u + neurons : constant,
         own.after + j * BLOCKS);
    }
    for (int64_t l = last; l > 0; l--) {
        TILE(back_sub_step)(task, step, back, &own, &before, constant, bounded);
        const TILE(sub_step) done = own;
        own = before;
        before = (TILE(sub_step)){own.u - stride, own.u, done.numerator, done.denominator};
    }
    TILE(back_sub_step)(task, step, back, &own, NULL, constant, bounded);
}

/* Each of the following turns the gradient `g` of a sub-step's result into `du`, that of its u. */
ALWAYS_INLINE void TILE(back_exponential)(const NAME(network) * network, const TILE(step) * step, TILE(back) * back,
                                          const V *u, const V *g, V *du, const int bounded)
{
    const int64_t neurons = network->circuit->units * BLOCKS;
    const V *const denominator = u + neurons, *const current = denominator + neurons;
    for (int64_t i = 0; i < neurons; i++) {
        V alpha, psi, slope;
        const V k = step->capacity[i];
        TILE(relaxation)(k * denominator[i], &alpha, &psi, &slope);
        const V phi = k * psi;
        TILE(add_evaluation)
        (back, i, g[i] * phi, g[i] * (current[i] * k * k * slope - phi * u[i]), g[i] * current[i] * alpha);
        du[i] = g[i] * alpha;
    }
    TILE(back_neurons)(network, back, u, du, bounded);
}

/* The current I at u, with gradient g: adds to du. */
static void TILE(back_current)(const NAME(network) * network, TILE(back) * back, const V *u, const V *g, V *du)
{
    const int64_t neurons = network->circuit->units * BLOCKS;
    const V *const denominator = u + neurons;
    for (int64_t i = 0; i < neurons; i++) {
        TILE(add_evaluation)(back, i, g[i], -g[i] * u[i], (V){0});
        du[i] -= g[i] * denominator[i];
    }
    TILE(back_neurons)(network, back, u, du, 0);
}

/* next = u + factor * capacity * I, with gradient g: adds to the gradient of I and of the capacity. */
static void TILE(back_advance)(const TILE(step) * step, TILE(back) * back, int64_t neurons, REAL factor, const V *g,
                               const V *current, V *to)
{
    for (int64_t i = 0; i < neurons; i++) {
        to[i] += g[i] * step->capacity[i] * factor;
        back->capacity_sum[i] += g[i] * current[i] * factor;
    }
}

static void TILE(back_euler)(const NAME(network) * network, const TILE(step) * step, TILE(back) * back, const V *u,
                             const V *g, V *du)
{
    const int64_t neurons = network->circuit->units * BLOCKS;
    TILE(clear)(back->stage, neurons);
    TILE(back_advance)(step, back, neurons, 1, g, u + 2 * neurons, back->stage);
    TILE(copy)(du, g, neurons);
    TILE(back_current)(network, back, u, back->stage, du);
}

/* The classical method, its four evaluations from the last to the first. */
static void TILE(back_rk4)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, const V *u, const V *g,
                           V *du)
{
    static const REAL weight[] = {(REAL)(1.0 / 6), (REAL)(1.0 / 3), (REAL)(1.0 / 3), (REAL)(1.0 / 6)};
    static const REAL reach[] = {(REAL)0.5, (REAL)0.5, 1}; /* of the stage after, along this one's current */
    const NAME(network) *const network = task->network;
    const int64_t neurons = network->circuit->units * BLOCKS, stride = task->layout.stride;
    TILE(copy)(du, g, neurons);
    for (int stage = 3; stage >= 0; stage--) {
        const V *const own = u + stage * stride, *const current = own + 2 * neurons;
        TILE(clear)(back->stage, neurons);
        TILE(back_advance)(step, back, neurons, weight[stage], g, current, back->stage);
        if (stage < 3) {
            TILE(back_advance)(step, back, neurons, reach[stage], back->stage_next, current, back->stage);
        }
        TILE(clear)(back->stage_next, neurons);
        TILE(back_current)(network, back, own, back->stage, back->stage_next);
        for (int64_t i = 0; i < neurons; i++) {
            du[i] += back->stage_next[i];
        }
    }
}

/* All sub-steps of a step, from the last to the first: back->state is the gradient of the state after them and
 * becomes that of the state before. */
ALWAYS_INLINE void TILE(back_solve)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, const V *slots,
                                    const int bounded)
{
    const NAME(network) *const network = task->network;
    const int64_t neurons = network->circuit->units * BLOCKS, stride = task->layout.stride;
    const int64_t stages = network->circuit->solver == LTC_EDGE_RK4 ? 4 : 1;
    TILE(clear)(back->numerator_sum, neurons);
    TILE(clear)(back->denominator_sum, neurons);
    TILE(clear)(back->capacity_sum, neurons);
    if (network->circuit->solver == LTC_EDGE_FUSED) {
        TILE(back_fused)(task, step, back, slots, bounded);
        return;
    }
    for (int64_t l = network->circuit->unfolds - 1; l >= 0; l--) {
        const V *const u = slots + l * stages * stride, *const g = back->state;
        V *const du = back->state_next;
        switch (network->circuit->solver) {
        case LTC_EDGE_EXPONENTIAL:
            TILE(back_exponential)(network, step, back, u, g, du, bounded);
            break;
        case LTC_EDGE_EULER:
            TILE(back_euler)(network, step, back, u, g, du);
            break;
        default:
            TILE(back_rk4)(task, step, back, u, g, du);
            break;
        }
        back->state_next = back->state;
        back->state = du;
    }
}

static void TILE(back_solve_bounded)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                     const V *slots)
{
    TILE(back_solve)(task, step, back, slots, 1);
}

static void TILE(back_solve_any)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, const V *slots)
{
    TILE(back_solve)(task, step, back, slots, 0);
}

/* Add the outputs' gradient at step t to the state's. */
static void TILE(back_outputs)(const TILE(task) * task, TILE(back) * back, TILE(lanes) lanes, int64_t t,
                               const V *state)
{
    const NAME(network) *const network = task->network;
    const int64_t outputs = network->circuit->outputs;
    const int64_t length = task->sequences->length, segment = t / TILE(SEGMENT), first = segment * TILE(SEGMENT);
    if (task->gradients->outputs == NULL) {
        return;
    }
    if (segment != back->segment) {
        TILE(gather_steps)
        (task->gradients->outputs, lanes, length, first, TILE(steps_from)(length, first), outputs, back->all_outputs);
        back->segment = segment;
    }
    const V *const own = back->all_outputs + (t - first) * outputs * BLOCKS;
    for (int64_t m = 0; m < outputs; m++) {
        EACH_BLOCK(k)
        {
            const V g = own[m * BLOCKS + k];
            back->state[m * BLOCKS + k] += g * network->output_w[m];
            back->output[m].weight += g * state[m * BLOCKS + k];
            back->output[m].bias += g;
        }
    }
}

/* From the sums over a step's evaluations to the inputs, the elapsed time, and the neurons' parameters. */
static void TILE(back_drive)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, TILE(lanes) lanes,
                             int64_t t)
{
    const NAME(network) *const network = task->network;
    const ltc_edge_circuit *const circuit = network->circuit;
    const ltc_edge_gradients *const gradients = task->gradients;
    const int64_t length = task->sequences->length, first = t / TILE(SEGMENT) * TILE(SEGMENT);
    const int fused = circuit->solver == LTC_EDGE_FUSED;
    V *const inputs = back->all_inputs + (t - first) * circuit->inputs * BLOCKS;
    V *const span = back->all_spans + (t - first) * BLOCKS;
    V rate[BLOCKS];
    EACH_BLOCK(k) rate[k] = (REAL)circuit->unfolds / step->span[k];
    TILE(clear)(span, BLOCKS);
    for (int64_t i = 0; i < circuit->units; i++) {
        TILE(neuron_sums) *const sums = &back->neuron[i];
        EACH_BLOCK(k)
        {
            const int64_t own = i * BLOCKS + k;
            const V gradient = back->capacity_sum[own], relative = gradient * step->capacity[own];
            sums->drive += back->numerator_sum[own];
            sums->leak += back->denominator_sum[own];
            /* The capacity is cm L / dt, with cm perhaps 0, or dt / (L cm). */
            sums->capacity += fused ? gradient * rate[k] : -relative;
            span[k] += fused ? -relative : relative;
        }
    }
    EACH_BLOCK(k) span[k] /= step->span[k];
    TILE(clear)(inputs, circuit->inputs * BLOCKS);
    TILE(back_synapses)
    (&network->sensory_by_source, circuit->inputs, step->inputs, back->numerator_sum, back->denominator_sum,
     back->sensory, inputs, 0);
    if (t == first && gradients->inputs != NULL) {
        TILE(scatter_steps)
        (gradients->inputs, lanes, length, first, TILE(steps_from)(length, first), circuit->inputs, back->all_inputs);
    }
    if (t == first && gradients->timespans != NULL) {
        TILE(scatter_steps)
        (gradients->timespans, lanes, length, first, TILE(steps_from)(length, first), 1, back->all_spans);
    }
}

/* Back through steps first to last - 1, whose regions begin at `trace`. */
static void TILE(back_steps)(const TILE(task) * task, TILE(step) * step, TILE(back) * back, TILE(lanes) lanes,
                             int64_t first, int64_t last, const V *trace)
{
    const TILE(layout) *const layout = &task->layout;
    const int64_t units = task->network->circuit->units, neurons = units * BLOCKS;
    for (int64_t t = last - 1; t >= first; t--) {
        const V *const region = trace + (t - first) * layout->step;
        TILE(back_outputs)(task, back, lanes, t, region + layout->step);
        TILE(read_step)(task, step, lanes, t);
        (task->network->bounded ? TILE(back_solve_bounded) : TILE(back_solve_any))(task, step, back,
                                                                                  region + layout->memory * neurons);
        TILE(back_drive)(task, step, back, lanes, t);
        if (layout->memory != 0) {
            TILE(remember_back)(task, region, back->state, back->cell_memory, back->gates, back->recurrent);
            if (task->gradients->gates != NULL) {
                TILE(scatter)(task->gradients->gates, lanes, task->sequences->length, t, 4 * units, back->gates);
            }
        }
    }
}

/* The sums of a tile as numbers, in the order of ltc_edge_parameters. */
static void TILE(write_sums)(const TILE(task) * task, const TILE(back) * back, REAL *parts)
{
    const ltc_edge_circuit *const circuit = task->network->circuit;
    const int64_t vectors = 4 * ((int64_t)circuit->synapses + circuit->sensory_synapses) + 3 * (int64_t)circuit->units +
                            2 * (int64_t)circuit->outputs +
                            (task->layout.memory != 0 ? 4 * (int64_t)circuit->units * circuit->units : 0);
    /* new_back laid them out one behind the other. */
    const V *const sums = (const V *)back->synapse;
    for (int64_t i = 0; i < vectors; i++) {
        parts[i] = NAME(sum)(sums[i]);
    }
}

/* The backward pass of a tile, as work of ltc_edge_tiles. */
static void TILE(backward_tile)(void *context, int64_t tile, int32_t thread)
{
    (void)thread;
    TILE(task) *const task = context;
    const ltc_edge_sequences *const sequences = task->sequences;
    const TILE(layout) *const layout = &task->layout;
    const int64_t length = sequences->length, neurons = task->network->circuit->units * BLOCKS;
    const TILE(lanes) lanes = TILE(lanes_of)(sequences->batch, tile);
    TILE(step) step;
    TILE(back) back;
    if (!TILE(new_step)(&step, task)) {
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    if (!TILE(new_back)(&back, task)) {
        free(step.memory);
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    const V *const trace = (const V *)sequences->trace + tile * layout->trace;
    if (task->gradients->last != NULL) {
        /* The room of stage and stage_next takes neurons and memory one behind the other. */
        TILE(gather)(task->gradients->last, lanes, 1, 0, layout->state / BLOCKS, back.stage);
        TILE(copy)(back.state, back.stage, neurons);
        TILE(copy)(back.cell_memory, back.stage_next, layout->state - neurons);
    }
    for (int64_t last = length; last > 0;) {
        const int64_t first = layout->full ? 0 : (last - 1) / layout->segment * layout->segment;
        const V *regions = trace;
        if (!layout->full) {
            V *region = back.trace;
            TILE(clear)(region, layout->state);
            TILE(copy)(region, trace + first / layout->segment * layout->state, layout->state);
            for (int64_t t = first; t < last; t++, region += layout->step) {
                TILE(advance_step)(task, &step, lanes, t, region);
            }
            regions = back.trace;
        }
        TILE(back_steps)(task, &step, &back, lanes, first, last, regions);
        last = first;
    }
    if (task->gradients->state != NULL) {
        TILE(copy)(back.stage, back.state, neurons);
        TILE(copy)(back.stage_next, back.cell_memory, layout->state - neurons);
        TILE(scatter)(task->gradients->state, lanes, 1, 0, layout->state / BLOCKS, back.stage);
    }
    TILE(write_sums)(task, &back, task->parts + tile * task->sums);
    free(back.memory);
    free(step.memory);
}
