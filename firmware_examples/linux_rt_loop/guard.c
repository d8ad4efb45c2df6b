#include "guard.h"

#include <math.h>
#include <string.h>

#include "ltc_guarded.h"

#define STATUS(name) LTC_JOIN(CONTROLLER_UPPER, name)

uint32_t guard_start(guard *guard, uint32_t at_start)
{
    memset(guard, 0, sizeof(*guard));
    guard->at_start = at_start;
    guard->stepped_at = IO_NEVER;
    memcpy(guard->action, supervisor_settings.resting, sizeof(guard->action));
    return controller_selftest() | ltc_supervisor_start(&supervisor);
}

/* How old each signal is; 1 where each has come at least once. */
static uint32_t find_ages(guard *guard, const io_inputs *inputs, int64_t now)
{
    uint32_t all = 1U;
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        const uint32_t never = (inputs->measured_at[i] == IO_NEVER) ? 1U : 0U;
        guard->age_s[i] = (never != 0U) ? INFINITY : (float)((double)(now - inputs->measured_at[i]) * 1e-9);
        all = (never != 0U) ? 0U : all;
    }
    return all;
}

/* What is asked for in this step. */
static uint32_t take_requests(guard *guard, io_inputs *inputs, uint32_t all_came)
{
    uint32_t requests = guard->requests | inputs->requests;
    if ((guard->at_start != 0U) && ((all_came != 0U) || (requests != 0U))) {
        /* Whoever said something else meanwhile knows better than the command line. */
        requests |= (requests == 0U) ? guard->at_start : 0U;
        guard->at_start = 0U;
    }
    guard->requests = 0U;
    inputs->requests = 0U;
    return requests;
}

void guard_step(guard *guard, io_inputs *inputs, int64_t now, int64_t step_ns, step_log_entry *entry)
{
    const int64_t elapsed = (guard->stepped_at == IO_NEVER) ? step_ns : (now - guard->stepped_at);
    const uint32_t all_came = find_ages(guard, inputs, now);
    guard->dt_s = (float)((double)elapsed * 1e-9);
    const ltc_supervisor_input input = {
        .observation = inputs->observation,
        .age_s = guard->age_s,
        .external = (inputs->has_external != 0U) ? inputs->external : NULL,
        .dt_s = guard->dt_s,
        .missed = guard->missed,
        .requests = take_requests(guard, inputs, all_came),
    };
    guard->missed = 0U;
    guard->stepped_at = now;
    step_log_before(entry, &supervisor, &context);
    guard->status = ltc_supervisor_step(&supervisor, &input, guard->action);
    guard->mode = (uint32_t)ltc_supervisor_mode(&supervisor);
    step_log_after(entry, &supervisor, &context, &input, guard->status, guard->action);
}

uint32_t guard_is_at_rest(const guard *guard)
{
    const float *const resting = supervisor_settings.resting;
    for (uint32_t i = 0U; i < CONTROLLER_ACTIONS; ++i) {
        if ((guard->action[i] < resting[i]) || (guard->action[i] > resting[i])) {
            return 0U;
        }
    }
    return 1U;
}

uint32_t guard_is_lost(const guard *guard)
{
    return ((guard->status & STATUS(_CORRUPT_PARAMETERS)) != 0U) ? 1U : 0U;
}

io_outputs guard_outputs(const guard *guard)
{
    const io_outputs outputs = { guard->action, ltc_supervisor_proposal(&supervisor), guard->status,
                                 guard->mode };
    return outputs;
}
