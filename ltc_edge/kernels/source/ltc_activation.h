/* ltc_activation.h: the activations of a list of synapses, one after the other. A template, as ltc_tile.h.
 *
 * From a source's state to its activation is a chain of operations, each of which waits for the one before: some
 * fifty cycles, in which a processor could do a hundred others. It does not see far enough ahead to find them. So an
 * activation is made in three stages, and while a loop divides for one synapse, the next one is at its exponential
 * and the one after that at its pre-activation, over the ends of rows too.
 */

typedef struct {
    const NAME(synapse) * next; /* of which the activation is asked for next */
    V second[BLOCKS];
    NAME(quotient) first[BLOCKS];
} TILE(pipeline);

/* The first stage: pre-activations. */
ALWAYS_INLINE void TILE(begin)(const NAME(synapse) * synapse, const V *u, const int bounded, V result[BLOCKS])
{
    const V *const source = u + (int64_t)synapse->source * BLOCKS;
    const REAL slope = synapse->slope, offset = synapse->offset;
    EACH_BLOCK(k)
    {
        const V x = source[k] * slope + offset;
        result[k] = bounded ? x : NAME(exponent)(x);
    }
}

/* Get ready for the first synapse. */
ALWAYS_INLINE void TILE(fill)(const NAME(lists) * lists, const V *u, const int bounded, TILE(pipeline) * pipeline)
{
    pipeline->next = lists->synapse;
    TILE(begin)(pipeline->next, u, bounded, pipeline->second);
    EACH_BLOCK(k) pipeline->first[k] = NAME(logistic_quotient)(NAME(reduce)(pipeline->second[k]));
    TILE(begin)(pipeline->next + 1, u, bounded, pipeline->second);
}

/* The activations of the next synapse, which is returned. */
ALWAYS_INLINE const NAME(synapse) * TILE(activate)(const V *u, const int bounded, TILE(pipeline) * pipeline,
                                                   V activation[BLOCKS])
{
    const NAME(synapse) *const own = pipeline->next;
    EACH_BLOCK(k) activation[k] = pipeline->first[k].numerator / pipeline->first[k].denominator;
    EACH_BLOCK(k) pipeline->first[k] = NAME(logistic_quotient)(NAME(reduce)(pipeline->second[k]));
    TILE(begin)(own + 2, u, bounded, pipeline->second);
    pipeline->next = own + 1;
    return own;
}
