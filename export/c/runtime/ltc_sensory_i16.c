#include "ltc_synapse_kernel_i16.h"

void ltc_sensory_i16(const ltc_synapses_i16 *synapses, const int16_t *input, const int32_t *n_bias,
                     const int32_t *d_bias, ltc_drive_i16 *drive)
{
    const ltc_synapse_i16 *synapse = synapses->synapse;
    const uint32_t targets = synapses->targets;
    for (uint32_t i = 0U; i < targets; ++i) {
        const ltc_synapse_i16 *const end = &synapse[synapses->count[i]];
        int32_t n = n_bias[i];
        int32_t d = d_bias[i];
        ltc_add_synapses_i16(synapse, end, input, synapses->table, &n, &d, synapses->shift, 1U);
        drive[i].n = n;
        drive[i].d = d;
        synapse = end;
    }
}
