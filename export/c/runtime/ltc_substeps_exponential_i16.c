#include "ltc_exponential_kernel_i16.h"

void ltc_substeps_exponential_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                  const ltc_decay_i16 *decay, ltc_drive_i16 *drive,
                                  const int16_t *state, int16_t *result, uint32_t unfolds)
{
    ltc_run_exponential_i16(synapses, moved, decay, drive, state, result, unfolds,
                            ltc_listen_exponential_i16);
}
