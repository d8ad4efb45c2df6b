/* ltc_substep_kernel_i16.h: the fused solver's sub-steps, once for the functions that need them. */
#ifndef LTC_SUBSTEP_KERNEL_I16_H
#define LTC_SUBSTEP_KERNEL_I16_H

#include "ltc_i16_arithmetic.h"

/*
 * Of a neuron that does not listen, neither the potential that it is drawn to nor how far a sub-step moves
 * it depend on the state: they take the places of its sums, and its sub-steps need no division.
 */
static inline void ltc_prepare_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, int32_t *n_in,
                                   int32_t *d_in)
{
    const uint32_t targets = synapses->targets;
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = synapses->listening; i < targets; ++i) {
        const int32_t m = moved[i];
        const int32_t n = ltc_code_i16(n_in[i] >> bits);
        const int32_t d = ltc_maximum_i32(ltc_share_i16(d_in[i] >> bits), 1);
        n_in[i] = ltc_ratio_i16(n * LTC_ONE_I16, d * LTC_ONE_I16);
        d_in[i] = ltc_ratio_i16(m * d, (LTC_ONE_I16 - m) * LTC_ONE_I16 + m * d);
    }
}

static inline void ltc_one_substep_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                       const int32_t *n_in, const int32_t *d_in, const int16_t *now,
                                       int16_t *next, uint32_t clamped)
{
    ltc_walk_i16 walk = { synapses->synapse, now, synapses->table, 0, 0 };
    const uint32_t targets = synapses->targets;
    const uint32_t listening = synapses->listening;
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = 0U; i < listening; ++i) {
        walk.n = n_in[i];
        walk.d = d_in[i];
        if (clamped != 0U) {
            ltc_walk_on_clamped_i16(&walk, synapses->count[i], synapses->shift);
        } else {
            ltc_walk_on_i16(&walk, synapses->count[i]);
        }
        const int32_t m = moved[i];
        const int32_t kept = LTC_ONE_I16 - m;
        const int32_t n = ltc_code_i16(walk.n >> bits);
        const int32_t d = ltc_share_i16(walk.d >> bits);
        next[i] = (int16_t)ltc_ratio_i16(kept * now[i] + m * n, kept * LTC_ONE_I16 + m * d);
    }
    for (uint32_t i = listening; i < targets; ++i) {
        const int32_t x = now[i];
        next[i] = (int16_t)(x + ltc_scaled_i32(d_in[i] * (n_in[i] - x), 15U));
    }
}

static inline void ltc_run_substeps_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                        int32_t *n_in, int32_t *d_in, const int16_t *state,
                                        int16_t *result, uint32_t unfolds, uint32_t clamped)
{
    int16_t *const spare = result + synapses->targets;
    const int16_t *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    int16_t *next = ((unfolds & 1U) != 0U) ? result : spare;
    ltc_prepare_i16(synapses, moved, n_in, d_in);
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        ltc_one_substep_i16(synapses, moved, n_in, d_in, now, next, clamped);
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
