/* ltc_network.h: the parameters as the loops read them. A template over REAL, as vector.h.
 *
 * With e = 2^(slope * v + offset) a synapse's activation is 1 / (1 + e), where slope = -sigma / ln 2 and
 * offset = sigma * mu / ln 2: the base of the exponential is folded into the parameters.
 */

/* What a synapse adds: activation * conductance to its target's denominator, activation * drive to the numerator,
 * with drive = conductance * erev. On the way back `reach` = -ln 2 * conductance * slope is used. */
typedef struct {
    REAL slope, offset, conductance, drive, erev, reach;
    int32_t source, target; /* neurons (or inputs) */
} NAME(synapse);

/* Synapses listed for each of some neurons (or inputs): those from start[row] to start[row + 1] - 1. Two more stand
 * behind the last, from 0 to 0, as loops begin with synapses before they need them. */
typedef struct {
    int32_t *start;
    NAME(synapse) * synapse;
} NAME(lists);

enum { NAME(AHEAD) = 2 };

typedef struct {
    const ltc_edge_circuit *circuit;
    NAME(lists) by_target, by_source, sensory_by_target, sensory_by_source;
    REAL *cm, *gleak, *leak_drive; /* leak_drive = gleak * vleak */
    REAL *output_w, *output_b;
    int32_t driven; /* the neurons from this one on have no synapses onto them */
    int bounded; /* no pre-activation can leave the exponential's range */
} NAME(network);

static REAL NAME(positive)(const ltc_edge_circuit *circuit, REAL x)
{
    if (!circuit->softplus) {
        return x;
    }
    /* As torch has it: beyond 20, softplus(x) = x to the last bit of a float. */
    return x > (REAL)20 ? x : (REAL)log1p(exp((double)x));
}

/* The derivative of `positive`. */
static REAL NAME(positive_slope)(const ltc_edge_circuit *circuit, REAL x)
{
    return circuit->softplus ? (REAL)(1.0 / (1.0 + exp(-(double)x))) : (REAL)1;
}

/* But for its place. */
static NAME(synapse) NAME(synapse_of)(const ltc_edge_circuit *circuit, REAL w, REAL sigma, REAL mu, REAL erev,
                                      REAL scale, REAL shift)
{
    const double log2e = 1.44269504088896340736;
    const REAL conductance = NAME(positive)(circuit, w);
    return (NAME(synapse)){
        .slope = (REAL)(-log2e * (double)sigma * (double)scale),
        .offset = (REAL)(log2e * (double)sigma * ((double)mu - (double)shift)),
        .conductance = conductance,
        .drive = conductance * erev,
        .erev = erev,
        .reach = (REAL)((double)conductance * (double)sigma * (double)scale),
    };
}

/* The same synapses, listed by target; within a target by source. */
static void NAME(transpose)(const NAME(lists) * by_source, int32_t sources, int32_t targets, NAME(lists) * by_target)
{
    const int32_t synapses = by_source->start[sources];
    for (int32_t s = 0; s < synapses; s++) {
        by_target->start[by_source->synapse[s].target + 1]++;
    }
    for (int32_t i = 0; i < targets; i++) {
        by_target->start[i + 1] += by_target->start[i];
    }
    for (int32_t s = synapses - 1; s >= 0; s--) {
        /* Filled from the end: start[i + 1] falls to where target i begins. */
        const int32_t place = --by_target->start[by_source->synapse[s].target + 1];
        by_target->synapse[place] = by_source->synapse[s];
    }
    for (int32_t i = 0; i < targets; i++) {
        by_target->start[i] = by_target->start[i + 1];
    }
    by_target->start[targets] = synapses;
}

static int NAME(new_lists)(NAME(lists) * lists, int32_t rows, int32_t synapses)
{
    lists->start = calloc((size_t)rows + 1, sizeof *lists->start);
    lists->synapse = calloc((size_t)synapses + NAME(AHEAD), sizeof *lists->synapse);
    return lists->start != NULL && lists->synapse != NULL;
}

static void NAME(free_lists)(NAME(lists) * lists)
{
    free(lists->start);
    free(lists->synapse);
}

static void NAME(free_network)(NAME(network) * network)
{
    NAME(free_lists)(&network->by_target);
    NAME(free_lists)(&network->by_source);
    NAME(free_lists)(&network->sensory_by_target);
    NAME(free_lists)(&network->sensory_by_source);
    free(network->cm);
}

/* The places of synapses whose parameters stand there already. */
static void NAME(list_by_source)(NAME(lists) * lists, const int32_t *source, const int32_t *target, int32_t sources,
                                 int32_t synapses)
{
    for (int32_t s = 0; s < synapses; s++) {
        lists->start[source[s] + 1]++;
        lists->synapse[s].source = source[s];
        lists->synapse[s].target = target[s];
    }
    for (int32_t j = 0; j < sources; j++) {
        lists->start[j + 1] += lists->start[j];
    }
}

/* The larger of two, or NaN where either is: then nothing is bounded. */
static REAL NAME(larger)(REAL x, REAL y)
{
    return x >= y || x != x ? x : y;
}

/* Whether all pre-activations stay within the exponential's range: by theorem 2 of the LTC paper the state stays
 * in the hull of its first value, the leak and the reversal potentials, 0 included. */
