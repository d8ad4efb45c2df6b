#include <math.h>
#include <string.h>

#include "explore.h"

typedef struct {
    float age_s;
    float value;
} reading;

typedef struct {
    uint32_t reset_status, status;
    float action;
} behaviour;

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))
#define OLDEST 0.25F /* as the settings have it */

/* Of the first reading; the first four are usable. */
static const reading readings[] = {
    { 0.0F, 0.5F },    { OLDEST, -0.5F }, { 0.0F, 3e38F },     { -0.0F, -3e38F },
    { 0.26F, 0.5F },   { NAN, 0.5F },     { 0.0F, NAN },       { -1e-9F, 0.5F },
    { 0.0F, INFINITY }, { INFINITY, 0.5F }, { -INFINITY, NAN }, { 0.0F, -INFINITY },
};
static const reading others[] = { { 0.0F, 1.0F }, { 9.0F, 1.0F }, { 0.0F, NAN } };
/* dt_min 0.5, dt_max 1, gap 2. */
static const float times[] = { 1.0F, 0.5F, NAN, 4.0F, 0.0F, 1.5F, -1.0F, INFINITY, 0.25F, -0.0F, 2.0F };
static const uint32_t misses[] = { 0U, 1U, 0xFFFFFFFFU };
static const behaviour behaviours[] = {
    { 0U, 0U, 0.5F },   { 0U, 0x10U, 0.25F }, { 0x20U, 0U, 0.5F }, { 0U, 0U, NAN },
    { 0U, 4U, 8.0F },   { 0U, 0U, -1.0F },    { 0U, 0U, INFINITY }, { 0U, 0xFFFFFF82U, 0.5F },
};
static const float externals[] = { 0.0F, 0.5F, NAN, -8.0F }; /* the first stands for null */

void first(given *input)
{
    memset(input, 0, sizeof(*input));
}

/* Count on; returns 1 where the counter went round. */
static uint32_t on(uint32_t *counter, uint32_t classes)
{
    ++*counter;
    if (*counter < classes) {
        return 0U;
    }
    *counter = 0U;
    return 1U;
}

static uint32_t usable(const given *input)
{
    const float dt_s = times[input->dt];
    return ((input->reading < 4U) && (input->other == 0U) && isfinite(dt_s) && (dt_s >= 0.0F)) ? 1U : 0U;
}

void next(given *input, uint32_t mode)
{
    const uint32_t shadowed = ((input->requests & 4U) != 0U) || (mode == (uint32_t)LTC_SHADOW);
    if (on(&input->external, (shadowed != 0U) ? COUNT(externals) : 1U) == 0U) {
        return;
    }
    if (on(&input->controller, (usable(input) != 0U) ? COUNT(behaviours) : 1U) == 0U) {
        return;
    }
    if ((on(&input->requests, 8U) == 0U) || (on(&input->missed, COUNT(misses)) == 0U)
        || (on(&input->dt, COUNT(times)) == 0U) || (on(&input->other, COUNT(others)) == 0U)) {
        return;
    }
    input->ended = on(&input->reading, COUNT(readings));
}

static scripted_context context;

static uint32_t reset_controller(void *given_context)
{
    return scripted_reset((scripted_context *)given_context);
}

static uint32_t step_controller(void *given_context, const float *observation, float dt_s, float *action)
{
    return scripted_step((scripted_context *)given_context, observation, dt_s, action);
}

static const ltc_supervised controller = { &context, SCRIPTED_NO_ACTION, reset_controller, step_controller };
ltc_supervisor_memory supervised_memory;
float supervised_room[LTC_SUPERVISOR_ROOM(1U)];
const ltc_supervisor supervisor = { &supervisor_settings, &controller, &supervised_memory, supervised_room };

result take(const given *input)
{
    const reading *const one = &readings[input->reading];
    const reading *const two = &others[input->other];
    const float observation[2] = { one->value, two->value };
    const float age_s[2] = { one->age_s, two->age_s };
    const float *const external = &externals[input->external];
    /* Null ages stand for readings that were all measured now. */
    const uint32_t aged = ((input->reading != 0U) || (input->other != 0U)) ? 1U : 0U;
    const ltc_supervisor_input handed = { observation,          (aged != 0U) ? age_s : 0,
                                          (input->external == 0U) ? 0 : external,
                                          times[input->dt],     misses[input->missed],
                                          input->requests };
    result got;
    memset(&context, 0, sizeof(context));
    context.reset_status = behaviours[input->controller].reset_status;
    context.status = behaviours[input->controller].status;
    context.action[0] = behaviours[input->controller].action;
    got.last = supervised_room[0];
    got.began = supervised_room[3];
    got.status = ltc_supervisor_step(&supervisor, &handed, &got.action);
    got.stepped = context.steps;
    got.resets = context.resets;
    got.dt_s = context.dt_s;
    return got;
}

uint32_t is_stale(const given *input)
{
    static const uint32_t stale[] = { 0U, 0U, 0U, 0U, 1U, 1U, 0U, 1U, 0U, 1U, 1U, 0U };
    return stale[input->reading] | ((input->other == 1U) ? 1U : 0U);
}

uint32_t is_bad(const given *input)
{
    static const uint32_t bad[] = { 0U, 0U, 0U, 0U, 0U, 0U, 1U, 0U, 1U, 0U, 1U, 1U };
    static const uint32_t bad_time[] = { 0U, 0U, 1U, 0U, 0U, 0U, 1U, 1U, 0U, 0U, 0U };
    return bad[input->reading] | bad_time[input->dt] | ((input->other == 2U) ? 1U : 0U);
}

float time_of(const given *input)
{
    return times[input->dt];
}

float reading_of(const given *input)
{
    return readings[input->reading].value;
}

uint32_t reading_is_usable(const given *input)
{
    return (input->reading < 4U) ? 1U : 0U;
}

uint32_t missed_of(const given *input)
{
    return misses[input->missed];
}

/* 1: its reset fails, 2: it says that it gave no action, 4: what it gave is not finite. */
uint32_t misbehaviour_of(const given *input)
{
    const behaviour *const what = &behaviours[input->controller];
    return ((what->reset_status != 0U) ? 1U : 0U) | (((what->status & SCRIPTED_NO_ACTION) != 0U) ? 2U : 0U)
           | (isfinite(what->action) ? 0U : 4U);
}

uint32_t own_status_of(const given *input)
{
    const behaviour *const what = &behaviours[input->controller];
    return ((what->reset_status != 0U) ? what->reset_status : what->status) & 0xFFU;
}

float action_of(const given *input)
{
    return behaviours[input->controller].action;
}

uint32_t external_is_bad(const given *input)
{
    return (input->external == 2U) ? 1U : 0U;
}

uint32_t external_is_there(const given *input)
{
    return (input->external != 0U) ? 1U : 0U;
}

float external_of(const given *input)
{
    return (external_is_bad(input) != 0U) ? supervisor_settings.resting[0] : externals[input->external];
}
