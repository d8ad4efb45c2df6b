#include "ltc_i16_arithmetic.h"

void ltc_walk_on_i16(ltc_walk_i16 *walk, uint32_t count)
{
    const ltc_synapse_i16 *synapse = walk->synapse;
    const ltc_synapse_i16 *const end = &synapse[count];
    const int16_t *const input = walk->input;
    const int32_t *const table = walk->table;
    int32_t n = walk->n;
    int32_t d = walk->d;
    while (synapse != end) {
        const uint32_t place = (uint32_t)((int32_t)synapse->slope * input[synapse->source] + synapse->offset);
        const int32_t weights = synapse->weights;
        const int32_t s = ltc_lookup_i16(table, place >> (LTC_PART_BITS_I16 + LTC_PROVED_SHIFT_I16),
                                         (place >> LTC_PROVED_SHIFT_I16) & 0x7FFFU);
        n += (int32_t)(int16_t)s * (int16_t)weights;
        d += (int32_t)(int16_t)s * (int16_t)(weights >> 16);
        ++synapse;
    }
    walk->synapse = synapse;
    walk->n = n;
    walk->d = d;
}
