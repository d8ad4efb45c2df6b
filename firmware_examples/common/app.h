/*
 * app.h: what a user gives to a board with a control loop, in app/sensors.c of its project.
 *
 * All are called from the loop in main, none from an interrupt. None may wait: what a function takes is
 * taken from the period. An observation and an action have the order and the units of the controller's header.
 */
#ifndef APP_H
#define APP_H

#include <stdint.h>

#include "ltc_controller.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Once, after board_init: pins and buses of sensors and actuators. The actuators must be at rest after it. */
void app_start(void);

/*
 * The newest readings, and the seconds since each was measured. One that never came has the age
 * SENSOR_NEVER; the supervisor falls back where an age is above its limit. A reading may be NaN.
 */
void sensors_read(float observation[CONTROLLER_OBSERVATIONS], float age_s[CONTROLLER_OBSERVATIONS]);
#define SENSOR_NEVER 1e9F

/* Put an action out. It is finite, within its limits and within its slew of the one before. */
void actuators_write(const float action[CONTROLLER_ACTIONS]);

/* LTC_ARM, LTC_DISARM, LTC_TO_SHADOW or 0: what a button or a switch asks for, besides the serial line. */
uint32_t app_requests(void);

/* 1 where the readings are those of no real plant; whoever deploys is told. */
uint32_t app_is_simulated(void);

#ifdef __cplusplus
}
#endif

#endif
