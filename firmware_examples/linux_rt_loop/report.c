#include "report.h"

#include <inttypes.h>
#include <stdio.h>

static const double shares[] = { 0.5, 0.9, 0.99, 0.999 };
static const char *const share_names[] = { "p50", "p90", "p99", "p999" };
#define SHARES (sizeof(shares) / sizeof(shares[0]))

static const char *text_of(loop_end end)
{
    switch (end) {
    case LOOP_STOPPED:
        return "stopped";
    case LOOP_FINISHED:
        return "finished";
    case LOOP_SENSORS_ENDED:
        return "input ended";
    case LOOP_ACTUATORS_ENDED:
        return "actuators lost";
    default:
        return "controller lost";
    }
}

static double microseconds(uint64_t nanoseconds)
{
    return (double)nanoseconds * 1e-3;
}

static void json_counts(const control_counts *counts)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        { "periods", counts->periods },       { "fallbacks", counts->fallbacks },
        { "no_reading", counts->no_reading }, { "bad_lines", counts->bad_lines },
        { "not_finite", counts->not_finite }, { "refused", counts->refused },
        { "held", counts->held },             { "dt_clamped", counts->dt_clamped },
        { "saturated", counts->saturated },   { "slew_limited", counts->slew_limited },
    };
    for (size_t i = 0U; i < (sizeof(all) / sizeof(all[0])); ++i) {
        (void)fprintf(stderr, ", \"%s\": %" PRIu64, all[i].name, all[i].value);
    }
}

static void json_times(const char *name, const histogram *times)
{
    if (times->count == 0U) {
        (void)fprintf(stderr, ", \"%s\": null", name); /* nothing was measured */
        return;
    }
    (void)fprintf(stderr, ", \"%s\": {", name);
    for (size_t i = 0U; i < SHARES; ++i) {
        (void)fprintf(stderr, "\"%s\": %.3f, ", share_names[i],
                      microseconds(histogram_percentile(times, shares[i])));
    }
    (void)fprintf(stderr, "\"max\": %.3f}", microseconds(times->largest));
}

static void line_of_times(const char *name, const histogram *times)
{
    if (times->count == 0U) {
        return;
    }
    (void)fprintf(stderr, "%s, us:", name);
    for (size_t i = 0U; i < SHARES; ++i) {
        (void)fprintf(stderr, "  %s %.1f", share_names[i],
                      microseconds(histogram_percentile(times, shares[i])));
    }
    (void)fprintf(stderr, "  max %.1f\n", microseconds(times->largest));
}

static void report_json(loop_end end, const control_counts *counts, const loop_times *times)
{
    (void)fprintf(stderr, "{\"end\": \"%s\"", text_of(end));
    json_counts(counts);
    if (times != NULL) {
        (void)fprintf(stderr,
                      ", \"missed_deadlines\": %" PRIu64 ", \"longest_run_missed\": %" PRIu64
                      ", \"periods_left_out\": %" PRIu64 ", \"actions_not_taken\": %" PRIu64,
                      times->missed, times->longest_run, times->left_out, times->not_taken);
        json_times("wake_up_latency_us", &times->latency);
        json_times("execution_us", &times->execution);
    }
    (void)fprintf(stderr, "}\n");
}

void report(uint32_t json, loop_end end, const control_counts *counts, const loop_times *times)
{
    if (json != 0U) {
        report_json(end, counts, times);
        return;
    }
    (void)fprintf(stderr, "%s after %" PRIu64 " periods\n", text_of(end), counts->periods);
    (void)fprintf(stderr,
                  "fallbacks: %" PRIu64 " (no reading %" PRIu64 ", bad lines %" PRIu64 ", not finite %" PRIu64
                  ", refused %" PRIu64 ")\n",
                  counts->fallbacks, counts->no_reading, counts->bad_lines, counts->not_finite,
                  counts->refused);
    (void)fprintf(stderr,
                  "of the steps: %" PRIu64 " with the reading before, %" PRIu64 " dt clamped, %" PRIu64
                  " saturated, %" PRIu64 " slew limited\n",
                  counts->held, counts->dt_clamped, counts->saturated, counts->slew_limited);
    if (times == NULL) {
        return;
    }
    (void)fprintf(stderr,
                  "missed deadlines: %" PRIu64 " (longest run %" PRIu64 "), periods left out: %" PRIu64
                  ", actions not taken: %" PRIu64 "\n",
                  times->missed, times->longest_run, times->left_out, times->not_taken);
    line_of_times("wake-up latency", &times->latency);
    line_of_times("execution", &times->execution);
}
