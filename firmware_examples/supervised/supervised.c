/* A controller and its supervisor with one way in, for `SupervisedController`. */
#include "ltc_controller.h"
#include "ltc_supervisor.h"

extern const ltc_supervisor_settings supervisor_settings;

const uint32_t supervised_observations = CONTROLLER_OBSERVATIONS;
const uint32_t supervised_actions = CONTROLLER_ACTIONS;
const uint32_t supervised_context_bytes = (uint32_t)sizeof(controller_context);
controller_context supervised_context;
ltc_supervisor_memory supervised_memory;
float supervised_room[LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS)];

static uint32_t reset_controller(void *context)
{
    return controller_reset((controller_context *)context);
}

static uint32_t step_controller(void *context, const float *observation, float dt_s, float *action)
{
    return controller_step((controller_context *)context, observation, dt_s, action);
}

static const ltc_supervised controller = { &supervised_context, CONTROLLER_NO_ACTION, reset_controller,
                                           step_controller };
static const ltc_supervisor supervisor = { &supervisor_settings, &controller, &supervised_memory,
                                           supervised_room };

uint32_t supervised_selftest(void)
{
    return controller_selftest();
}

uint32_t supervised_start(void)
{
    return ltc_supervisor_start(&supervisor);
}

/* given: dt, readings, ages, external action; present: 1 ages, 2 external action. */
uint32_t supervised_step(const float *given, uint32_t present, uint32_t missed, uint32_t requests, float *action)
{
    const float *const age_s = &given[1U + CONTROLLER_OBSERVATIONS];
    const ltc_supervisor_input input = { &given[1],
                                         ((present & 1U) != 0U) ? age_s : 0,
                                         ((present & 2U) != 0U) ? &age_s[CONTROLLER_OBSERVATIONS] : 0,
                                         given[0],
                                         missed,
                                         requests };
    return ltc_supervisor_step(&supervisor, &input, action);
}
