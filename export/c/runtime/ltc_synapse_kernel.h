/*
 * ltc_synapse_kernel.h: synapses and sub-steps, once for the functions that need them.
 *
 * The loops are plain, with few pointers alive at a time, so that a Cortex-M keeps them in registers.
 */
#ifndef LTC_SYNAPSE_KERNEL_H
#define LTC_SYNAPSE_KERNEL_H

#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

/* Where a walk over the synapses stands. */
typedef struct {
    const uint16_t *count;
    const uint16_t *source;
    const ltc_synapse_f32 *synapse;
    const float *activation;
} ltc_walk;

/* The two sums of a neuron. */
typedef struct {
    float n;
    float d;
} ltc_sums;

static inline float ltc_activation(const ltc_synapse_f32 *synapse, float x, uint32_t clamped)
{
    const float u = synapse->slope * x + synapse->offset;
    return ltc_logistic2((clamped != 0U) ? ltc_clamp(u, LTC_MOST_EXPONENT) : u);
}

/* Start a walk; where vectors are used, with all activations, in a loop without dependencies. */
static inline ltc_walk ltc_walk_start(const ltc_synapses_f32 *synapses, const float *input,
                                      float *restrict activation, uint32_t clamped)
{
    const ltc_walk walk = { synapses->count, synapses->source, synapses->synapse, activation };
#if LTC_F32_VECTORS
    uint32_t total = 0U;
    for (uint32_t i = 0U; i < synapses->targets; ++i) {
        total += walk.count[i];
    }
    for (uint32_t k = 0U; k < total; ++k) {
        activation[k] = ltc_activation(&walk.synapse[k], input[walk.source[k]], clamped);
    }
#else
    (void)input;
    (void)clamped;
#endif
    return walk;
}

/* Add the synapses into the next neuron to its sums. */
static inline ltc_sums ltc_walk_on(ltc_walk *walk, const float *input, ltc_sums sums, uint32_t clamped)
{
    for (uint32_t left = *walk->count++; left != 0U; --left) {
        const ltc_synapse_f32 synapse = *walk->synapse++;
#if LTC_F32_VECTORS
        const float s = *walk->activation++;
        (void)input;
        (void)clamped;
#else
        const float s = ltc_activation(&synapse, input[*walk->source++], clamped);
#endif
        sums.n += s * synapse.numerator;
        sums.d += s * synapse.denominator;
    }
    return sums;
}

static inline void ltc_one_substep(const ltc_synapses_f32 *synapses, const float *charge, float rate,
                                   const float *n_in, const float *d_in, const float *now, float *next,
                                   float *activation, uint32_t clamped)
{
    ltc_walk walk = ltc_walk_start(synapses, now, activation, clamped);
    const uint32_t targets = synapses->targets;
    for (uint32_t i = 0U; i < targets; ++i) {
        const ltc_sums before = { charge[i] * rate * now[i] + n_in[i], d_in[i] };
        const ltc_sums after = ltc_walk_on(&walk, now, before, clamped);
        next[i] = after.n / after.d;
    }
}

static inline void ltc_run_substeps(const ltc_synapses_f32 *synapses, const float *charge, float rate,
                                    const float *n_in, const float *d_in, const float *state,
                                    float *result, float *activation, uint32_t unfolds, uint32_t clamped)
{
    float *const spare = result + synapses->targets;
    const float *now = state;
    /* Two halves take turns, such that the last sub-step ends in result. */
    float *next = ((unfolds & 1U) != 0U) ? result : spare;
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        ltc_one_substep(synapses, charge, rate, n_in, d_in, now, next, activation, clamped);
        now = next;
        next = (now == result) ? spare : result;
    }
}

#endif
