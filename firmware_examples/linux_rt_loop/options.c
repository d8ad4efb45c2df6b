#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: rt_loop [options]\n"
    "Run the controller at its period: lines of sensor values in, lines of actions out.\n"
    "  --priority N   run under SCHED_FIFO with this priority, 1 to 99\n"
    "  --cpu N        run on this CPU alone\n"
    "  --lock         lock all memory, so that no page is fetched late\n"
    "  --period S     seconds, instead of the controller's own period\n"
    "  --oldest S     a reading older than this is none (two periods)\n"
    "  --periods N    stop after so many\n"
    "  --record FILE  keep what the controller was given, for --replay (the first 65536 periods)\n"
    "  --replay       no clock: lines of dt and sensor values in, each answered at once\n"
    "  --json         the summary on standard error as one JSON object\n"
    "Exit: 0 done; 1 the controller or the actuators are lost; 2 wrong usage; 3 refused by the system.\n";

enum { PRIORITY = 1, CPU, LOCK, PERIOD, OLDEST, PERIODS, RECORD, REPLAY, JSON, HELP };

static const struct option known[] = {
    { "priority", required_argument, NULL, PRIORITY }, { "cpu", required_argument, NULL, CPU },
    { "lock", no_argument, NULL, LOCK },               { "period", required_argument, NULL, PERIOD },
    { "oldest", required_argument, NULL, OLDEST },     { "periods", required_argument, NULL, PERIODS },
    { "record", required_argument, NULL, RECORD },     { "replay", no_argument, NULL, REPLAY },
    { "json", no_argument, NULL, JSON },               { "help", no_argument, NULL, HELP },
    { NULL, 0, NULL, 0 },
};

/* A whole number within a range, or one below it where the text is none. */
static int64_t whole(const char *text, int64_t low, int64_t high)
{
    char *end;
    const long long value = strtoll(text, &end, 10);
    return ((end == text) || (*end != '\0') || (value < low) || (value > high)) ? (low - 1) : (int64_t)value;
}

/* Seconds from a microsecond to a day, or 0 where the text says something else. */
static double seconds(const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    return ((end == text) || (*end != '\0') || !(value >= 1e-6) || !(value <= 86400.0)) ? 0.0 : value;
}

/* Take an option; null, or what it expects. */
static const char *take(int key, const char *text, options *options)
{
    switch (key) {
    case PRIORITY:
        options->priority = (int)whole(text, 1, 99);
        return (options->priority < 1) ? "--priority: expected a whole number from 1 to 99" : NULL;
    case CPU:
        options->cpu = (int)whole(text, 0, 1023);
        return (options->cpu < 0) ? "--cpu: expected a whole number from 0 to 1023" : NULL;
    case PERIOD:
        options->period_s = seconds(text);
        return (options->period_s == 0.0) ? "--period: expected seconds, from 1e-6 to 86400" : NULL;
    case OLDEST:
        options->oldest_s = seconds(text);
        return (options->oldest_s == 0.0) ? "--oldest: expected seconds, from 1e-6 to 86400" : NULL;
    case PERIODS:
        options->periods = (uint64_t)whole(text, 1, INT64_MAX);
        return (options->periods == 0U) ? "--periods: expected a whole number above 0" : NULL;
    case RECORD:
        options->record = text;
        return NULL;
    case LOCK:
        options->lock = 1U;
        return NULL;
    case REPLAY:
        options->replay = 1U;
        return NULL;
    case JSON:
        options->json = 1U;
        return NULL;
    default:
        return "see --help";
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
    if (wrong != NULL) {
        (void)fprintf(stderr, "Error: %s\n", wrong);
        return OPTIONS_WRONG;
    }
    if (options->oldest_s == 0.0) {
        options->oldest_s = 2.0 * options->period_s;
    }
    return OPTIONS_RUN;
}
