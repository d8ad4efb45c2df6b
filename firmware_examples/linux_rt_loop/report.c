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
    case LOOP_INPUT_ENDED:
        return "input ended";
    case LOOP_ACTUATORS_LOST:
        return "actuators lost";
    default:
        return "controller lost";
    }
}

static double microseconds(uint64_t nanoseconds)
{
    return (double)nanoseconds * 1e-3;
}

static void json_counts(const page_counts *counts)
{
    static const char *const modes[PAGE_MODES] = { "disarmed", "shadow", "active", "fallback", "latched" };
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        { "periods", counts->periods },
        { "steps", counts->steps },
        { "missed_deadlines", counts->missed },
        { "longest_run_missed", counts->longest_run },
        { "periods_left_out", counts->left_out },
        { "readings", counts->io.taken },
        { "malformed", counts->io.malformed },
        { "old", counts->io.old },
        { "foreign", counts->io.foreign },
        { "actions_not_taken", counts->io.not_sent },
        { "log_dropped", counts->log_dropped },
    };
    for (size_t i = 0U; i < (sizeof(all) / sizeof(all[0])); ++i) {
        (void)fprintf(stderr, ", \"%s\": %" PRIu64, all[i].name, all[i].value);
    }
    for (size_t i = 0U; i < PAGE_MODES; ++i) {
        (void)fprintf(stderr, "%s\"%s\": %" PRIu64, (i == 0U) ? ", \"modes\": {" : ", ", modes[i],
                      counts->in_mode[i]);
    }
    (void)fprintf(stderr, "}, \"status_bits\": {");
    uint32_t written = 0U;
    for (uint32_t i = 0U; i < 32U; ++i) {
        if (counts->with_bit[i] != 0U) {
            (void)fprintf(stderr, "%s\"0x%x\": %" PRIu64, (written == 0U) ? "" : ", ", (unsigned)(1U << i),
                          counts->with_bit[i]);
            ++written;
        }
    }
    (void)fprintf(stderr, "}");
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

static void report_json(loop_end end, const page *page)
{
    (void)fprintf(stderr, "{\"end\": \"%s\"", text_of(end));
    json_counts(&page->counts);
    json_times("wake_up_latency_us", &page->latency);
    json_times("execution_us", &page->execution);
    json_times("added_us", &page->added);
    (void)fprintf(stderr, "}\n");
}

void report(uint32_t json, loop_end end, const page *page)
{
    const page_counts *const counts = &page->counts;
    if (json != 0U) {
        report_json(end, page);
        return;
    }
    (void)fprintf(stderr, "%s after %" PRIu64 " periods and %" PRIu64 " steps\n", text_of(end),
                  counts->periods, counts->steps);
    (void)fprintf(stderr,
                  "steps disarmed: %" PRIu64 ", in shadow %" PRIu64 ", active %" PRIu64
                  ", in fallback %" PRIu64 ", latched %" PRIu64 "\n",
                  counts->in_mode[0], counts->in_mode[1], counts->in_mode[2], counts->in_mode[3],
                  counts->in_mode[4]);
    (void)fprintf(stderr,
                  "readings: %" PRIu64 " (refused: malformed %" PRIu64 ", old %" PRIu64
                  ", foreign %" PRIu64 ")\n",
                  counts->io.taken, counts->io.malformed, counts->io.old, counts->io.foreign);
    (void)fprintf(stderr,
                  "missed deadlines: %" PRIu64 " (longest run %" PRIu64 "), periods left out: %" PRIu64
                  ", actions not taken: %" PRIu64 "\n",
                  counts->missed, counts->longest_run, counts->left_out, counts->io.not_sent);
    line_of_times("wake-up latency", &page->latency);
    line_of_times("execution", &page->execution);
    line_of_times("added to the bare step", &page->added);
}
