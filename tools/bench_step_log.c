/*
 * What the step log takes of each step of a loop in real time: see bench_step_log.py.
 *
 *     bench_step_log FILE STEPS PERIOD_NS FIFO
 *
 * Prints nanoseconds, a line a step: what the log's calls took, and what two readings of the clock take.
 */
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "step_log.h"

#define SECOND INT64_C(1000000000)

extern const ltc_supervisor_settings supervisor_settings;
extern void *__libc_malloc(size_t size);

static __thread uint64_t allocations;

void *malloc(size_t size)
{
    ++allocations;
    return __libc_malloc(size);
}

static controller_context context;
static float room[LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS)];
static ltc_supervisor_memory memory;

static uint32_t reset(void *self)
{
    return controller_reset(self);
}

static uint32_t step(void *self, const float *observation, float dt_s, float *action)
{
    return controller_step(self, observation, dt_s, action);
}

static const ltc_supervised controlled = { &context, CONTROLLER_NO_ACTION, reset, step };
static const ltc_supervisor supervisor = { &supervisor_settings, &controlled, &memory, room };

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return ((int64_t)time.tv_sec * SECOND) + (int64_t)time.tv_nsec;
}

/* A counter of this thread's instructions; -1 where the system has none for us. */
static int counter(void)
{
    struct perf_event_attr wanted;
    memset(&wanted, 0, sizeof(wanted));
    wanted.type = PERF_TYPE_HARDWARE;
    wanted.size = sizeof(wanted);
    wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
    wanted.exclude_kernel = 1U;
    wanted.disabled = 1U;
    return (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0UL);
}

static void turn(int instructions, unsigned long request)
{
    if (instructions >= 0) {
        (void)ioctl(instructions, request, 0);
    }
}

typedef struct {
    int64_t log;
    int64_t clock;
} took;

static took one_step(step_log *log, uint64_t number, int64_t period_ns, int64_t release, int instructions)
{
    static float observation[CONTROLLER_OBSERVATIONS];
    float action[CONTROLLER_ACTIONS];
    const ltc_supervisor_input input = {
        .observation = observation,
        .dt_s = (float)period_ns * 1e-9F,
        .requests = (number == 0U) ? LTC_ARM : 0U,
    };
    observation[0] = 0.001F * (float)(number % 1000U);
    const int64_t first = now();
    const int64_t second = now();
    const int64_t began = now();
    turn(instructions, PERF_EVENT_IOC_ENABLE);
    step_log_entry *const entry = step_log_next(log);
    step_log_before(entry, &supervisor, &context);
    turn(instructions, PERF_EVENT_IOC_DISABLE);
    const int64_t stepping = now();
    const uint32_t status = ltc_supervisor_step(&supervisor, &input, action);
    const int64_t stepped = now();
    turn(instructions, PERF_EVENT_IOC_ENABLE);
    step_log_after(entry, &supervisor, &context, &input, status, action);
    if (entry != NULL) {
        entry->monotonic_ns = release;
        entry->wall_ns = release;
        entry->latency_ns = first - release;
        entry->execution_ns = stepped - began;
    }
    step_log_commit(log);
    turn(instructions, PERF_EVENT_IOC_DISABLE);
    const int64_t done = now();
    const took taken = { (stepping - began) + (done - stepped), second - first };
    return taken;
}

int main(int count, char **arguments)
{
    if (count != 5) {
        return 2;
    }
    const uint64_t steps = strtoull(arguments[2], NULL, 10);
    const int64_t period_ns = strtoll(arguments[3], NULL, 10);
    const struct sched_param parameters = { .sched_priority = (int)strtol(arguments[4], NULL, 10) };
    const step_log_settings settings = {
        .path = arguments[1], .cpu = -1, .period_s = (double)period_ns * 1e-9, .facts = step_log_facts,
        .fact_count = step_log_fact_count, .supervisor = &supervisor_settings,
    };
    took *const taken = calloc(steps, sizeof(took));
    step_log *const log = step_log_open(&settings);
    if ((log == NULL) || (taken == NULL)) {
        return 3;
    }
    (void)memset(taken, 1, steps * sizeof(took));
    if ((parameters.sched_priority > 0)
        && ((mlockall(MCL_CURRENT | MCL_FUTURE) != 0) || (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0))) {
        (void)fprintf(stderr, "SCHED_FIFO or mlockall were refused\n");
        return 3;
    }
    (void)ltc_supervisor_start(&supervisor);
    const uint64_t allocated = allocations;
    int64_t release = now();
    for (uint64_t i = 0U; i < steps; ++i) {
        release += period_ns;
        const struct timespec until = { (time_t)(release / SECOND), (long)(release % SECOND) };
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        taken[i] = one_step(log, i, period_ns, release, -1);
    }
    const uint64_t within = allocations - allocated;
    const int instructions = counter();
    uint64_t counted = 0U;
    for (uint64_t i = 0U; i < 100U; ++i) {
        (void)one_step(log, steps + i, period_ns, release, instructions);
    }
    if ((instructions < 0) || (read(instructions, &counted, sizeof(counted)) != sizeof(counted))) {
        counted = 0U;
    }
    step_log_counts counts;
    const int error = step_log_close(log, &counts);
    for (uint64_t i = 0U; i < steps; ++i) {
        (void)printf("%lld %lld\n", (long long)taken[i].log, (long long)taken[i].clock);
    }
    (void)fprintf(stderr, "%llu %llu %llu %d %llu\n", (unsigned long long)within, (unsigned long long)counts.dropped,
                  (unsigned long long)counts.bytes, error, (unsigned long long)counted);
    return 0;
}
