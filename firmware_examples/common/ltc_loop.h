/*
 * ltc_loop.h: the control loop of a board: one supervised step a period, by the counter of ltc_serial_ticks.
 *
 *     ltc_loop_start();
 *     for (;;) {
 *         serve the serial line;
 *         ltc_loop_turn();
 *     }
 *
 * It has a controller of its own, which no request over the line steps or changes. Disarmed, it acts with the
 * resting action, and a request may take as long as it takes; else requests of the controller are refused.
 */
#ifndef LTC_LOOP_H
#define LTC_LOOP_H

#include "app.h"
#include "ltc_serial.h"
#include "ltc_supervisor.h"

/* Generated for a project: the loop's period, and the supervisor's settings. */
#include "project.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rounded; a constant, so that no processor divides 64 bits. */
#define LTC_LOOP_PERIOD_TICKS                                                                    \
    ((uint32_t)((((uint64_t)LTC_SERIAL_TICKS_PER_SECOND * LOOP_PERIOD_NS) + 500000000U) / 1000000000U))

typedef struct {
    uint32_t mode;    /* an ltc_mode */
    uint32_t status;  /* bits of the last step */
    uint32_t seen;    /* bits of all steps since this was last told */
    uint32_t steps;   /* in all; wraps */
    uint32_t missed;  /* deadlines, in all, while it was not disarmed */
    uint32_t longest; /* ticks of the longest step since this was last told: reading, controller and acting */
    float action[CONTROLLER_ACTIONS];
} ltc_loop_report;

/* Disarmed, the resting action written, the first step due at once. */
void ltc_loop_start(void);

/* Make the step that is due, if one is. */
void ltc_loop_turn(void);

/* Ask for LTC_ARM, LTC_DISARM or LTC_TO_SHADOW in the next step. */
void ltc_loop_order(uint32_t asked);

/* For so many steps the readings count as lost: whether the fallback works is tried so, before it is needed. */
void ltc_loop_drill(uint32_t steps);

/* How it stands; what was seen and what took longest then count anew after ltc_loop_tell. */
const ltc_loop_report *ltc_loop_last(void);
ltc_loop_report ltc_loop_tell(void);

#ifdef __cplusplus
}
#endif

#endif
