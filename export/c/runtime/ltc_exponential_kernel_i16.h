/* ltc_exponential_kernel_i16.h: the sub-steps of exponential Euler, once for the functions that need them. */
#ifndef LTC_EXPONENTIAL_KERNEL_I16_H
#define LTC_EXPONENTIAL_KERNEL_I16_H

#include "ltc_substep_kernel_i16.h"

/* One of the functions that do a sub-step of the neurons that listen. */
typedef void ltc_decaying_listener_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                       const ltc_decay_i16 *decay, const ltc_drive_i16 *drive,
                                       const int16_t *now, int16_t *next);

static inline void ltc_run_exponential_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                           const ltc_decay_i16 *decay, ltc_drive_i16 *drive,
                                           const int16_t *state, int16_t *result, uint32_t unfolds,
                                           ltc_decaying_listener_i16 *listen)
{
    const uint32_t targets = synapses->targets;
    int16_t *const spare = result + targets;
    const int16_t *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    int16_t *next = ((unfolds & 1U) != 0U) ? result : spare;
    ltc_prepare_i16(synapses, moved, decay, drive);
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        listen(synapses, moved, decay, drive, now, next);
        ltc_follow_i16(synapses->listening, targets, drive, now, next);
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
