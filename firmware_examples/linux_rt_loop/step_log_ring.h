/*
 * step_log_ring.h: what the loop and the writer share: for the files of the step log alone.
 *
 * One producer, the loop, moves head; one consumer, the writer, moves tail. Both run on from 0 and wrap; an
 * entry's slot is its number modulo the slots, a power of two.
 */
#ifndef STEP_LOG_RING_H
#define STEP_LOG_RING_H

#include <pthread.h>

#include "mcap_file.h"
#include "step_log.h"

#define CACHE_LINE __attribute__((aligned(64)))

struct step_log {
    /* The loop's own. */
    CACHE_LINE uint32_t head;
    uint32_t seen_tail;  /* the last one that it looked up */
    uint32_t has_entry;  /* 1 between step_log_next and step_log_commit */
    uint64_t gap;        /* dropped since the last entry */
    uint64_t steps;
    uint64_t dropped;

    /* The writer's own. */
    CACHE_LINE uint32_t tail;
    uint64_t written;
    uint64_t lost;
    uint64_t bytes;
    int error;

    /* Constant once it is open, but for the file. */
    CACHE_LINE step_log_entry *entries;
    uint32_t slots;
    uint32_t stop; /* set by step_log_close */
    pthread_t thread;
    struct step_log_writer *writer;
};

/* Numbers that the other side may read at any time. */
#define RING_LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define RING_STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

#endif
