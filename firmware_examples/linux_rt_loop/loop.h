/*
 * loop.h: the controller at its period, deadline after deadline.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

#include "control.h"
#include "histogram.h"

typedef enum {
    LOOP_STOPPED,          /* SIGTERM or SIGINT */
    LOOP_FINISHED,         /* as many periods as were asked for */
    LOOP_SENSORS_ENDED,    /* no reading will come any more */
    LOOP_ACTUATORS_ENDED,  /* nobody takes actions */
    LOOP_CONTROLLER_LOST   /* its parameters or its state are corrupt */
} loop_end;

typedef struct {
    int64_t period_ns;
    int64_t oldest_ns; /* a reading older than this is none */
    uint64_t periods;  /* 0: until something ends it */
    uint32_t record;
} loop_settings;

typedef struct {
    histogram latency;   /* from the time to wake up at to waking up */
    histogram execution; /* from waking up to the action being out */
    uint64_t missed;     /* periods whose action was not out before the next one began */
    uint64_t longest_run; /* of missed ones, one after the other */
    uint64_t left_out;   /* periods that were over before their turn came */
    uint64_t not_taken;  /* actions that the actuators did not take */
    uint64_t run;        /* of missed ones, so far */
} loop_times;

/* Have SIGTERM and SIGINT end the loop, and a reader that is gone end it too, instead of the process. */
void loop_take_signals(void);

/* Run until something ends it; the last thing that it gives out is the fallback. */
loop_end loop_run(const loop_settings *settings, control *control, loop_times *times);

#endif
