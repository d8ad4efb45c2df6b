/*
 * ltc_exponential_kernel_i16.h: the sub-steps of exponential Euler, once for the functions that need them.
 *
 * They are those of ltc_substep_kernel_i16.h and ltc_synapse_kernel_i16.h, but for what is kept of a state.
 */
#ifndef LTC_EXPONENTIAL_KERNEL_I16_H
#define LTC_EXPONENTIAL_KERNEL_I16_H

#include "ltc_synapse_kernel_i16.h"

/* What a neuron that conducts d keeps of its state, in 2^-15: as much of its share as its decay leaves. */
static inline int32_t ltc_kept_i16(const ltc_decay_i16 *decay, int32_t pace, int32_t moved, int32_t d)
{
    const int32_t discount = ltc_read_i16(decay->table, (pace * d) >> decay->shift);
    return ltc_part_i16(LTC_ONE_I16 - moved, discount);
}

/* One sub-step of the neurons that listen. */
static inline void ltc_listen_exponentially_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                                const ltc_decay_i16 *decay, const ltc_drive_i16 *drive,
                                                const int16_t *now, int16_t *next, uint32_t clamped)
{
    const ltc_synapse_i16 *synapse = synapses->synapse;
    const uint32_t listening = synapses->listening;
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = 0U; i < listening; ++i) {
        const ltc_synapse_i16 *const end = &synapse[synapses->count[i]];
        int32_t n = drive[i].n;
        int32_t d = drive[i].d;
        ltc_add_synapses_i16(synapse, end, now, synapses->table, &n, &d, synapses->shift, clamped);
        synapse = end;
        n = ltc_code_i16(n >> bits);
        d = ltc_share_i16(d >> bits);
        const int32_t m = moved[i];
        const int32_t kept = ltc_kept_i16(decay, decay->pace[i], m, d);
        next[i] = (int16_t)ltc_ratio_i16(kept * now[i] + m * n, kept * LTC_ONE_I16 + m * d);
    }
}

/* What neurons that do not listen are drawn to, and how far. */
static inline void ltc_prepare_exponential_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                               const ltc_decay_i16 *decay, ltc_drive_i16 *drive)
{
    const uint32_t targets = synapses->targets;
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = synapses->listening; i < targets; ++i) {
        const int32_t m = moved[i];
        const int32_t n = ltc_code_i16(drive[i].n >> bits);
        const int32_t d = ltc_maximum_i32(ltc_share_i16(drive[i].d >> bits), 1);
        const int32_t kept = ltc_kept_i16(decay, decay->pace[i], m, d);
        drive[i].n = ltc_ratio_i16(n * LTC_ONE_I16, d * LTC_ONE_I16);
        drive[i].d = ltc_share_of_i16(m * d, kept * LTC_ONE_I16 + m * d);
    }
}

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
    ltc_prepare_exponential_i16(synapses, moved, decay, drive);
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        listen(synapses, moved, decay, drive, now, next);
        for (uint32_t i = synapses->listening; i < targets; ++i) {
            const int32_t x = now[i];
            next[i] = (int16_t)(x + ltc_scaled_i32(drive[i].d * (drive[i].n - x), 15U));
        }
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
