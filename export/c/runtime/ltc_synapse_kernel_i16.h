/* ltc_synapse_kernel_i16.h: synapses and sub-steps, once for the functions that need them. */
#ifndef LTC_SYNAPSE_KERNEL_I16_H
#define LTC_SYNAPSE_KERNEL_I16_H

#include "ltc_i16.h"
#include "ltc_i16_arithmetic.h"

/* The two sums of a neuron. */
typedef struct {
    int32_t n;
    int32_t d;
} ltc_sums_i16;

static inline int32_t ltc_activation_i16(const ltc_synapse_i16 *synapse, const int16_t *input,
                                         const int32_t *table, uint32_t shift, uint32_t clamped)
{
    const int32_t place = (int32_t)synapse->slope * input[synapse->source] + synapse->offset;
    if (clamped != 0U) {
        return ltc_read_i16(table, place >> shift);
    }
    return ltc_lookup_i16(table, (uint32_t)place >> (LTC_PART_BITS_I16 + LTC_PROVED_SHIFT_I16),
                          ((uint32_t)place >> LTC_PROVED_SHIFT_I16) & 0x7FFFU);
}

/* Add the synapses up to end to the sums. */
static inline ltc_sums_i16 ltc_walk_i16(const ltc_synapse_i16 *synapse, const ltc_synapse_i16 *end,
                                        const int16_t *input, const int32_t *table, uint32_t shift,
                                        ltc_sums_i16 sums, uint32_t clamped)
{
    while (synapse != end) {
        const int32_t s = ltc_activation_i16(synapse, input, table, shift, clamped);
        const int32_t weights = synapse->weights;
        sums.n += (int32_t)(int16_t)s * (int16_t)weights;
        sums.d += (int32_t)(int16_t)s * (int16_t)(weights >> 16);
        ++synapse;
    }
    return sums;
}

/*
 * Of a neuron that no synapse of the list ends in, neither the potential that it is drawn to nor how far a
 * sub-step moves it depend on the state: they take the places of its sums, and its sub-steps need no
 * division.
 */
static inline void ltc_prepare_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, int32_t *n_in,
                                   int32_t *d_in)
{
    const uint32_t targets = synapses->targets;
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = 0U; i < targets; ++i) {
        if (synapses->count[i] == 0U) {
            const int32_t m = moved[i];
            const int32_t n = ltc_code_i16(n_in[i] >> bits);
            const int32_t d = ltc_clamp_i32(d_in[i] >> bits, 1, 32767);
            n_in[i] = ltc_ratio_i16(n * LTC_ONE_I16, d * LTC_ONE_I16);
            d_in[i] = ltc_ratio_i16(m * d, (LTC_ONE_I16 - m) * LTC_ONE_I16 + m * d);
        }
    }
}

static inline void ltc_one_substep_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                       const int32_t *n_in, const int32_t *d_in, const int16_t *now,
                                       int16_t *next, uint32_t clamped)
{
    const ltc_synapse_i16 *synapse = synapses->synapse;
    const uint32_t targets = synapses->targets;
    const uint32_t bits = synapses->weight_bits;
    for (uint32_t i = 0U; i < targets; ++i) {
        const uint32_t count = synapses->count[i];
        const int32_t x = now[i];
        ltc_sums_i16 sums = { n_in[i], d_in[i] };
        if (count == 0U) {
            next[i] = (int16_t)(x + ltc_scaled_i32(sums.d * (sums.n - x), 15U));
        } else {
            const ltc_synapse_i16 *const end = &synapse[count];
            sums = ltc_walk_i16(synapse, end, now, synapses->table, synapses->shift, sums, clamped);
            synapse = end;
            const int32_t m = moved[i];
            const int32_t kept = LTC_ONE_I16 - m;
            const int32_t n = ltc_code_i16(sums.n >> bits);
            const int32_t d = ltc_clamp_i32(sums.d >> bits, 0, 32767);
            next[i] = (int16_t)ltc_ratio_i16(kept * x + m * n, kept * LTC_ONE_I16 + m * d);
        }
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
