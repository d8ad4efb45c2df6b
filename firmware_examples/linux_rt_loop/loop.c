#include "loop.h"

#include <signal.h>
#include <string.h>

#include "io.h"
#include "realtime.h"
#include "recording.h"

/* What the loop knows of the plant. */
typedef struct {
    float observation[CONTROLLER_OBSERVATIONS]; /* the last one */
    uint32_t has_observation;
    int64_t read_at;
    int64_t stepped_at; /* 0 before the first step */
} knowledge;

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal)
{
    (void)signal;
    stop_asked = 1;
}

void loop_take_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = ask_to_stop;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* Fetch what came, and keep it. */
static reading_result look(knowledge *known, int64_t now)
{
    float observation[CONTROLLER_OBSERVATIONS];
    const reading_result result = io_read(observation);
    if (result == READING_NEW) {
        memcpy(known->observation, observation, sizeof(observation));
        known->has_observation = 1U;
        known->read_at = now;
    } else if (result == READING_BAD) {
        known->has_observation = 0U; /* the one before it is of the past */
    }
    return result;
}

/* The action of this period; returns the status of its step, or 0 where there was none. */
static uint32_t decide(const loop_settings *settings, control *control, knowledge *known,
                       reading_result result, int64_t now, float *action)
{
    const int64_t elapsed = (known->stepped_at == 0) ? settings->period_ns : (now - known->stepped_at);
    const float dt_s = (float)((double)elapsed * 1e-9);
    uint32_t status = 0U;
    const float *observation = NULL;
    if (result == READING_BAD) {
        control_fall_back(control, &control->counts.bad_lines, action);
    } else if ((known->has_observation == 0U) || ((now - known->read_at) > settings->oldest_ns)) {
        control_fall_back(control, &control->counts.no_reading, action);
    } else {
        observation = known->observation;
        control->counts.held += (result == READING_NONE) ? 1U : 0U;
        status = control_step(control, observation, dt_s, action);
        if ((status & CONTROLLER_NO_ACTION) == 0U) {
            known->stepped_at = now;
        }
    }
    if (settings->record != 0U) {
        recording_add(dt_s, observation);
    }
    return status;
}

/* Count a period that began at release, and return when the next one begins. */
static int64_t keep_time(const loop_settings *settings, loop_times *times, int64_t release, int64_t woke,
                         int64_t done)
{
    int64_t next = release + settings->period_ns;
    histogram_add(&times->latency, woke - release);
    histogram_add(&times->execution, done - woke);
    if (done <= next) {
        times->run = 0U;
        return next;
    }
    ++times->missed;
    ++times->run;
    if (times->run > times->longest_run) {
        times->longest_run = times->run;
    }
    /* What is over cannot be made up for: go on with the period that is to begin next. */
    const int64_t over = (done - next) / settings->period_ns;
    times->left_out += (uint64_t)over;
    return next + (over * settings->period_ns);
}

static loop_end run(const loop_settings *settings, control *control, loop_times *times)
{
    static knowledge known;
    float action[CONTROLLER_ACTIONS];
    int64_t release = realtime_now() + settings->period_ns;
    while ((settings->periods == 0U) || (control->counts.periods < settings->periods)) {
        if (realtime_sleep_until(release) == 0U) {
            if (stop_asked != 0) {
                return LOOP_STOPPED;
            }
            continue;
        }
        const int64_t woke = realtime_now();
        const reading_result result = look(&known, woke);
        if (result == READING_ENDED) {
            return LOOP_SENSORS_ENDED;
        }
        const uint32_t status = decide(settings, control, &known, result, woke, action);
        const action_result given = io_write(action);
        if (given == ACTION_ENDED) {
            return LOOP_ACTUATORS_ENDED;
        }
        times->not_taken += (given == ACTION_NOT_TAKEN) ? 1U : 0U;
        release = keep_time(settings, times, release, woke, realtime_now());
        if (control_is_lost(status) != 0U) {
            return LOOP_CONTROLLER_LOST;
        }
        if (stop_asked != 0) {
            return LOOP_STOPPED;
        }
    }
    return LOOP_FINISHED;
}

loop_end loop_run(const loop_settings *settings, control *control, loop_times *times)
{
    const loop_end end = run(settings, control, times);
    const action_result last = io_close(control->fallback);
    return (last == ACTION_ENDED) ? LOOP_ACTUATORS_ENDED : end;
}
