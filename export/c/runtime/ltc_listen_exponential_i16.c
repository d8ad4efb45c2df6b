#include "ltc_exponential_kernel_i16.h"

void ltc_listen_exponential_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                const ltc_decay_i16 *decay, const ltc_drive_i16 *drive,
                                const int16_t *now, int16_t *next)
{
    ltc_listen_exponentially_i16(synapses, moved, decay, drive, now, next, 0U);
}
