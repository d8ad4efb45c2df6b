/*
 * ltc_f32.h: what a generated float32 controller calls.
 *
 * The kernels allocate nothing, call no library, and do their sums in one fixed order, so that every
 * compiler and every optimisation level gives the same bits. They are written in C99 for IEEE 754 single
 * precision with rounding to nearest.
 */
#ifndef LTC_F32_H
#define LTC_F32_H

#include <stdint.h>

/*
 * 1: a sub-step computes all of its sigmoids in a loop of their own, which compilers turn into vector
 * instructions; 0: it computes each where it is summed, which needs fewer instructions on a scalar core.
 * Both do the same operations on the same numbers in the same order.
 */
#ifndef LTC_F32_VECTORS
#if defined(__SSE2__) || defined(__aarch64__)
#define LTC_F32_VECTORS 1
#else
#define LTC_F32_VECTORS 0
#endif
#endif

/* A synapse: u = slope * input + offset,  s = 1 / (1 + 2^(16 * u)). */
typedef struct {
    float slope;        /* -log2(e) / 16 * sigma */
    float offset;       /*  log2(e) / 16 * sigma * mu */
    float numerator;    /* w * erev */
    float denominator;  /* w */
} ltc_synapse_f32;

/* Synapses, sorted by the neuron that they end in. */
typedef struct {
    const uint16_t *count;          /* synapses into each neuron, at least 0 */
    const uint16_t *source;         /* of each synapse: where its input is read */
    const ltc_synapse_f32 *synapse;
    uint32_t targets;               /* neurons */
} ltc_synapses_f32;

/* Copy; written such that no compiler makes a call of memcpy out of it. */
void ltc_copy_f32(const float *source, float *target, uint32_t count);

/* output[i] = bias[i] + sum of weight[i][j] * input[j], j rising. */
void ltc_dense_f32(const float *weight, const float *bias, const float *input, float *output,
                   uint32_t rows, uint32_t columns);

/* The same with the weights that are not zero alone, listed row by row. */
void ltc_sparse_f32(const uint16_t *count, const uint16_t *column, const float *weight,
                    const float *bias, const float *input, float *output, uint32_t rows);

/*
 * n[i] = n_in[i] + sum of numerator * s,  d[i] = d_in[i] + sum of denominator * s; any u will do.
 * activation: room for a float a synapse where LTC_F32_VECTORS is 1; else it is not touched.
 */
void ltc_synapse_sums_f32(const ltc_synapses_f32 *synapses, const float *input, const float *n_in,
                          const float *d_in, float *n, float *d, float *activation);

/*
 * The fused solver's sub-steps: v' = (c * v + n_in + sum ...) / (d_in + sum ...), with c = charge * rate, which
 * d_in holds already.
 * result has room for two states, between which sub-steps take turns; the last one ends in the first half.
 * ltc_substeps_f32 may be called where every |u| is proved to be at most 7.5.
 */
void ltc_substeps_f32(const ltc_synapses_f32 *synapses, const float *charge, float rate, const float *n_in,
                      const float *d_in, const float *state, float *result, float *activation,
                      uint32_t unfolds);
void ltc_substeps_clamped_f32(const ltc_synapses_f32 *synapses, const float *charge, float rate,
                              const float *n_in, const float *d_in, const float *state, float *result,
                              float *activation, uint32_t unfolds);

/*
 * Exponential Euler's sub-steps: v' = n/d + 2^(16 * u) * (v - n/d), with the sums n and d of neuron i and
 * u = slope[i] * seconds * d. Arguments are otherwise those of ltc_substeps_f32.
 */
void ltc_substeps_exponential_f32(const ltc_synapses_f32 *synapses, const float *slope, float seconds,
                                  const float *n_in, const float *d_in, const float *state, float *result,
                                  float *activation, uint32_t unfolds);
void ltc_substeps_exponential_clamped_f32(const ltc_synapses_f32 *synapses, const float *slope,
                                          float seconds, const float *n_in, const float *d_in,
                                          const float *state, float *result, float *activation,
                                          uint32_t unfolds);

/* Bring each action within its limits; 1 where one met a limit. */
uint32_t ltc_limit_f32(const float *low, const float *high, float *action, uint32_t count);

/* Bring each action within slew * seconds of the previous one; 1 where one was held back. */
uint32_t ltc_slew_f32(const float *slew, float seconds, const float *previous, float *action,
                      uint32_t count);

/* 1 where every value lies within its bounds; a NaN or an infinity never does. */
uint32_t ltc_within_f32(const float *values, const float *low, const float *high, uint32_t count);

/* 1 where every value is finite. */
uint32_t ltc_finite_f32(const float *values, uint32_t count);

/* A sum that no change of a single value leaves as it was: 31 is odd, so every value counts in full. */
uint32_t ltc_checksum_f32(const float *values, uint32_t count);

/* CRC-32 (IEEE 802.3) of the bytes. */
uint32_t ltc_crc32(const void *data, uint32_t bytes);

#endif
