/*
 * histogram.h: times in nanoseconds, counted in buckets of 1/32 of their power of two: any percentile to
 * 3 %, in fixed memory and in constant time.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 1920U /* for every 64-bit number */

typedef struct {
    uint64_t count;
    uint64_t largest;
    uint64_t sum;
    uint64_t bucket[HISTOGRAM_BUCKETS];
} histogram;

/* Times before 0, which a clock does not give, count as 0. */
void histogram_add(histogram *times, int64_t nanoseconds);

/* The time that this share of all (0 to 1) did not exceed, rounded up to its bucket; 0 where none was added. */
uint64_t histogram_percentile(const histogram *times, double share);

#endif
