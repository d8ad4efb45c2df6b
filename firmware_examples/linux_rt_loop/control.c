#include "control.h"

#include <string.h>

uint32_t control_start(control *control)
{
    static const float nothing[CONTROLLER_OBSERVATIONS];
    memset(control, 0, sizeof(*control));
    /* A context that was not reset gives the fallback. */
    (void)controller_step(&control->context, nothing, 0.0F, control->fallback);
    return controller_selftest() | controller_reset(&control->context);
}

uint32_t control_step(control *control, const float observation[CONTROLLER_OBSERVATIONS], float dt_s,
                      float action[CONTROLLER_ACTIONS])
{
    const uint32_t status = controller_step(&control->context, observation, dt_s, action);
    control_counts *const counts = &control->counts;
    if ((status & CONTROL_STATUS(_NONFINITE_INPUT)) != 0U) {
        control_fall_back(control, &counts->not_finite, action);
        return status;
    }
    if (control_is_lost(status)) {
        control_fall_back(control, &counts->refused, action);
        return status;
    }
    ++counts->periods;
    counts->dt_clamped += ((status & CONTROL_STATUS(_DT_CLAMPED)) != 0U) ? 1U : 0U;
    counts->saturated += ((status & CONTROL_STATUS(_SATURATED)) != 0U) ? 1U : 0U;
    counts->slew_limited += ((status & CONTROL_STATUS(_SLEW_LIMITED)) != 0U) ? 1U : 0U;
    return status;
}

void control_fall_back(control *control, uint64_t *reason, float action[CONTROLLER_ACTIONS])
{
    ++*reason;
    ++control->counts.periods;
    ++control->counts.fallbacks;
    memcpy(action, control->fallback, sizeof(control->fallback));
}

uint32_t control_is_lost(uint32_t status)
{
    const uint32_t lost = CONTROLLER_NO_ACTION & ~CONTROL_STATUS(_NONFINITE_INPUT);
    return ((status & lost) != 0U) ? 1U : 0U;
}
