/*
 * ltc_i16.h: what a generated int16 controller calls.
 *
 * Every signal is a fraction: a 16-bit code times a power of two, most often 2^-15. Sums have 32 bits, and
 * that none of them overflows was proved when the controller was generated. There is no floating point
 * here; results are whole numbers, so that every compiler and processor gives the same.
 */
#ifndef LTC_I16_H
#define LTC_I16_H

#include <stdint.h>

/*
 * A synapse. slope * input + offset, shifted, is a place in a table of sigmoids: see ltc_lookup_i16. Both
 * weights lie in one word, which a processor loads at once: the numerator (conductance * potential) in its
 * low half, the denominator (conductance) in its high half, as shares of the neuron's greatest conductance.
 */
typedef struct {
    int32_t offset;
    int32_t weights;
    int16_t slope;
    uint16_t source;  /* where its input is read */
} ltc_synapse_i16;

/*
 * Synapses, sorted by the neuron that they end in. Neurons from listening on have none: what draws them does
 * not change within a step.
 */
typedef struct {
    const uint16_t *count;           /* synapses into each neuron, at least 0 */
    const ltc_synapse_i16 *synapse;
    const int32_t *table;            /* of sigmoids, in 2^-15 */
    uint16_t targets;                /* neurons */
    uint16_t listening;
    uint8_t shift;                   /* of slope * input + offset */
    uint8_t weight_bits;             /* weights are in 2^-weight_bits */
} ltc_synapses_i16;

/*
 * What drives a neuron, in 2^-(15 + weight_bits): its conductance, and its conductance times the potential
 * that it is drawn to. Of a neuron that does not listen, within the sub-steps and as codes: that potential,
 * and how far a sub-step goes.
 */
typedef struct {
    int32_t n;
    int32_t d;
} ltc_drive_i16;

/*
 * What exponential Euler needs besides. A neuron's decay in a sub-step is its pace times its conductance, both
 * as codes; shifted, it is a place in a table of Bernoulli's function: see ltc_lookup_i16.
 */
typedef struct {
    const int16_t *pace;    /* of each neuron */
    const int32_t *table;   /* y / (e^y - 1) for y from 0 to 16, in 2^-15 */
    uint8_t shift;
} ltc_decay_i16;

/* A row of a matrix: how its sum becomes a 16-bit code; see ltc_dense_i16. */
typedef struct {
    int32_t bias;
    int32_t limit;        /* beyond it the code saturates */
    int16_t multiplier;
    uint8_t before;
    uint8_t after;
} ltc_row_i16;

/* Copy; written such that no compiler makes a call of memcpy out of it. */
void ltc_copy_i16(const int16_t *source, int16_t *target, uint32_t count);

/*
 * output[i] = sum * multiplier / 2^(before + after), with sum = bias[i] + sum of weight[i][j] * input[j],
 * rounded and saturated.
 */
void ltc_dense_i16(const int8_t *weight, const ltc_row_i16 *row, const int16_t *input, int16_t *output,
                   uint32_t rows, uint32_t columns);

/* The same with the weights that are not zero alone, listed row by row. */
void ltc_sparse_i16(const uint16_t *count, const uint16_t *column, const int8_t *weight,
                    const ltc_row_i16 *row, const int16_t *input, int16_t *output, uint32_t rows);

/* moved[i] = t * fast[i] / (t * fast[i] + slow[i]): how far a step of t moves a neuron. */
void ltc_rates_i16(int16_t t, const int16_t *fast, const int16_t *slow, int16_t *moved, uint32_t count);

/* drive[i] = the bias plus the synapses into neuron i; biases are in 2^-(15 + weight_bits). */
void ltc_sensory_i16(const ltc_synapses_i16 *synapses, const int16_t *input, const int32_t *n_bias,
                     const int32_t *d_bias, ltc_drive_i16 *drive);

/*
 * One sub-step of the neurons that listen, with m = moved and n, d the drive plus their synapses:
 * x' = ((1 - m) * x + m * n) / ((1 - m) + m * d).
 * The first may be called where the shift is 8 and every place is proved to lie in the table. Functions of
 * their own, so that a Cortex-M has its registers for the synapses.
 */
void ltc_listen_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, const ltc_drive_i16 *drive,
                    const int16_t *now, int16_t *next);
void ltc_listen_clamped_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                            const ltc_drive_i16 *drive, const int16_t *now, int16_t *next);

/*
 * The fused solver's sub-steps. drive is used up. result has room for two states, between which sub-steps
 * take turns; the last one ends in the first half. ltc_substeps_i16 may be called where ltc_listen_i16 may.
 */
void ltc_substeps_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, ltc_drive_i16 *drive,
                      const int16_t *state, int16_t *result, uint32_t unfolds);
void ltc_substeps_clamped_i16(const ltc_synapses_i16 *synapses, const int16_t *moved, ltc_drive_i16 *drive,
                              const int16_t *state, int16_t *result, uint32_t unfolds);

/*
 * The same for exponential Euler, with B of each neuron's decay:
 * x' = ((1 - m) * B * x + m * n) / ((1 - m) * B + m * d).
 */
void ltc_listen_exponential_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                const ltc_decay_i16 *decay, const ltc_drive_i16 *drive,
                                const int16_t *now, int16_t *next);
void ltc_listen_exponential_clamped_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                        const ltc_decay_i16 *decay, const ltc_drive_i16 *drive,
                                        const int16_t *now, int16_t *next);
void ltc_substeps_exponential_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                  const ltc_decay_i16 *decay, ltc_drive_i16 *drive,
                                  const int16_t *state, int16_t *result, uint32_t unfolds);
void ltc_substeps_exponential_clamped_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                          const ltc_decay_i16 *decay, ltc_drive_i16 *drive,
                                          const int16_t *state, int16_t *result, uint32_t unfolds);

/*
 * dividend / divisor, rounded down, by multiplications alone: for processors that cannot divide.
 * divisor is 1 to 65536, and dividend less than 65536 times as large.
 */
uint32_t ltc_quotient_i16(uint32_t dividend, uint32_t divisor);

/* 1 where the codes differ anywhere. */
uint32_t ltc_differ_i16(const int16_t *one, const int16_t *other, uint32_t count);

/* 1 where a code is at either end of its range. */
uint32_t ltc_saturated_i16(const int16_t *values, uint32_t count);

/* A sum that no change of a single value leaves as it was: 31 is odd, so every value counts in full. */
uint32_t ltc_checksum_i16(const int16_t *values, uint32_t count);

/* Codes of raw values: (raw - center) * gain, rounded to the nearest, ties to even, and saturated. */
void ltc_encode_i16(const float *raw, const float *center, const float *gain, int16_t *codes,
                    uint32_t count);

/* Raw values of codes: center + code * span. */
void ltc_decode_i16(const int16_t *codes, const float *center, const float *span, float *raw,
                    uint32_t count);

#endif
