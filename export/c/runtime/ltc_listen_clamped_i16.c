#include "ltc_synapse_kernel_i16.h"

void ltc_listen_clamped_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                            const ltc_drive_i16 *drive, const int16_t *now, int16_t *next)
{
    ltc_listen_to_all_i16(synapses, moved, drive, now, next, 1U);
}
