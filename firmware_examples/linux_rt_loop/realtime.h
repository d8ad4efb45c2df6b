/*
 * realtime.h: what Linux must be asked for so that a loop keeps its deadlines. Whatever is refused is told
 * on standard error, and nothing is done in its place.
 */
#ifndef REALTIME_H
#define REALTIME_H

#include <stdint.h>

/* Each returns 1 where it was granted. */
uint32_t realtime_pin(int cpu);           /* run on this CPU alone */
uint32_t realtime_lock_memory(void);      /* no page is ever swapped out or fetched late; the stack is touched */
uint32_t realtime_schedule(int priority); /* SCHED_FIFO: before everything of a lower priority */

/* Wake up when asked to, not up to 50 us later, as Linux otherwise may. Never refused. */
void realtime_wake_exactly(void);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t realtime_now(void);

/* CLOCK_REALTIME in nanoseconds. */
int64_t realtime_wall(void);

/* Sleep until CLOCK_MONOTONIC shows a time, the last spin_ns of it awake; 0 where a signal came before. */
uint32_t realtime_sleep_until(int64_t nanoseconds, int64_t spin_ns);

#endif
