/*
 * ltc_synapse_kernel.h: the sums over the synapses into one neuron, once for all that need them.
 *
 * Few pointers walk the lists, so that a Cortex-M keeps them all in registers.
 */
#ifndef LTC_SYNAPSE_KERNEL_H
#define LTC_SYNAPSE_KERNEL_H

#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"

typedef struct {
    const uint16_t *source;
    const ltc_synapse_f32 *synapse;
    const float *activation;
} ltc_walk;

static inline float ltc_activation(const ltc_synapse_f32 *synapse, float x, uint32_t clamped)
{
    const float u = synapse->slope * x + synapse->offset;
    return ltc_logistic2((clamped != 0U) ? ltc_clamp(u, LTC_MOST_EXPONENT) : u);
}

/* All activations, in a loop without dependencies. */
static inline void ltc_activate(const ltc_synapses_f32 *synapses, const float *input, float *activation,
                                uint32_t targets, uint32_t clamped)
{
#if LTC_F32_VECTORS
    const uint16_t *const source = synapses->source;
    const ltc_synapse_f32 *const synapse = synapses->synapse;
    uint32_t total = 0U;
    for (uint32_t i = 0U; i < targets; ++i) {
        total += synapses->count[i];
    }
    for (uint32_t k = 0U; k < total; ++k) {
        activation[k] = ltc_activation(&synapse[k], input[source[k]], clamped);
    }
#else
    (void)synapses;
    (void)input;
    (void)activation;
    (void)targets;
    (void)clamped;
#endif
}

/* Add the synapses into one neuron to its sums. */
static inline void ltc_add_synapses(ltc_walk *walk, uint32_t count, const float *input, float *n, float *d,
                                    uint32_t clamped)
{
    const ltc_synapse_f32 *const end = walk->synapse + count;
    float n_sum = *n;
    float d_sum = *d;
    for (; walk->synapse != end; ++walk->synapse) {
#if LTC_F32_VECTORS
        const float s = *walk->activation++;
        (void)input;
        (void)clamped;
#else
        const float s = ltc_activation(walk->synapse, input[*walk->source++], clamped);
#endif
        n_sum += s * walk->synapse->numerator;
        d_sum += s * walk->synapse->denominator;
    }
    *n = n_sum;
    *d = d_sum;
}

static inline void ltc_run_substeps(const ltc_synapses_f32 *synapses, const float *c, const float *n_in,
                                    const float *d_in, const float *state, float *result, float *spare,
                                    float *activation, uint32_t targets, uint32_t unfolds,
                                    uint32_t clamped)
{
    const float *now = state;
    /* Two buffers take turns, such that the last sub-step ends in result. */
    float *next = ((unfolds & 1U) != 0U) ? result : spare;
    float *other = ((unfolds & 1U) != 0U) ? spare : result;
    for (uint32_t unfold = 0U; unfold < unfolds; ++unfold) {
        ltc_walk walk = { synapses->source, synapses->synapse, activation };
        ltc_activate(synapses, now, activation, targets, clamped);
        for (uint32_t i = 0U; i < targets; ++i) {
            float n = c[i] * now[i] + n_in[i];
            float d = d_in[i];
            ltc_add_synapses(&walk, synapses->count[i], now, &n, &d, clamped);
            next[i] = n / d;
        }
        now = next;
        next = other;
        other = (now == result) ? result : spare;
    }
}

#endif
