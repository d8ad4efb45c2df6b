/* A step that a program of its own times in turn with ours: one-line requests on standard input.
 *
 *   batch STEPS      nanoseconds of so many steps between two readings of the clock
 *   long STEPS       the same in processor time of this process, so that turns of others do not count
 *   singles STEPS    nanoseconds of a step between two readings, the median; and of two readings alone
 *
 * The program defines what a step is, and calls take_turns.
 */
#ifndef TURNS_H
#define TURNS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void turn_step(void);

static int64_t turn_clock(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int64_t turn_now(void)
{
    return turn_clock(CLOCK_MONOTONIC);
}

static int turn_order(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int64_t turn_batch(clockid_t clock, long steps)
{
    int64_t start = turn_clock(clock);
    for (long index = 0; index < steps; ++index) {
        turn_step();
    }
    return turn_clock(clock) - start;
}

static int64_t turn_single(long steps, int empty, int64_t *taken)
{
    for (long index = 0; index < steps; ++index) {
        int64_t start = turn_now();
        if (!empty) {
            turn_step();
        }
        taken[index] = turn_now() - start;
    }
    qsort(taken, (size_t)steps, sizeof *taken, turn_order);
    return taken[steps / 2];
}

/* Says that it is ready, and answers until there are no more requests. */
static int take_turns(void)
{
    char line[80];
    (void)puts("ready");
    (void)fflush(stdout);
    while (fgets(line, (int)sizeof line, stdin) != NULL) {
        long steps = 0;
        if (sscanf(line, "batch %ld", &steps) == 1 && steps > 0) {
            printf("%lld\n", (long long)turn_batch(CLOCK_MONOTONIC, steps));
        } else if (sscanf(line, "long %ld", &steps) == 1 && steps > 0) {
            printf("%lld\n", (long long)turn_batch(CLOCK_PROCESS_CPUTIME_ID, steps));
        } else if (sscanf(line, "singles %ld", &steps) == 1 && steps > 0) {
            int64_t *taken = malloc((size_t)steps * sizeof *taken);
            if (taken == NULL) {
                return 1;
            }
            int64_t step = turn_single(steps, 0, taken);
            printf("%lld %lld\n", (long long)step, (long long)turn_single(steps, 1, taken));
            free(taken);
        } else {
            return 2;
        }
        (void)fflush(stdout);
    }
    return 0;
}

#endif
