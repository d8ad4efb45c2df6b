#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ltc_supervisor.h"

static const char help[] =
    "usage: rt_loop [options]\n"
    "Run the controller at its period, behind its supervisor. It starts disarmed: at rest.\n"
    "  --io URL       lines (default), udp://ADDRESS:PORT, serial:///dev/ttyX, can://can0, mailbox://FD,FD\n"
    "  --bind         let udp:// listen beyond this machine\n"
    "  --arm          act as soon as every signal has come; else SIGUSR1, or a request over the I/O, arms\n"
    "  --shadow       compute and log, but let somebody else's action through\n"
    "  --period S     seconds, instead of the controller's own period\n"
    "  --every N      periods from one step of the controller to the next (1)\n"
    "  --fifo N       run under SCHED_FIFO with this priority, 1 to 99\n"
    "  --cpu N        run on this CPU alone\n"
    "  --lock         lock all memory, so that no page is fetched late\n"
    "  --spin S       stay awake so long before each deadline\n"
    "  --log FILE     every step, for `ltc-edge replay`, as MCAP\n"
    "  --log-minutes N --log-keep N   several files of N minutes, and how many of them stay\n"
    "  --force        replace a log that is there\n"
    "  --page FILE    what it is doing, for other processes to look at\n"
    "  --parent PID   end where this process, which started it, is gone\n"
    "  --duration S   end after so many seconds\n"
    "  --bare         also time the controller alone, to tell what all else costs\n"
    "  --json         the summary on standard error as one JSON object\n"
    "SIGTERM and SIGINT end it in the resting action; SIGUSR1 arms, SIGUSR2 disarms.\n"
    "Exit: 0 done; 1 the controller or the actuators are lost; 2 wrong usage; 3 refused by the system.\n";

enum {
    IO = 1, BIND, ARM, SHADOW, PERIOD, EVERY, FIFO, CPU, LOCK, SPIN, LOG, LOG_MINUTES, LOG_KEEP, FORCE, PAGE, PARENT,
    DURATION, BARE, JSON, HELP
};

static const struct option known[] = {
    { "io", required_argument, NULL, IO },
    { "bind", no_argument, NULL, BIND },
    { "arm", no_argument, NULL, ARM },
    { "shadow", no_argument, NULL, SHADOW },
    { "period", required_argument, NULL, PERIOD },
    { "every", required_argument, NULL, EVERY },
    { "fifo", required_argument, NULL, FIFO },
    { "cpu", required_argument, NULL, CPU },
    { "lock", no_argument, NULL, LOCK },
    { "spin", required_argument, NULL, SPIN },
    { "log", required_argument, NULL, LOG },
    { "log-minutes", required_argument, NULL, LOG_MINUTES },
    { "log-keep", required_argument, NULL, LOG_KEEP },
    { "force", no_argument, NULL, FORCE },
    { "page", required_argument, NULL, PAGE },
    { "parent", required_argument, NULL, PARENT },
    { "duration", required_argument, NULL, DURATION },
    { "bare", no_argument, NULL, BARE },
    { "json", no_argument, NULL, JSON },
    { "help", no_argument, NULL, HELP },
    { NULL, 0, NULL, 0 },
};

/* A whole number within a range, or one below it where the text is none. */
static int64_t whole(const char *text, int64_t low, int64_t high)
{
    char *end;
    const long long value = strtoll(text, &end, 10);
    return ((end == text) || (*end != '\0') || (value < low) || (value > high)) ? (low - 1) : (int64_t)value;
}

/* Seconds in a range, or -1 where the text says something else. */
static double seconds(const char *text, double low, double high)
{
    char *end;
    const double value = strtod(text, &end);
    return ((end == text) || (*end != '\0') || !(value >= low) || !(value <= high)) ? -1.0 : value;
}

/* Take an option that is a whole number; null, or what it expects. */
static const char *take_number(int key, const char *text, options *options)
{
    switch (key) {
    case FIFO:
        options->fifo = (int)whole(text, 1, 99);
        return (options->fifo < 1) ? "--fifo: expected a whole number from 1 to 99" : NULL;
    case CPU:
        options->cpu = (int)whole(text, 0, 1023);
        return (options->cpu < 0) ? "--cpu: expected a whole number from 0 to 1023" : NULL;
    case EVERY:
        options->every = (uint32_t)whole(text, 1, 1000000);
        return (options->every == 0U) ? "--every: expected a whole number from 1 to 1000000" : NULL;
    case LOG_MINUTES:
        options->log_minutes = (uint32_t)whole(text, 1, 100000);
        return (options->log_minutes == 0U) ? "--log-minutes: expected a whole number from 1 to 100000" : NULL;
    case LOG_KEEP:
        options->log_keep = (uint32_t)whole(text, 1, 100000);
        return (options->log_keep == 0U) ? "--log-keep: expected a whole number from 1 to 100000" : NULL;
    case PARENT:
        options->parent = whole(text, 1, INT32_MAX);
        return (options->parent == 0) ? "--parent: expected the number of a process" : NULL;
    default:
        return "see --help";
    }
}

/* Take an option that is a text, seconds or nothing; null, or what it expects. */
static const char *take(int key, const char *text, options *options)
{
    switch (key) {
    case IO:
        options->io = text;
        return NULL;
    case LOG:
        options->log = text;
        return NULL;
    case PAGE:
        options->page = text;
        return NULL;
    case PERIOD:
        options->period_s = seconds(text, 1e-6, 86400.0);
        return (options->period_s < 0.0) ? "--period: expected seconds, from 1e-6 to 86400" : NULL;
    case SPIN:
        options->spin_s = seconds(text, 0.0, 1.0);
        return (options->spin_s < 0.0) ? "--spin: expected seconds, from 0 to 1" : NULL;
    case DURATION:
        options->duration_s = seconds(text, 1e-6, 1e9);
        return (options->duration_s < 0.0) ? "--duration: expected seconds above 0" : NULL;
    case BIND:
        options->bind = 1U;
        return NULL;
    case ARM:
        options->at_start |= LTC_ARM;
        return NULL;
    case SHADOW:
        options->at_start |= LTC_TO_SHADOW;
        return NULL;
    case LOCK:
        options->lock = 1U;
        return NULL;
    case FORCE:
        options->force = 1U;
        return NULL;
    case BARE:
        options->bare = 1U;
        return NULL;
    case JSON:
        options->json = 1U;
        return NULL;
    default:
        return take_number(key, text, options);
    }
}

options_result options_read(int count, char **arguments, options *options)
{
    const char *wrong = NULL;
    for (int key = 0; (key != -1) && (wrong == NULL);) {
        key = getopt_long(count, arguments, "", known, NULL);
        if (key == HELP) {
            (void)fputs(help, stdout);
            return OPTIONS_HELP;
        }
        if (key != -1) {
            wrong = take(key, optarg, options);
        }
    }
    if ((wrong == NULL) && (optind < count)) {
        wrong = "there are options alone; see --help";
    }
    if ((wrong == NULL) && (options->at_start == (LTC_ARM | LTC_TO_SHADOW))) {
        wrong = "--arm and --shadow exclude each other";
    }
    if (wrong != NULL) {
        (void)fprintf(stderr, "Error: %s\n", wrong);
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
