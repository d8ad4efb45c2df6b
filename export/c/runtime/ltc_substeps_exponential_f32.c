#include "ltc_exponential_kernel.h"

void ltc_substeps_exponential_f32(const ltc_synapses_f32 *synapses, const float *slope, float seconds,
                                  const float *n_in, const float *d_in, const float *state, float *result,
                                  float *activation, uint32_t unfolds)
{
    ltc_run_exponential(synapses, slope, seconds, n_in, d_in, state, result, activation, unfolds, 0U);
}
