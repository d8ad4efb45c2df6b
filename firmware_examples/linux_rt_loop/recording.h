/*
 * recording.h: what the controller was given, period by period, in memory until the loop has ended. Each
 * line is dt and the observation, as --replay reads them; a period without a reading is a line of nan.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <stdint.h>

#include "ltc_controller.h"

#define RECORDING_PERIODS 65536U /* the first ones; those after them are left out */

/* Keep a period; observation is null where there was no reading. */
void recording_add(float dt_s, const float *observation);

/* Write them to a file; 1 where that worked, else the error was told on standard error. */
uint32_t recording_write(const char *path);

#endif
