/*
 * A controller and its supervisor, stepped through what a step log says went in. `ltc-edge replay` builds it
 * as a shared library, with the bundle's controller and the log's settings, and compares what comes out.
 */
#include <string.h>

#include "ltc_supervisor.h"

extern const ltc_supervisor_settings supervisor_settings;

#include "ltc_guarded.h"

#define GIVEN_AGES 1U
#define GIVEN_EXTERNAL 2U

/* Of many steps, one after the other: rows of inputs, and of outputs. */
typedef struct {
    const float *observation;
    const float *age_s;
    const float *external;
    const float *dt_s;
    const uint32_t *requests;
    const uint32_t *missed;
    const uint32_t *given; /* GIVEN_AGES, GIVEN_EXTERNAL: whether the supervisor was given them */
    float *action;
    float *proposal;
    uint32_t *status;
    uint32_t *mode;
    uint32_t *state_before; /* the checksum in the controller's context */
    uint32_t *state_after;
} step_replay_rows;

void step_replay_sizes(uint32_t sizes[5]);
uint32_t step_replay_start(void);
void step_replay_set(const void *supervisor, const float *room, const void *context);
uint32_t step_replay_is(const void *supervisor, const float *room, const void *context);
void step_replay_run(const step_replay_rows *rows, uint32_t count);

/* Observations, actions, bytes of the supervisor's memory, floats of its room, bytes of the context. */
void step_replay_sizes(uint32_t sizes[5])
{
    sizes[0] = CONTROLLER_OBSERVATIONS;
    sizes[1] = CONTROLLER_ACTIONS;
    sizes[2] = (uint32_t)sizeof(memory);
    sizes[3] = LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS);
    sizes[4] = (uint32_t)sizeof(context);
}

/* Selftest and start; 0, or status bits. */
uint32_t step_replay_start(void)
{
    return controller_selftest() | ltc_supervisor_start(&supervisor);
}

/* Go on from a state that was logged. */
void step_replay_set(const void *logged, const float *logged_room, const void *logged_context)
{
    memcpy(&memory, logged, sizeof(memory));
    memcpy(room, logged_room, sizeof(room));
    memcpy(&context, logged_context, sizeof(context));
}

/* Whether the state is the one that was logged, bit by bit. */
uint32_t step_replay_is(const void *logged, const float *logged_room, const void *logged_context)
{
    const int differs = memcmp(&memory, logged, sizeof(memory)) | memcmp(room, logged_room, sizeof(room))
                        | memcmp(&context, logged_context, sizeof(context));
    return (differs == 0) ? 1U : 0U;
}

void step_replay_run(const step_replay_rows *rows, uint32_t count)
{
    for (uint32_t row = 0U; row < count; ++row) {
        const size_t seen = (size_t)row * CONTROLLER_OBSERVATIONS;
        const size_t done = (size_t)row * CONTROLLER_ACTIONS;
        const ltc_supervisor_input input = {
            .observation = &rows->observation[seen],
            .age_s = ((rows->given[row] & GIVEN_AGES) != 0U) ? &rows->age_s[seen] : NULL,
            .external = ((rows->given[row] & GIVEN_EXTERNAL) != 0U) ? &rows->external[done] : NULL,
            .dt_s = rows->dt_s[row],
            .missed = rows->missed[row],
            .requests = rows->requests[row],
        };
        rows->state_before[row] = context.checksum;
        rows->status[row] = ltc_supervisor_step(&supervisor, &input, &rows->action[done]);
        rows->mode[row] = (uint32_t)ltc_supervisor_mode(&supervisor);
        rows->state_after[row] = context.checksum;
        memcpy(&rows->proposal[done], ltc_supervisor_proposal(&supervisor),
               CONTROLLER_ACTIONS * sizeof(float));
    }
}
