#include "loop.h"

#include <signal.h>
#include <string.h>

#include "notify.h"
#include "realtime.h"

/* A loop under way. */
typedef struct {
    const loop_settings *settings;
    const loop_parts *parts;
    io_inputs inputs;
    int64_t release; /* when this period begins */
    int64_t woke;
    int64_t out; /* when the action was out */
    uint64_t run; /* of missed deadlines, so far */
    uint64_t periods;
    loop_end end;
    int64_t ending_at;
    controller_context bare;
} state;

/* How often each was asked for: a second time, it is meant to end at once. */
static volatile sig_atomic_t terminations;
static volatile sig_atomic_t interruptions;
static volatile sig_atomic_t arm_asked;
static volatile sig_atomic_t disarm_asked;

static void take_signal(int signal)
{
    if (signal == SIGUSR1) {
        arm_asked = 1;
    } else if (signal == SIGUSR2) {
        disarm_asked = 1;
    } else if (signal == SIGINT) {
        interruptions = (interruptions == 0) ? 1 : 2;
    } else {
        terminations = (terminations == 0) ? 1 : 2;
    }
}

static uint32_t is_stop_asked(void)
{
    return ((terminations != 0) || (interruptions != 0)) ? 1U : 0U;
}

void loop_take_signals(void)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2 };
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = take_signal;
    for (size_t i = 0U; i < (sizeof(numbers) / sizeof(numbers[0])); ++i) {
        (void)sigaction(numbers[i], &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* What signals asked for since the last step. */
static uint32_t asked_by_signals(void)
{
    uint32_t requests = 0U;
    if (arm_asked != 0) {
        arm_asked = 0;
        requests |= LTC_ARM;
    }
    if (disarm_asked != 0) {
        disarm_asked = 0;
        requests |= LTC_DISARM;
    }
    return requests;
}

/* Count a period that began at release, and find when the next one begins. */
static void keep_time(state *loop)
{
    page *const page = loop->parts->page;
    const int64_t next = loop->release + loop->settings->period_ns;
    histogram_add(&page->latency, loop->woke - loop->release);
    histogram_add(&page->execution, loop->out - loop->woke);
    loop->release = next;
    if (loop->out <= next) {
        loop->run = 0U;
        return;
    }
    ++loop->run;
    ++loop->parts->guard->missed;
    ++page->counts.missed;
    if (loop->run > page->counts.longest_run) {
        page->counts.longest_run = loop->run;
    }
    /* What is over cannot be made up for: go on with the period that is to begin next. */
    const int64_t over = (loop->out - next) / loop->settings->period_ns;
    page->counts.left_out += (uint64_t)over;
    loop->release = next + (over * loop->settings->period_ns);
}

static void count_step(page_counts *counts, const guard *guard)
{
    ++counts->steps;
    ++counts->in_mode[guard->mode];
    for (uint32_t left = guard->status; left != 0U; left &= left - 1U) {
        ++counts->with_bit[__builtin_ctz(left)];
    }
    counts->mode = guard->mode;
    counts->status = guard->status;
    counts->dt_s = guard->dt_s;
    memcpy(counts->action, guard->action, sizeof(counts->action));
    memcpy(counts->proposal, guard_outputs(guard).proposal, sizeof(counts->proposal));
    memcpy(counts->age_s, guard->age_s, sizeof(counts->age_s));
}

/* Step the controller alone with what the supervised one was given: all else is what the loop added. */
static void compare_bare(state *loop)
{
    float action[CONTROLLER_ACTIONS];
    const int64_t before = realtime_now();
    (void)controller_step(&loop->bare, loop->inputs.observation, loop->parts->guard->dt_s, action);
    const int64_t step_ns = realtime_now() - before;
    histogram_add(&loop->parts->page->added, (loop->out - loop->woke) - step_ns);
}

/* What may wait until the action is out. */
static void keep_books(state *loop, step_log_entry *entry, uint32_t stepped)
{
    const loop_parts *const parts = loop->parts;
    page_counts *const counts = &parts->page->counts;
    const int64_t latency = loop->woke - loop->release;
    page_begin(parts->page);
    keep_time(loop);
    counts->periods = loop->periods;
    counts->io = loop->inputs.counts;
    counts->at_ns = loop->woke;
    memcpy(counts->observation, loop->inputs.observation, sizeof(counts->observation));
    if (stepped != 0U) {
        step_log_counts logged;
        count_step(counts, parts->guard);
        step_log_count(parts->log, &logged);
        counts->log_dropped = logged.dropped + logged.lost;
    }
    page_end(parts->page);
    if (entry != NULL) {
        entry->monotonic_ns = loop->woke;
        entry->wall_ns = realtime_wall() - (realtime_now() - loop->woke);
        entry->latency_ns = latency;
        entry->execution_ns = loop->out - loop->woke;
        step_log_commit(parts->log);
    }
    notify_alive(loop->woke);
    if ((loop->settings->bare != 0U) && (stepped != 0U)) {
        compare_bare(loop);
    }
}

/* Fetch, step where it is due, and give. */
static void run_period(state *loop)
{
    const loop_parts *const parts = loop->parts;
    const uint32_t due = ((loop->periods % loop->settings->every) == 0U) ? 1U : 0U;
    step_log_entry *entry = NULL;
    parts->io->read(&loop->inputs, loop->woke);
    if (due != 0U) {
        parts->guard->requests |= asked_by_signals() | ((loop->end != LOOP_RUNNING) ? LTC_DISARM : 0U);
        entry = step_log_next(parts->log);
        guard_step(parts->guard, &loop->inputs, loop->woke,
                   loop->settings->period_ns * loop->settings->every, entry);
    }
    const io_outputs outputs = guard_outputs(parts->guard);
    const io_result given = parts->io->write(&outputs);
    loop->out = realtime_now();
    loop->inputs.counts.not_sent += (given == IO_GIVEN) ? 0U : 1U;
    ++loop->periods;
    keep_books(loop, entry, due);
    if (given == IO_LOST) {
        loop->end = LOOP_ACTUATORS_LOST;
    } else if (guard_is_lost(parts->guard) != 0U) {
        loop->end = LOOP_CONTROLLER_LOST;
    } else {
        /* it goes on */
    }
}

/* Whether something asks for the end; which, is kept. */
static uint32_t is_ending(state *loop)
{
    if (loop->end == LOOP_RUNNING) {
        if (is_stop_asked() != 0U) {
            loop->end = LOOP_STOPPED;
        } else if (loop->inputs.ended != 0U) {
            loop->end = LOOP_INPUT_ENDED;
        } else if ((loop->settings->periods != 0U) && (loop->periods >= loop->settings->periods)) {
            loop->end = LOOP_FINISHED;
        } else {
            return 0U;
        }
    }
    if (loop->ending_at == IO_NEVER) {
        loop->ending_at = loop->woke;
        notify_stopping();
    }
    return 1U;
}

/* Whether there is no more to do but to give the resting action. */
static uint32_t is_over(state *loop)
{
    const guard *const guard = loop->parts->guard;
    if (is_ending(loop) == 0U) {
        return 0U;
    }
    const uint32_t lost =
        ((loop->end == LOOP_ACTUATORS_LOST) || (loop->end == LOOP_CONTROLLER_LOST)) ? 1U : 0U;
    const uint32_t resting = (guard->mode == (uint32_t)LTC_DISARMED) ? guard_is_at_rest(guard) : 0U;
    const uint32_t at_once = ((terminations > 1) || (interruptions > 1)) ? 1U : 0U;
    const uint32_t too_long = ((loop->woke - loop->ending_at) > LOOP_ENDING_NS) ? 1U : 0U;
    return lost | resting | at_once | too_long;
}

static void begin(state *loop, const loop_settings *settings, const loop_parts *parts)
{
    memset(loop, 0, sizeof(*loop));
    loop->settings = settings;
    loop->parts = parts;
    loop->ending_at = IO_NEVER;
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        loop->inputs.measured_at[i] = IO_NEVER;
    }
    (void)controller_reset(&loop->bare);
    __atomic_store_n(&parts->page->running, 1U, __ATOMIC_RELEASE);
    notify_ready();
    loop->release = realtime_now() + settings->period_ns;
}

/* A signal wakes it up early. What was asked for can wait for a period, but not for a long one. */
static void wait_for_release(state *loop)
{
    while (realtime_sleep_until(loop->release, loop->settings->spin_ns) == 0U) {
        const int64_t now = realtime_now();
        if ((is_stop_asked() != 0U) && ((loop->release - now) > (LOOP_ENDING_NS / 4))) {
            loop->release = now;
        }
    }
}

loop_end loop_run(const loop_settings *settings, const loop_parts *parts)
{
    static state loop;
    begin(&loop, settings, parts);
    do {
        wait_for_release(&loop);
        loop.woke = realtime_now();
        run_period(&loop);
    } while (is_over(&loop) == 0U);
    memcpy(parts->guard->action, supervisor_settings.resting, sizeof(parts->guard->action));
    const io_outputs outputs = guard_outputs(parts->guard);
    const io_result last = parts->io->close(&outputs);
    const loop_end end = (last == IO_LOST) ? LOOP_ACTUATORS_LOST : loop.end;
    __atomic_store_n(&parts->page->end, (uint32_t)end, __ATOMIC_RELEASE);
    return end;
}
