/*
 * io.h: where readings come from and where actions go. io_lines.c does it with lines of text; for sensors
 * and actuators on I2C, SPI, CAN or a serial line write a file with these four functions instead, and build
 * with IO=yours.c.
 *
 * io_read and io_write are called once a period and must not wait: they return what is there, or take what
 * can be taken, now.
 */
#ifndef IO_H
#define IO_H

#include <stdint.h>

#include "ltc_controller.h"

typedef enum {
    READING_NEW,  /* observation was filled, in the controller's units; it may hold NaN */
    READING_NONE, /* nothing since the last call */
    READING_BAD,  /* something came that is no reading */
    READING_ENDED /* the sensors are gone for good */
} reading_result;

typedef enum {
    ACTION_TAKEN,
    ACTION_NOT_TAKEN, /* the actuators are busy */
    ACTION_ENDED      /* they are gone for good */
} action_result;

/* 0, or the errno that says why not. Called once, before anything is real-time. */
int io_open(void);

/* The newest reading; older ones, which nobody fetched in time, are of the past. */
reading_result io_read(float observation[CONTROLLER_OBSERVATIONS]);

action_result io_write(const float action[CONTROLLER_ACTIONS]);

/* The last action, for the time after this program. Not in a hurry: it may wait, up to a second. */
action_result io_close(const float action[CONTROLLER_ACTIONS]);

#endif
