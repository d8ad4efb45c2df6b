/*
 * A loop that steps a supervised controller as fast as it can, or in real time, and logs every step: readings,
 * ages, gaps, requests and faults are drawn, so that every mode and every law is passed through.
 *
 *     driver FILE STEPS PERIOD_US [flags]
 *
 * flags: p paced in real time; f a file is replaced; c memory is changed now and then; d entries are dropped,
 * since nobody waits for the writer; k kill it after the last step, a log that is not closed; a allocate once
 * in the loop; and two numbers may follow: minutes of a file, and files kept. Allocations of the loop's thread
 * within the loop are counted.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "step_log.h"

#define SECOND INT64_C(1000000000)

/* The C library's own, whose places the three below take. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static __thread uint64_t allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which have their own */
void *malloc(size_t size)
{
    ++allocations;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    ++allocations;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    ++allocations;
    return __libc_realloc(memory, size);
}
#endif

static controller_context context;
static float room[LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS)];
static ltc_supervisor_memory memory;
static uint64_t seed = 88172645463325252U;

static float oldest[CONTROLLER_OBSERVATIONS];
static float low[CONTROLLER_ACTIONS];
static float high[CONTROLLER_ACTIONS];
static float slew[CONTROLLER_ACTIONS];
static float resting[CONTROLLER_ACTIONS];
static float gain[CONTROLLER_ACTIONS * CONTROLLER_OBSERVATIONS];
static float target[CONTROLLER_OBSERVATIONS];

static uint32_t reset(void *self)
{
    return controller_reset(self);
}

static uint32_t step(void *self, const float *observation, float dt_s, float *action)
{
    return controller_step(self, observation, dt_s, action);
}

static ltc_supervisor_settings settings = {
    .observations = CONTROLLER_OBSERVATIONS, .actions = CONTROLLER_ACTIONS, .oldest_s = oldest,
    .dt_min_s = 0.0005F, .dt_max_s = 0.1F, .gap_s = 0.5F, .low = low, .high = high, .slew = slew,
    .resting = resting, .fallback = LTC_FALL_BACK_TO_PD, .hold_s = 0.05F, .pd_gain = gain, .pd_target = target,
    .handover_s = 0.02F, .misses_allowed = 3U, .recover_steps = 20U,
    .latching = LTC_BAD_ACTION,
};
static const ltc_supervised controlled = { &context, CONTROLLER_NO_ACTION, reset, step };
static const ltc_supervisor supervisor = { &settings, &controlled, &memory, room };

/* From 0 to below count. */
static uint32_t draw(uint32_t count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) % count);
}

static int64_t now(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return ((int64_t)time.tv_sec * SECOND) + (int64_t)time.tv_nsec;
}

static void set_up(void)
{
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        oldest[i] = 0.2F;
        target[i] = 0.1F * (float)i;
    }
    for (uint32_t i = 0U; i < CONTROLLER_ACTIONS; ++i) {
        low[i] = -10.0F;
        high[i] = 10.0F;
        slew[i] = 1000.0F;
        resting[i] = 0.25F;
        gain[i * CONTROLLER_OBSERVATIONS] = 0.5F;
    }
}

/* What the world does to one step. */
static void draw_input(ltc_supervisor_input *input, float *observation, float *age_s, float *external, float dt_s)
{
    static const float bad[3] = { 0.0F / 1.0F, 1e30F, -1e30F };
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        observation[i] = 0.001F * (float)draw(4000U) - 2.0F;
        age_s[i] = (draw(2000U) == 0U) ? 0.3F : 0.0001F * (float)draw(10U);
    }
    for (uint32_t i = 0U; i < CONTROLLER_ACTIONS; ++i) {
        external[i] = 0.001F * (float)draw(2000U);
    }
    if (draw(1000U) == 0U) {
        observation[0] = bad[draw(3U)] * 1e30F; /* infinite, or 0 */
    }
    input->observation = observation;
    input->age_s = (draw(3U) == 0U) ? NULL : age_s;
    input->external = (draw(2U) == 0U) ? NULL : external;
    input->dt_s = (draw(3000U) == 0U) ? 0.7F : dt_s * (0.8F + 0.0004F * (float)draw(1000U));
    input->missed = (draw(500U) == 0U) ? 1U + draw(5U) : 0U;
    input->requests = (draw(100U) == 0U) ? draw(8U) : 0U;
}

