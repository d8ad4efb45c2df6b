/* ltc_substep_kernel_i16.h: the fused solver's sub-steps, once for the functions that need them. */
#ifndef LTC_SUBSTEP_KERNEL_I16_H
#define LTC_SUBSTEP_KERNEL_I16_H

#include "ltc_i16_arithmetic.h"

/*
 * Of a neuron that does not listen, neither the potential that it is drawn to nor how far a sub-step moves
 * it depend on the state. With both known its sub-steps need no division.
 */
static inline void ltc_prepare_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                   ltc_drive_i16 *drive)
{
    const uint32_t targets = synapses->targets;
    for (uint32_t i = synapses->listening; i < targets; ++i) {
        const int32_t m = moved[i];
        const int32_t d = ltc_maximum_i32(drive[i].d, 1);
        drive[i].n = (int16_t)ltc_ratio_i16(drive[i].n * LTC_ONE_I16, d * LTC_ONE_I16);
        drive[i].d = (int16_t)ltc_share_of_i16(m * d, (LTC_ONE_I16 - m) * LTC_ONE_I16 + m * d);
    }
}

static inline void ltc_one_substep_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                       const ltc_drive_i16 *drive, const int16_t *now, int16_t *next,
                                       uint32_t clamped)
{
    const uint32_t targets = synapses->targets;
    if (clamped != 0U) {
        ltc_listen_clamped_i16(synapses, moved, drive, now, next);
    } else {
        ltc_listen_i16(synapses, moved, drive, now, next);
    }
    for (uint32_t i = synapses->listening; i < targets; ++i) {
        const int32_t x = now[i];
        next[i] = (int16_t)(x + ltc_scaled_i32(drive[i].d * (drive[i].n - x), 15U));
    }
}

static inline void ltc_run_substeps_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                        ltc_drive_i16 *drive, const int16_t *state, int16_t *result,
                                        uint32_t unfolds, uint32_t clamped)
{
    int16_t *const spare = result + synapses->targets;
    const int16_t *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    int16_t *next = ((unfolds & 1U) != 0U) ? result : spare;
    ltc_prepare_i16(synapses, moved, drive);
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        ltc_one_substep_i16(synapses, moved, drive, now, next, clamped);
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
