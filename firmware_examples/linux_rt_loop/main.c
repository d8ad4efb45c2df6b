/* A controller in a real-time loop on Linux: see README.md. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "io.h"
#include "loop.h"
#include "options.h"
#include "realtime.h"
#include "recording.h"
#include "replay.h"
#include "report.h"

#ifndef PERIOD_S
#error "say the controller's period: the Makefile reads it from the controller's header"
#endif

enum { DONE = 0, LOST = 1, WRONG_USAGE = 2, REFUSED = 3 };

/* Everything is static, so that it is in memory that is locked before the loop begins. */
static control steering;
static loop_times times;

static int64_t nanoseconds(double seconds)
{
    return (int64_t)llround(seconds * 1e9);
}

/* Ask the system for what the options want; 0 where any of it is refused. */
static uint32_t prepare(const options *options)
{
    return (((options->cpu < 0) || (realtime_pin(options->cpu) != 0U))
            && ((options->lock == 0U) || (realtime_lock_memory() != 0U))
            && ((options->priority == 0) || (realtime_schedule(options->priority) != 0U)))
               ? 1U
               : 0U;
}

static int run(const options *options)
{
    const loop_settings settings = { nanoseconds(options->period_s), nanoseconds(options->oldest_s),
                                     options->periods, (options->record != NULL) ? 1U : 0U };
    const int failed = (options->replay == 0U) ? io_open() : 0;
    if (failed != 0) {
        (void)fprintf(stderr, "Error: sensors and actuators cannot be opened: %s\n", strerror(failed));
        return LOST;
    }
    if (prepare(options) == 0U) {
        return REFUSED;
    }
    loop_take_signals();
    const loop_end end =
        (options->replay != 0U) ? replay_run(&steering) : loop_run(&settings, &steering, &times);
    report(options->json, end, &steering.counts, (options->replay != 0U) ? NULL : &times);
    if ((options->record != NULL) && (recording_write(options->record) == 0U)) {
        return WRONG_USAGE;
    }
    return ((end == LOOP_ACTUATORS_ENDED) || (end == LOOP_CONTROLLER_LOST)) ? LOST : DONE;
}

int main(int count, char **arguments)
{
    options options = { .cpu = -1, .period_s = PERIOD_S };
    const options_result read = options_read(count, arguments, &options);
    if (read != OPTIONS_RUN) {
        return (read == OPTIONS_HELP) ? DONE : WRONG_USAGE;
    }
    const uint32_t status = control_start(&steering);
    if (status != 0U) {
        (void)fprintf(stderr, "Error: %s: the selftest failed, status 0x%x; compile it as its header says\n",
                      controller_version(), (unsigned)status);
        return LOST;
    }
    return run(&options);
}
