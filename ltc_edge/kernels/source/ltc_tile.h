/* ltc_tile.h: what a tile of an LTC remembers. A template, as lanes.h.
 *
 * The trace of a step is one region: with a memory its gates, then for each evaluation of the synapses the state u,
 * and what the backward pass needs besides. It begins with the state before the step, so the state after a step
 * begins the next region:
 *
 *     [hidden N, memory N, gates 4N]   with a memory alone
 *     [u N, d N, third N] * evaluations
 *
 *     fused        d = 1 / denominator, third = the state after the last sub-step, where it is not the next u;
 *                  neurons without synapses have one d for all of a step, in its first evaluation
 *     others       d = denominator, third = numerator - denominator * u
 */

/* Keeps a denominator from zero, as in the reference implementation. */
#define EPSILON ((REAL)1e-8)

typedef struct {
    int64_t evaluations; /* a step */
    int64_t arrays;      /* an evaluation: 2 or 3 */
    int64_t stride;      /* vectors from an evaluation to the next */
    int64_t memory;      /* neurons' worth of vectors before the evaluations: 0 or 6 */
    int64_t step;        /* vectors of a region */
    int64_t state;       /* vectors of a state: N, with a memory 2N */
    int64_t tiles;
    int64_t segment; /* steps that are traced at a time */
    int64_t trace;   /* vectors a tile leaves to the backward pass */
    int full;        /* whether that is the trace itself; else states from which to run again */
} TILE(layout);

/* Steps that are computed again at a time: few enough that their trace stays in the cache. Inputs and outputs are
 * read and written for so many steps at a time too, as a step of a sequence is less than a line of the cache. */
enum { TILE(SEGMENT) = 8 };

/* How many steps a segment that begins with step `first` has. */
static int64_t TILE(steps_from)(int64_t length, int64_t first)
{
    const int64_t left = length - first;
    return left < TILE(SEGMENT) ? left : TILE(SEGMENT);
}

/* A number of vectors, rounded up to an odd number of lines of the cache: arrays that lie a power of two apart would
 * share few places of it. */
static int64_t TILE(spread)(int64_t vectors)
{
    const int64_t line = sizeof(V) < 64 ? 64 / (int64_t)sizeof(V) : 1;
    return ((vectors + line - 1) / line | 1) * line;
}

static TILE(layout) TILE(layout_of)(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int full)
{
    const int64_t units = circuit->units, length = sequences->length;
    const int has_memory = sequences->gates != NULL;
    TILE(layout) own = {.full = full};
    own.evaluations = (int64_t)circuit->unfolds * (circuit->solver == LTC_EDGE_RK4 ? 4 : 1);
    own.arrays = circuit->solver == LTC_EDGE_FUSED && !has_memory && sequences->forced == NULL ? 2 : 3;
    own.memory = has_memory ? 6 : 0;
    own.stride = TILE(spread)(own.arrays * units * BLOCKS);
    own.step = own.memory * units * BLOCKS + own.evaluations * own.stride;
    own.state = (has_memory ? 2 : 1) * units * BLOCKS;
    own.tiles = (sequences->batch + WIDTH - 1) / WIDTH;
    own.segment = full || length < TILE(SEGMENT) ? length : TILE(SEGMENT);
    const int64_t segments = own.segment > 0 ? (length + own.segment - 1) / own.segment : 0;
    own.trace = full ? length * own.step + own.state : segments * own.state;
    return own;
}

static int64_t TILE(trace_bytes)(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int full)
{
    const TILE(layout) layout = TILE(layout_of)(circuit, sequences, full);
    return layout.tiles * layout.trace * (int64_t)sizeof(V);
}

/* Everything that a call shares over its tiles. */
typedef struct {
    const NAME(network) * network;
    const ltc_edge_sequences *sequences;
    const ltc_edge_gradients *gradients;
    TILE(layout) layout;
    REAL *parts;    /* sums of each tile for the parameters' gradients */
    int64_t sums;   /* how many of them */
    atomic_int out_of_memory;
} TILE(task);
