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
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = synapses->listening; i < targets; ++i) {
        const int32_t m = moved[i];
        const int32_t n = ltc_code_i16(drive[i].n >> bits);
        const int32_t d = ltc_maximum_i32(ltc_share_i16(drive[i].d >> bits), 1);
        drive[i].n = ltc_ratio_i16(n * LTC_ONE_I16, d * LTC_ONE_I16);
        drive[i].d = ltc_share_of_i16(m * d, (LTC_ONE_I16 - m) * LTC_ONE_I16 + m * d);
    }
}

/* One of the functions that do a sub-step of the neurons that listen. */
typedef void ltc_listener_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                              const ltc_drive_i16 *drive, const int16_t *now, int16_t *next);

static inline void ltc_run_substeps_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                        ltc_drive_i16 *drive, const int16_t *state, int16_t *result,
                                        uint32_t unfolds, ltc_listener_i16 *listen)
{
    const uint32_t targets = synapses->targets;
    int16_t *const spare = result + targets;
    const int16_t *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    int16_t *next = ((unfolds & 1U) != 0U) ? result : spare;
    ltc_prepare_i16(synapses, moved, drive);
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        listen(synapses, moved, drive, now, next);
        for (uint32_t i = synapses->listening; i < targets; ++i) {
            const int32_t x = now[i];
            next[i] = (int16_t)(x + ltc_scaled_i32(drive[i].d * (drive[i].n - x), 15U));
        }
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
