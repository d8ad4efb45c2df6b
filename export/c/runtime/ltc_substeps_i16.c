#include "ltc_substep_kernel_i16.h"

void ltc_substeps_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, ltc_drive_i16 *drive,
                      const int16_t *state, int16_t *result, uint32_t unfolds)
{
    ltc_run_substeps_i16(synapses, moved, drive, state, result, unfolds, ltc_listen_i16);
}
