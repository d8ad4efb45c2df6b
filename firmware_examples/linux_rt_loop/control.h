/*
 * control.h: the controller, what it falls back to, and what became of its steps.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

#include "ltc_controller.h"

#define CONTROL_STATUS(name) LTC_JOIN(CONTROLLER_UPPER, name)

/* How many periods ended in what; those with an action add up with the fallbacks to all. */
typedef struct {
    uint64_t periods;
    uint64_t fallbacks;  /* of them: the fallback was applied, for one of the next four reasons */
    uint64_t no_reading; /* none yet, or the last one is older than the limit */
    uint64_t bad_lines;
    uint64_t not_finite;
    uint64_t refused; /* by the controller, for corrupt parameters or a corrupt state */
    uint64_t held;    /* stepped with the previous reading, since no other had come */
    uint64_t dt_clamped;
    uint64_t saturated;
    uint64_t slew_limited;
} control_counts;

typedef struct {
    controller_context context;
    float fallback[CONTROLLER_ACTIONS];
    control_counts counts;
} control;

/* Selftest and reset; 0, or status bits: such a controller must not be used. */
uint32_t control_start(control *control);

/* A step; action is the fallback where the status has any bit of CONTROLLER_NO_ACTION. Returns the status. */
uint32_t control_step(control *control, const float observation[CONTROLLER_OBSERVATIONS], float dt_s,
                      float action[CONTROLLER_ACTIONS]);

/* A period without a step, for a reason that is one of the counts. The state stays as it is. */
void control_fall_back(control *control, uint64_t *reason, float action[CONTROLLER_ACTIONS]);

/* Whether a status says that only a restart helps. */
uint32_t control_is_lost(uint32_t status);

#endif
