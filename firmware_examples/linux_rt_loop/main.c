/* A controller in a real-time loop on Linux: see README.md. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "guard.h"
#include "io.h"
#include "loop.h"
#include "notify.h"
#include "options.h"
#include "page.h"
#include "realtime.h"
#include "report.h"
#include "step_log.h"

#ifndef PERIOD_S
#error "say the controller's period: the Makefile reads it from the controller's header"
#endif

enum { DONE = 0, LOST = 1, WRONG_USAGE = 2, REFUSED = 3 };

/* Everything is static, so that it is in memory that is locked before the loop begins. */
static guard steering;

static int64_t nanoseconds(double seconds)
{
    return (int64_t)llround(seconds * 1e9);
}

/* End with the process that started this one; 0 where it is gone already. */
static uint32_t follow_parent(int64_t parent)
{
    if (parent == 0) {
        return 1U;
    }
    (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGTERM, 0UL, 0UL, 0UL);
    return ((int64_t)getppid() == parent) ? 1U : 0U;
}

/* Ask the system for what the options want; 0 where any of it is refused. */
static uint32_t prepare(const options *options)
{
    realtime_wake_exactly();
    return (((options->cpu < 0) || (realtime_pin(options->cpu) != 0U))
            && ((options->lock == 0U) || (realtime_lock_memory() != 0U))
            && ((options->fifo == 0) || (realtime_schedule(options->fifo) != 0U)))
               ? 1U
               : 0U;
}

static step_log *open_log(const options *options)
{
    const step_log_settings settings = {
        .path = options->log,
        .overwrite = options->force,
        .minutes = options->log_minutes,
        .keep = options->log_keep,
        .cpu = options->cpu,
        .period_s = options->period_s * (double)options->every,
        .facts = step_log_facts,
        .fact_count = step_log_fact_count,
        .supervisor = &supervisor_settings,
    };
    return step_log_open(&settings);
}

/* The I/O of the options, opened; null where it cannot be, which was told. */
static const io_kind *open_io(const options *options, page *page)
{
    io_request request = { NULL, options->bind };
    const io_kind *const io = io_find(options->io, &request.address);
    const char *const wrong = (io == NULL) ? "unknown; see --help" : io->open(&request, page->where);
    if (wrong != NULL) {
        (void)fprintf(stderr, "Error: --io %s: %s\n", options->io, wrong);
        return NULL;
    }
    return io;
}

static int run(const options *options, page *page)
{
    const double periods = options->duration_s / options->period_s;
    const loop_settings settings = {
        .period_ns = nanoseconds(options->period_s),
        .every = options->every,
        .periods = (uint64_t)llround(ceil(periods)),
        .spin_ns = nanoseconds(options->spin_s),
        .bare = options->bare,
    };
    loop_parts parts = { open_io(options, page), &steering, page, NULL };
    if (parts.io == NULL) {
        return WRONG_USAGE;
    }
    loop_take_signals();
    notify_open();
    if (options->log != NULL) {
        parts.log = open_log(options);
        if (parts.log == NULL) {
            return WRONG_USAGE;
        }
    }
    if ((prepare(options) == 0U) || (follow_parent(options->parent) == 0U)) {
        (void)step_log_close(parts.log, NULL);
        return REFUSED;
    }
    const loop_end end = loop_run(&settings, &parts);
    step_log_counts logged;
    (void)step_log_close(parts.log, &logged);
    page_begin(page);
    page->counts.log_dropped = logged.dropped + logged.lost;
    page_end(page);
    report(options->json, end, page);
    return ((end == LOOP_ACTUATORS_LOST) || (end == LOOP_CONTROLLER_LOST)) ? LOST : DONE;
}

int main(int count, char **arguments)
{
    options options = { .io = "lines", .cpu = -1, .every = 1U, .period_s = PERIOD_S };
    const options_result read = options_read(count, arguments, &options);
    if (read != OPTIONS_RUN) {
        return (read == OPTIONS_HELP) ? DONE : WRONG_USAGE;
    }
    page *const page = page_open(options.page);
    if (page == NULL) {
        (void)fprintf(stderr, "Error: --page %s: %s\n", options.page, strerror(errno));
        return WRONG_USAGE;
    }
    const uint32_t status = guard_start(&steering, options.at_start);
    if (status != 0U) {
        (void)fprintf(stderr, "Error: %s: the selftest failed, status 0x%x; compile it as its header says\n",
                      controller_version(), (unsigned)status);
        return LOST;
    }
    return run(&options, page);
}
