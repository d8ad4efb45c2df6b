/*
 * ltc_guarded.h: the controller of a program behind its supervisor, and the memory of both. There is one in a
 * program, in the one file that includes this. Its constant addresses are in memory that cannot be written.
 *
 * LTC_GUARDED_SETTINGS names the settings; supervisor_settings unless it was defined before.
 */
#ifndef LTC_GUARDED_H
#define LTC_GUARDED_H

#include "ltc_controller.h"
#include "ltc_supervisor.h"

#ifndef LTC_GUARDED_SETTINGS
#define LTC_GUARDED_SETTINGS supervisor_settings
#endif

static controller_context context;
static ltc_supervisor_memory memory;
static float room[LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS)];

static uint32_t reset_controller(void *given)
{
    return controller_reset((controller_context *)given);
}

static uint32_t step_controller(void *given, const float *readings, float dt_s, float *action)
{
    return controller_step((controller_context *)given, readings, dt_s, action);
}

static const ltc_supervised controller = { &context, CONTROLLER_NO_ACTION, reset_controller, step_controller };
static const ltc_supervisor supervisor = { &LTC_GUARDED_SETTINGS, &controller, &memory, room };

#endif
