/* ltc_gradients.h: what a tile gathers on its way back, and its synapses' share. A template, as ltc_tile.h.
 *
 * Through a synapse from u_j with activation s, with dN and dD the gradients of its target's numerator and
 * denominator, p = dN erev + dD, and q = p s (1 - s) is the gradient of its pre-activation but for the conductance,
 * which is left out of all sums. Activations are computed again: a sigmoid costs less than its memory.
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
    V *numerator;          /* N, of an evaluation; fused, of each of a step, `stride` apart */
    V *denominator;        /* N, of an evaluation */
    V *denominator_before; /* N, fused: of the evaluation before */
    int64_t stride;
    V *numerator_sum, *denominator_sum, *capacity_sum; /* N each: over a step's evaluations */
    V *stage, *stage_next;                             /* N each: of a current, and of the next stage's u */
    int64_t segment;                                   /* whose gradients the next three hold; none is -1 */
    V *all_inputs, *all_spans, *all_outputs;           /* SEGMENT * I, SEGMENT, SEGMENT * M */
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
    const int64_t evaluations = circuit->solver == LTC_EDGE_FUSED ? circuit->unfolds : 1;
    back->stride = TILE(spread)(neurons);
    const int64_t tile_vectors = evaluations * back->stride + (9 + memory * 5) * neurons +
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
    TAKE(numerator, evaluations * back->stride);
    TAKE(denominator, neurons);
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

/* How far a way back through a list of synapses has come; it goes from the first to the last. */
typedef struct {
    TILE(pipeline) pipeline;
    TILE(synapse_sums) *sums; /* of the next one */
} TILE(way_back);

/* Through the synapses of source j, in state `u`, with dN and dD of their targets: add to `gradient`, of u, and to
 * their sums. */
ALWAYS_INLINE void TILE(back_row)(const NAME(lists) * lists, int64_t j, const V *u, const V *numerator,
                                  const V *denominator, const int bounded, TILE(way_back) * way, V gradient[BLOCKS])
{
    const NAME(synapse) *const end = lists->synapse + lists->start[j + 1];
    const V *const state = u + j * BLOCKS;
    while (way->pipeline.next < end) {
        V activation[BLOCKS], q[BLOCKS];
        const NAME(synapse) *const own = TILE(activate)(u, bounded, &way->pipeline, activation);
        const V *const n = numerator + (int64_t)own->target * BLOCKS;
        const V *const d = denominator + (int64_t)own->target * BLOCKS;
        const REAL erev = own->erev, reach = own->reach;
        EACH_BLOCK(k) q[k] = (n[k] * erev + d[k]) * activation[k];
        TILE(synapse_sums) sum = *way->sums;
        EACH_BLOCK(k) sum.drive += n[k] * activation[k];
        EACH_BLOCK(k) sum.weight += q[k];
        EACH_BLOCK(k) q[k] -= q[k] * activation[k];
        EACH_BLOCK(k) gradient[k] += q[k] * reach;
        EACH_BLOCK(k) sum.pre_u += q[k] * state[k];
        EACH_BLOCK(k) sum.pre += q[k];
        *way->sums++ = sum;
    }
}

/* Through one evaluation of the synapses at `u`. */
ALWAYS_INLINE void TILE(back_synapses)(const NAME(lists) * lists, int64_t rows, const V *u, const V *numerator,
                                       const V *denominator, TILE(synapse_sums) * sums, V *gradient,
                                       const int bounded)
{
    TILE(way_back) way = {.sums = sums};
    TILE(fill)(lists, u, bounded, &way.pipeline);
    for (int64_t j = 0; j < rows; j++) {
        V total[BLOCKS];
        EACH_BLOCK(k) total[k] = gradient[j * BLOCKS + k];
        TILE(back_row)(lists, j, u, numerator, denominator, bounded, &way, total);
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
