/* ltc_exponential_kernel.h: sub-steps of exponential Euler, once for the functions that need them. */
#ifndef LTC_EXPONENTIAL_KERNEL_H
#define LTC_EXPONENTIAL_KERNEL_H

#include "ltc_synapse_kernel.h"

/*
 * v' = n/d + e * (v - n/d) with e = 2^k * (A + B) / (A - B): over one denominator, and so with one division.
 * u is never above 0; below -7.5 nothing that float holds is left of v.
 */
static inline float ltc_relaxed(ltc_sums sums, float u, float v)
{
    const ltc_exponential e = ltc_exp2_parts(ltc_maximum(u, -LTC_MOST_EXPONENT));
    const float below = e.even - e.odd;
    return (sums.n * below + (e.even + e.odd) * e.power * (v * sums.d - sums.n)) / (sums.d * below);
}

static inline void ltc_one_exponential_substep(const ltc_synapses_f32 *synapses, const float *slope,
                                               float seconds, const float *n_in, const float *d_in,
                                               const float *now, float *next, float *activation,
                                               uint32_t clamped)
{
    ltc_walk walk = ltc_walk_start(synapses, now, activation, clamped);
    const uint32_t targets = synapses->targets;
    for (uint32_t i = 0U; i < targets; ++i) {
        const ltc_sums before = { n_in[i], d_in[i] };
        const ltc_sums after = ltc_walk_on(&walk, now, before, clamped);
        next[i] = ltc_relaxed(after, slope[i] * seconds * after.d, now[i]);
    }
}

static inline void ltc_run_exponential(const ltc_synapses_f32 *synapses, const float *slope, float seconds,
                                       const float *n_in, const float *d_in, const float *state,
                                       float *result, float *activation, uint32_t unfolds,
                                       uint32_t clamped)
{
    float *const spare = result + synapses->targets;
    const float *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    float *next = ((unfolds & 1U) != 0U) ? result : spare;
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        ltc_one_exponential_substep(synapses, slope, seconds, n_in, d_in, now, next, activation, clamped);
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
