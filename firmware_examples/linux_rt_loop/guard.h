/*
 * guard.h: the controller behind its supervisor, what a step is given and what became of it. There is one in a
 * program: its constant addresses are in memory that cannot be written.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdint.h>

#include "io.h"
#include "ltc_controller.h"
#include "ltc_supervisor.h"
#include "step_log.h"

/* Generated from the bundle and a user's supervisor.toml, and compiled with the loop. */
extern const ltc_supervisor_settings supervisor_settings;

typedef struct {
    float age_s[CONTROLLER_OBSERVATIONS];
    float action[CONTROLLER_ACTIONS];
    float dt_s;         /* of the last step */
    uint32_t status;    /* of the last step */
    uint32_t mode;      /* an ltc_mode, after the last step */
    uint32_t at_start;  /* LTC_ARM or LTC_TO_SHADOW, once every signal has come; 0: nothing is left to ask */
    uint32_t requests;  /* for the next step */
    uint32_t missed;    /* deadlines since the last step */
    int64_t stepped_at; /* IO_NEVER before the first step */
} guard;

/*
 * Selftest, reset, and the supervisor disarmed, at rest. Returns 0, or status bits: such a controller must not
 * be used.
 */
uint32_t guard_start(guard *guard, uint32_t at_start);

/*
 * One step with what inputs hold at now; its action is in the guard. dt is the time since the last step, and
 * step_ns before there was one. The entry of the log may be null.
 */
void guard_step(guard *guard, io_inputs *inputs, int64_t now, int64_t step_ns, step_log_entry *entry);

/* Whether the action is the resting one, exactly. */
uint32_t guard_is_at_rest(const guard *guard);

/* Whether only a new start of the program can help: the parameters in memory are not those of the export. */
uint32_t guard_is_lost(const guard *guard);

/* What goes out. */
io_outputs guard_outputs(const guard *guard);

#endif
