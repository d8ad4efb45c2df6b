#include "realtime.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
                  "Error: --fifo %d: %s; run as root, or give the user rtprio in "
                  "/etc/security/limits.conf\n",
                  priority, strerror(errno));
    return 0U;
}

void realtime_wake_exactly(void)
{
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return ((int64_t)now.tv_sec * SECOND) + (int64_t)now.tv_nsec;
}

int64_t realtime_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t realtime_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint32_t realtime_sleep_until(int64_t nanoseconds, int64_t spin_ns)
{
    const int64_t asleep = nanoseconds - spin_ns;
    const struct timespec until = { .tv_sec = (time_t)(asleep / SECOND), .tv_nsec = (long)(asleep % SECOND) };
    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) {
        return 0U;
    }
    while ((spin_ns > 0) && (realtime_now() < nanoseconds)) {
        /* awake, so that nothing must be woken up */
    }
    return 1U;
}
