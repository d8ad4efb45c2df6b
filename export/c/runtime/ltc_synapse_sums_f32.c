#include "ltc_synapse_kernel.h"

void ltc_synapse_sums_f32(const ltc_synapses_f32 *synapses, const float *input, const float *n_in,
                          const float *d_in, float *n, float *d, float *activation, uint32_t targets)
{
    ltc_walk walk = { synapses->source, synapses->synapse, activation };
    ltc_activate(synapses, input, activation, targets, 1U);
    for (uint32_t i = 0U; i < targets; ++i) {
        n[i] = n_in[i];
        d[i] = d_in[i];
        ltc_add_synapses(&walk, synapses->count[i], input, &n[i], &d[i], 1U);
    }
}
