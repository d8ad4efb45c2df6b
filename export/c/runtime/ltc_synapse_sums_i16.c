#include "ltc_synapse_kernel_i16.h"

void ltc_synapse_sums_i16(const ltc_synapses_i16 *synapses, const int16_t *input, const int32_t *n_in,
                          const int32_t *d_in, int32_t *n, int32_t *d)
{
    const ltc_synapse_i16 *next = synapses->synapse;
    for (uint32_t i = 0U; i < synapses->targets; ++i) {
        ltc_sums_i16 sums = { n_in[i], d_in[i] };
        next = ltc_walk_i16(next, synapses->count[i], synapses, input, &sums);
        n[i] = sums.n;
        d[i] = sums.d;
    }
}
