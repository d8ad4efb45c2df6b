/* ltc_activation.h: the activations of a list of synapses, one after the other. A template, as ltc_tile.h.
 *
 * From a source's state to its activation is a chain of operations, each of which waits for the one before: some
 * fifty cycles, in which a processor could do a hundred others. It does not see far enough ahead to find them. So an
 * activation is made in three stages, and while a loop divides for one synapse, the next one is at its exponential
 * and the one after that at its pre-activation, over the ends of rows too.
 */

typedef struct {
    V second[BLOCKS];
    NAME(quotient) first[BLOCKS];
} TILE(pipeline);

/* The first stage: pre-activations. */
ALWAYS_INLINE void TILE(begin)(const NAME(lists) * lists, int64_t s, const V *u, const int bounded,
                               V result[BLOCKS])
{
    const V *const source = u + (int64_t)lists->source[s] * BLOCKS;
    const REAL slope = lists->synapse[s].slope, offset = lists->synapse[s].offset;
    EACH_BLOCK(k)
    {
        const V x = source[k] * slope + offset;
        result[k] = bounded ? x : NAME(exponent)(x);
    }
}

/* Get ready for the first synapse. */
ALWAYS_INLINE void TILE(fill)(const NAME(lists) * lists, const V *u, const int bounded, TILE(pipeline) * pipeline)
{
    TILE(begin)(lists, 0, u, bounded, pipeline->second);
    EACH_BLOCK(k) pipeline->first[k] = NAME(logistic_quotient)(NAME(reduce)(pipeline->second[k]));
    TILE(begin)(lists, 1, u, bounded, pipeline->second);
}

/* The activations of synapse s; they are asked for from the first synapse to the last. */
ALWAYS_INLINE void TILE(activate)(const NAME(lists) * lists, int64_t s, const V *u, const int bounded,
                                  TILE(pipeline) * pipeline, V activation[BLOCKS])
{
    EACH_BLOCK(k) activation[k] = pipeline->first[k].numerator / pipeline->first[k].denominator;
    EACH_BLOCK(k) pipeline->first[k] = NAME(logistic_quotient)(NAME(reduce)(pipeline->second[k]));
    TILE(begin)(lists, s + 2, u, bounded, pipeline->second);
}
