/*
 * loop.h: the controller at its period, deadline after deadline.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

#include "guard.h"
#include "io.h"
#include "page.h"
#include "step_log.h"

typedef enum {
    LOOP_RUNNING,
    LOOP_STOPPED,        /* SIGTERM or SIGINT */
    LOOP_FINISHED,       /* as many periods as were asked for */
    LOOP_INPUT_ENDED,    /* no reading will come any more */
    LOOP_ACTUATORS_LOST, /* nobody takes actions */
    LOOP_CONTROLLER_LOST /* its parameters are corrupt */
} loop_end;

typedef struct {
    int64_t period_ns;
    uint32_t every;   /* periods from one step of the controller to the next */
    uint64_t periods; /* 0: until something ends it */
    int64_t spin_ns;  /* awake so long before each deadline */
    uint32_t bare;    /* also step the controller alone, to tell what all else costs */
} loop_settings;

/* What a loop works with. The log may be null. */
typedef struct {
    const io_kind *io;
    guard *guard;
    page *page;
    step_log *log;
} loop_parts;

/*
 * SIGTERM and SIGINT end the loop, SIGUSR1 arms and SIGUSR2 disarms it, and a reader that is gone ends it
 * in the place of the process.
 */
void loop_take_signals(void);

/*
 * Run until something ends it. Then it goes on disarmed until the action is at rest, at most for
 * LOOP_ENDING_NS; the last thing that it gives out is the resting action.
 */
loop_end loop_run(const loop_settings *settings, const loop_parts *parts);

#define LOOP_ENDING_NS INT64_C(2000000000)

#endif