static int NAME(is_bounded)(const ltc_edge_circuit *circuit, const NAME(network) * network,
                            const ltc_edge_parameters *parameters, const ltc_edge_sequences *sequences)
{
    if (circuit->solver != LTC_EDGE_FUSED && circuit->solver != LTC_EDGE_EXPONENTIAL) {
        return 0;
    }
    if (sequences->forced != NULL || sequences->gates != NULL) {
        return 0; /* then states come from elsewhere */
    }
    const REAL *const vleak = parameters->vleak, *const erev = parameters->erev;
    const REAL *const sensory_erev = parameters->sensory_erev, *const state = sequences->state;
    REAL reach = 0;
#define REACH(count, array)                                            \
    for (int64_t i = 0; i < (count); i++) {                            \
        const REAL size = (array)[i] < 0 ? -(array)[i] : (array)[i];   \
        reach = NAME(larger)(reach, size);                             \
    }
    REACH(circuit->units, vleak)
    REACH(circuit->synapses, erev)
    REACH(circuit->sensory_synapses, sensory_erev)
    REACH(sequences->batch * circuit->units, state)
    for (int64_t i = 0; i < circuit->units; i++) {
        if (!(network->cm[i] >= 0 && network->gleak[i] >= 0)) {
            return 0;
        }
    }
    for (int64_t s = 0; s < circuit->sensory_synapses; s++) {
        if (!(network->sensory_by_source.synapse[s].conductance >= 0)) {
            return 0;
        }
    }
    REAL most = 0;
    for (int64_t s = 0; s < circuit->synapses; s++) {
        const NAME(synapse) *const own = &network->by_source.synapse[s];
        if (!(own->conductance >= 0)) {
            return 0;
        }
        const REAL size = (own->slope < 0 ? -own->slope : own->slope) * reach +
                          (own->offset < 0 ? -own->offset : own->offset);
        most = NAME(larger)(most, size);
    }
    /* A little room for the rounding of states. */
    return most <= (REAL)(0.999 * (double)LARGEST_EXPONENT);
#undef REACH
}

/* Fill `network`, which is zero; free it with free_network in any case. Returns whether there was memory. */
static int NAME(new_network)(NAME(network) * network, const ltc_edge_circuit *circuit,
                             const ltc_edge_parameters *parameters, const ltc_edge_sequences *sequences)
{
    const int32_t units = circuit->units, inputs = circuit->inputs, outputs = circuit->outputs;
    const int32_t synapses = circuit->synapses, sensory = circuit->sensory_synapses;
    network->circuit = circuit;
    network->cm = calloc((size_t)(3 * (int64_t)units + 2 * (int64_t)outputs), sizeof(REAL));
    if (network->cm == NULL || !NAME(new_lists)(&network->by_source, units, synapses) ||
        !NAME(new_lists)(&network->by_target, units, synapses) ||
        !NAME(new_lists)(&network->sensory_by_source, inputs, sensory) ||
        !NAME(new_lists)(&network->sensory_by_target, units, sensory)) {
        return 0;
    }
    network->gleak = network->cm + units;
    network->leak_drive = network->gleak + units;
    network->output_w = network->leak_drive + units;
    network->output_b = network->output_w + outputs;
    const REAL *const cm = parameters->cm, *const gleak = parameters->gleak, *const vleak = parameters->vleak;
    for (int32_t i = 0; i < units; i++) {
        network->cm[i] = NAME(positive)(circuit, cm[i]);
        network->gleak[i] = NAME(positive)(circuit, gleak[i]);
        network->leak_drive[i] = network->gleak[i] * vleak[i];
    }
    const REAL *const w = parameters->w, *const sigma = parameters->sigma, *const mu = parameters->mu;
    const REAL *const erev = parameters->erev;
    for (int32_t s = 0; s < synapses; s++) {
        network->by_source.synapse[s] = NAME(synapse_of)(circuit, w[s], sigma[s], mu[s], erev[s], 1, 0);
        network->driven = circuit->target[s] < network->driven ? network->driven : circuit->target[s] + 1;
    }
    const REAL *const sensory_w = parameters->sensory_w, *const sensory_sigma = parameters->sensory_sigma;
    const REAL *const sensory_mu = parameters->sensory_mu, *const sensory_erev = parameters->sensory_erev;
    const REAL *const input_w = parameters->input_w, *const input_b = parameters->input_b;
    for (int32_t s = 0; s < sensory; s++) {
        const int32_t j = circuit->sensory_source[s];
        network->sensory_by_source.synapse[s] =
            NAME(synapse_of)(circuit, sensory_w[s], sensory_sigma[s], sensory_mu[s], sensory_erev[s],
                             circuit->affine ? input_w[j] : (REAL)1, circuit->affine ? input_b[j] : (REAL)0);
    }
    NAME(list_by_source)(&network->by_source, circuit->source, circuit->target, units, synapses);
    NAME(list_by_source)
    (&network->sensory_by_source, circuit->sensory_source, circuit->sensory_target, inputs, sensory);
    NAME(transpose)(&network->by_source, units, units, &network->by_target);
    NAME(transpose)(&network->sensory_by_source, inputs, units, &network->sensory_by_target);
    const REAL *const output_w = parameters->output_w, *const output_b = parameters->output_b;
    for (int32_t m = 0; m < outputs; m++) {
        network->output_w[m] = circuit->affine ? output_w[m] : (REAL)1;
        network->output_b[m] = circuit->affine ? output_b[m] : (REAL)0;
    }
    network->bounded = NAME(is_bounded)(circuit, network, parameters, sequences);
    return 1;
}
