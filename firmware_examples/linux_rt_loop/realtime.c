#include "realtime.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define STACK_BYTES 65536U /* more than the loop and everything it calls use */
#define SECOND INT64_C(1000000000)

uint32_t realtime_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) == 0) {
        return 1U;
    }
    (void)fprintf(stderr, "Error: --cpu %d: %s; /sys/devices/system/cpu/online lists the CPUs that there are\n",
                  cpu, strerror(errno));
    return 0U;
}

/* Touch the stack's pages once, so that none is first touched within a period. */
static void touch_stack(void)
{
    volatile uint8_t room[STACK_BYTES];
    for (uint32_t i = 0U; i < STACK_BYTES; i += 1024U) {
        room[i] = 0U;
    }
    (void)room[0];
}

uint32_t realtime_lock_memory(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
        touch_stack();
        return 1U;
    }
    (void)fprintf(stderr,
                  "Error: --lock: %s; run as root, or raise the user's memlock in /etc/security/limits.conf\n",
                  strerror(errno));
    return 0U;
}

uint32_t realtime_schedule(int priority)
{
    const struct sched_param parameters = { .sched_priority = priority };
    if (sched_setscheduler(0, SCHED_FIFO, &parameters) == 0) {
        return 1U;
    }
    (void)fprintf(stderr,
                  "Error: --priority %d: %s; run as root, or give the user rtprio in "
                  "/etc/security/limits.conf\n",
                  priority, strerror(errno));
    return 0U;
}

int64_t realtime_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * SECOND) + (int64_t)now.tv_nsec;
}

uint32_t realtime_sleep_until(int64_t nanoseconds)
{
    const struct timespec until = { .tv_sec = (time_t)(nanoseconds / SECOND),
                                    .tv_nsec = (long)(nanoseconds % SECOND) };
    return (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0) ? 1U : 0U;
}
