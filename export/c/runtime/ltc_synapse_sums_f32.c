#include "ltc_synapse_kernel.h"

void ltc_synapse_sums_f32(const ltc_synapses_f32 *synapses, const float *input, const float *n_in,
                          const float *d_in, float *n, float *d, float *activation)
{
    ltc_walk walk = ltc_walk_start(synapses, input, activation, 1U);
    for (uint32_t i = 0U; i < synapses->targets; ++i) {
        const ltc_sums before = { n_in[i], d_in[i] };
        const ltc_sums after = ltc_walk_on(&walk, input, before, 1U);
        n[i] = after.n;
        d[i] = after.d;
    }
}
