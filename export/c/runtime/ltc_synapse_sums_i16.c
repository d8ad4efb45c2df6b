#include "ltc_i16.h"

void ltc_synapse_sums_i16(const ltc_synapses_i16 *synapses, const int16_t *input, const int32_t *n_in,
                          const int32_t *d_in, int32_t *n, int32_t *d)
{
    ltc_walk_i16 walk = { synapses->synapse, input, synapses->table, 0, 0 };
    const uint32_t targets = synapses->targets;
    const uint32_t shift = synapses->shift;
    for (uint32_t i = 0U; i < targets; ++i) {
        walk.n = n_in[i];
        walk.d = d_in[i];
        ltc_walk_on_clamped_i16(&walk, synapses->count[i], shift);
        n[i] = walk.n;
        d[i] = walk.d;
    }
}
