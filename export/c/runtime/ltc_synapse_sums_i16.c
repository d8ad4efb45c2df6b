#include "ltc_synapse_kernel_i16.h"

void ltc_synapse_sums_i16(const ltc_synapses_i16 *synapses, const int16_t *input, const int32_t *n_in,
                          const int32_t *d_in, int32_t *n, int32_t *d)
{
    const ltc_synapse_i16 *synapse = synapses->synapse;
    const uint32_t targets = synapses->targets;
    for (uint32_t i = 0U; i < targets; ++i) {
        const ltc_synapse_i16 *const end = &synapse[synapses->count[i]];
        const ltc_sums_i16 before = { n_in[i], d_in[i] };
        const ltc_sums_i16 sums =
            ltc_walk_i16(synapse, end, input, synapses->table, synapses->shift, before, 1U);
        synapse = end;
        n[i] = sums.n;
        d[i] = sums.d;
    }
}
