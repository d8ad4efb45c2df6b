/* ltc_synapse_kernel_i16.h: a walk over synapses, once for the functions that need it. */
#ifndef LTC_SYNAPSE_KERNEL_I16_H
#define LTC_SYNAPSE_KERNEL_I16_H

#include "ltc_i16.h"
#include "ltc_i16_arithmetic.h"

/* The two sums of a neuron. */
typedef struct {
    int32_t n;
    int32_t d;
} ltc_sums_i16;

/* Add the next count synapses to the sums; returns the synapse after them. */
static inline const ltc_synapse_i16 *ltc_walk_i16(const ltc_synapse_i16 *synapse, uint32_t count,
                                                  const ltc_synapses_i16 *synapses,
                                                  const int16_t *input, ltc_sums_i16 *sums)
{
    const uint16_t *const table = synapses->table;
    const uint32_t shift = synapses->shift;
    int32_t n = sums->n;
    int32_t d = sums->d;
    for (uint32_t left = count; left != 0U; --left) {
        const int32_t u = (int32_t)synapse->slope * input[synapse->source] + synapse->offset;
        const int32_t s = ltc_read_i16(table, u >> shift);
        n += s * synapse->numerator;
        d += s * synapse->denominator;
        ++synapse;
    }
    sums->n = n;
    sums->d = d;
    return synapse;
}

#endif