static void change_memory(void)
{
    uint8_t *const where[3] = { (uint8_t *)&context, (uint8_t *)&memory, (uint8_t *)room };
    const uint32_t bytes[3] = { sizeof(context), sizeof(memory), sizeof(room) };
    const uint32_t which = draw(3U);
    where[which][draw(bytes[which])] ^= (uint8_t)(1U << draw(8U));
}

/* Until at most half of the ring is filled. */
static void wait_for_writer(step_log *log, int64_t period_ns)
{
    const uint64_t most = (period_ns < (SECOND / 32)) ? (uint64_t)(4 * SECOND / period_ns) : 128U;
    const struct timespec moment = { 0, 1000000 };
    step_log_counts counts;
    step_log_count(log, &counts);
    while ((counts.steps - counts.dropped - counts.written - counts.lost) > most) {
        (void)nanosleep(&moment, NULL);
        step_log_count(log, &counts);
    }
}

static void run(step_log *log, uint64_t steps, int64_t period_ns, const char *flags)
{
    const uint32_t paced = (strchr(flags, 'p') != NULL) ? 1U : 0U;
    const int64_t began = now(CLOCK_MONOTONIC);
    float observation[CONTROLLER_OBSERVATIONS];
    float age_s[CONTROLLER_OBSERVATIONS];
    float external[CONTROLLER_ACTIONS];
    float action[CONTROLLER_ACTIONS];
    for (uint64_t i = 0U; i < steps; ++i) {
        const int64_t release = began + ((int64_t)i * period_ns);
        const struct timespec until = { (time_t)(release / SECOND), (long)(release % SECOND) };
        if (paced != 0U) {
            (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        }
        const int64_t woke = now(CLOCK_MONOTONIC);
        if ((strchr(flags, 'c') != NULL) && (draw(700U) == 0U)) {
            change_memory();
        }
        ltc_supervisor_input input;
        draw_input(&input, observation, age_s, external, (float)period_ns * 1e-9F);
        input.requests = (i == 5U) ? LTC_ARM : input.requests;
        step_log_entry *const entry = step_log_next(log);
        step_log_before(entry, &supervisor, &context);
        const uint32_t status = ltc_supervisor_step(&supervisor, &input, action);
        step_log_after(entry, &supervisor, &context, &input, status, action);
        if (entry != NULL) {
            entry->monotonic_ns = release;
            entry->wall_ns = now(CLOCK_REALTIME);
            entry->latency_ns = (paced != 0U) ? (woke - release) : 0;
            entry->execution_ns = now(CLOCK_MONOTONIC) - woke;
        }
        step_log_commit(log);
        if ((strchr(flags, 'a') != NULL) && (i == 10U)) {
            free(strdup(flags));
        }
        if ((paced == 0U) && (strchr(flags, 'd') == NULL) && ((i % 64U) == 63U)) {
            wait_for_writer(log, period_ns);
        }
    }
}

int main(int count, char **arguments)
{
    if (count < 4) {
        return 2;
    }
    const char *const flags = (count > 4) ? arguments[4] : "";
    const int64_t period_ns = strtoll(arguments[3], NULL, 10) * 1000;
    const step_log_settings log_settings = {
        .path = arguments[1],
        .overwrite = (strchr(flags, 'f') != NULL) ? 1U : 0U,
        .minutes = (count > 5) ? (uint32_t)strtoul(arguments[5], NULL, 10) : 0U,
        .keep = (count > 6) ? (uint32_t)strtoul(arguments[6], NULL, 10) : 0U,
        .cpu = -1,
        .period_s = (double)period_ns * 1e-9,
        .facts = step_log_facts,
        .fact_count = step_log_fact_count,
        .supervisor = &settings,
    };
    set_up();
    step_log *const log = step_log_open(&log_settings);
    if (log == NULL) {
        return 3;
    }
    (void)ltc_supervisor_start(&supervisor);
    const uint64_t allocated = allocations;
    run(log, strtoull(arguments[2], NULL, 10), period_ns, flags);
    const uint64_t within = allocations - allocated;
    if (strchr(flags, 'k') != NULL) {
        (void)raise(SIGKILL);
    }
    step_log_counts counts;
    const int error = step_log_close(log, &counts);
    (void)printf("{\"steps\": %llu, \"dropped\": %llu, \"written\": %llu, \"lost\": %llu, \"bytes\": %llu, "
                 "\"error\": %d, \"allocations\": %llu}\n",
                 (unsigned long long)counts.steps, (unsigned long long)counts.dropped,
                 (unsigned long long)counts.written, (unsigned long long)counts.lost,
                 (unsigned long long)counts.bytes, error, (unsigned long long)within);
    return 0;
}
