#include "ltc_i16_arithmetic.h"

void ltc_walk_on_clamped_i16(ltc_walk_i16 *walk, uint32_t count, uint32_t shift)
{
    const ltc_synapse_i16 *synapse = walk->synapse;
    const ltc_synapse_i16 *const end = &synapse[count];
    const int16_t *const input = walk->input;
    const int32_t *const table = walk->table;
    int32_t n = walk->n;
    int32_t d = walk->d;
    while (synapse != end) {
        const int32_t place = (int32_t)synapse->slope * input[synapse->source] + synapse->offset;
        const int32_t weights = synapse->weights;
        const int32_t s = ltc_read_i16(table, place >> shift);
        n += (int32_t)(int16_t)s * (int16_t)weights;
        d += (int32_t)(int16_t)s * (int16_t)(weights >> 16);
        ++synapse;
    }
    walk->synapse = synapse;
    walk->n = n;
    walk->d = d;
}
