#include "histogram.h"

#define FINE_BITS 5U
#define FINE (1U << FINE_BITS) /* buckets for a power of two */

static uint32_t bucket_of(uint64_t time)
{
    uint32_t shift = 0U;
    while ((time >> shift) >= (2U * FINE)) {
        ++shift;
    }
    return (shift * FINE) + (uint32_t)(time >> shift);
}

/* The largest time of a bucket. */
static uint64_t end_of(uint32_t bucket)
{
    if (bucket < (2U * FINE)) {
        return bucket;
    }
    const uint32_t shift = (bucket / FINE) - 1U;
    return ((((uint64_t)bucket % FINE) + FINE) << shift) + ((UINT64_C(1) << shift) - 1U);
}

void histogram_add(histogram *times, int64_t nanoseconds)
{
    const uint64_t time = (nanoseconds > 0) ? (uint64_t)nanoseconds : 0U;
    ++times->count;
    times->sum += time;
    ++times->bucket[bucket_of(time)];
    if (time > times->largest) {
        times->largest = time;
    }
}

uint64_t histogram_percentile(const histogram *times, double share)
{
    const double wanted = share * (double)times->count;
    uint64_t below = 0U;
    for (uint32_t bucket = 0U; bucket < HISTOGRAM_BUCKETS; ++bucket) {
        below += times->bucket[bucket];
        if ((below > 0U) && ((double)below >= wanted)) {
            const uint64_t end = end_of(bucket);
            return (end < times->largest) ? end : times->largest;
        }
    }
    return times->largest;
}
