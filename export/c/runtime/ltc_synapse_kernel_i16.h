/* ltc_synapse_kernel_i16.h: the synapses of one neuron, once for the functions that need them. */
#ifndef LTC_SYNAPSE_KERNEL_I16_H
#define LTC_SYNAPSE_KERNEL_I16_H

#include "ltc_i16_arithmetic.h"

/* Add the synapses up to end to the sums n and d. */
static inline void ltc_add_synapses_i16(const ltc_synapse_i16 *synapse, const ltc_synapse_i16 *end,
                                        const int16_t *input, const int32_t *table, int32_t *n, int32_t *d,
                                        uint32_t shift, uint32_t clamped)
{
    int32_t n_sum = *n;
    int32_t d_sum = *d;
    while (synapse != end) {
        const int32_t place = (int32_t)synapse->slope * input[synapse->source] + synapse->offset;
        const int32_t weights = synapse->weights;
        const int32_t s = (clamped != 0U)
                              ? ltc_read_i16(table, place >> shift)
                              : ltc_lookup_i16(table,
                                               (uint32_t)place >> (LTC_PART_BITS_I16 + LTC_PROVED_SHIFT_I16),
                                               ((uint32_t)place >> LTC_PROVED_SHIFT_I16)
                                                   & LTC_PART_MASK_I16);
        n_sum += (int32_t)(int16_t)s * (int16_t)weights;
        d_sum += (int32_t)(int16_t)s * (int16_t)(weights >> 16);
        ++synapse;
    }
    *n = n_sum;
    *d = d_sum;
}

/*
 * One sub-step of the fused solver, of the neurons that listen. Shifts round down, which drives make up for:
 * they hold half of a code more.
 */
static inline void ltc_listen_to_all_i16(const ltc_synapses_i16 *synapses, const int16_t *moved,
                                         const ltc_drive_i16 *drive, const int16_t *now, int16_t *next,
                                         uint32_t clamped)
{
    const ltc_synapse_i16 *synapse = synapses->synapse;
    const uint16_t *count = synapses->count;
    const int16_t *x = now;
    const int16_t *const last = now + synapses->listening;
    const uint32_t bits = synapses->weight_bits;
    while (x != last) {
        const ltc_synapse_i16 *const end = &synapse[*count];
        int32_t n = drive->n;
        int32_t d = drive->d;
        ltc_add_synapses_i16(synapse, end, now, synapses->table, &n, &d, synapses->shift, clamped);
        synapse = end;
        n = ltc_code_i16(n >> bits);
        d = ltc_share_i16(d >> bits);
        const int32_t m = *moved;
        const int32_t kept = LTC_ONE_I16 - m;
        *next = (int16_t)ltc_ratio_i16(kept * *x + m * n, kept * LTC_ONE_I16 + m * d);
        ++count;
        ++moved;
        ++drive;
        ++x;
        ++next;
    }
}

#endif
