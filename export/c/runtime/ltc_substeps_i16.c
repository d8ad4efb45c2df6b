#include "ltc_synapse_kernel_i16.h"

/* Sums as codes: the potential times the conductance, and the conductance. */
static inline ltc_sums_i16 ltc_drive_i16(ltc_sums_i16 sums, uint32_t weight_bits)
{
    const ltc_sums_i16 drive = {
        ltc_saturated_code_i16(ltc_scaled_i32(sums.n, weight_bits)),
        ltc_clamp_i32(ltc_scaled_i32(sums.d, weight_bits), 1, 32767),  /* never 0: it divides */
    };
    return drive;
}

/*
 * Of a neuron that no synapse of the list ends in, neither the potential that it is drawn to nor how far a
 * sub-step moves it depend on the state: they take the places of its sums, and its sub-steps need no
 * division.
 */
static void ltc_prepare_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, int32_t *n_in,
                            int32_t *d_in)
{
    for (uint32_t i = 0U; i < synapses->targets; ++i) {
        if (synapses->count[i] == 0U) {
            const ltc_sums_i16 sums = { n_in[i], d_in[i] };
            const ltc_sums_i16 drive = ltc_drive_i16(sums, synapses->weight_bits);
            const int32_t share = moved[i] * drive.d;
            n_in[i] = ltc_ratio_i16(drive.n * LTC_ONE_I16, drive.d * LTC_ONE_I16);
            d_in[i] = ltc_ratio_i16(share, (LTC_ONE_I16 - moved[i]) * LTC_ONE_I16 + share);
        }
    }
}

static void ltc_one_substep_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, const int32_t *n_in,
                                const int32_t *d_in, const int16_t *now, int16_t *next)
{
    const ltc_synapse_i16 *synapse = synapses->synapse;
    for (uint32_t i = 0U; i < synapses->targets; ++i) {
        const uint32_t count = synapses->count[i];
        const int32_t x = now[i];
        if (count == 0U) {
            next[i] = (int16_t)(x + ltc_scaled_i32(d_in[i] * (n_in[i] - x), 15U));
        } else {
            const int32_t m = moved[i];
            const int32_t kept = LTC_ONE_I16 - m;
            ltc_sums_i16 sums = { n_in[i], d_in[i] };
            synapse = ltc_walk_i16(synapse, count, synapses, now, &sums);
            sums = ltc_drive_i16(sums, synapses->weight_bits);
            next[i] = ltc_ratio_i16(kept * x + m * sums.n, kept * LTC_ONE_I16 + m * sums.d);
        }
    }
}

void ltc_substeps_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, int32_t *n_in, int32_t *d_in,
                      const int16_t *state, int16_t *result, uint32_t unfolds)
{
    int16_t *const spare = result + synapses->targets;
    const int16_t *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    int16_t *next = ((unfolds & 1U) != 0U) ? result : spare;
    ltc_prepare_i16(synapses, moved, n_in, d_in);
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        ltc_one_substep_i16(synapses, moved, n_in, d_in, now, next);
        now = next;
        next = (now == result) ? spare : result;
    }
}
