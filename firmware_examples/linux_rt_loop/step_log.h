/*
 * step_log.h: every step of a supervised controller, kept in an MCAP file such that it can be replayed to
 * the bit. docs/step-log.md has the messages.
 *
 * The loop fills one entry a step in a bounded ring and never waits: no lock, no system call, no allocation.
 * A thread of ordinary priority writes the ring to the file, half a second at a time, and syncs it to the
 * disk once a second. Where the ring is full the entry is dropped: counted, and told by the next one.
 *
 *     step_log_entry *entry = step_log_next(log);
 *     step_log_before(entry, &supervisor, &context);
 *     status = ltc_supervisor_step(&supervisor, &input, action);
 *     step_log_after(entry, &supervisor, &context, &input, status, action);
 *     ... the action goes out; entry, where it is not null, gets its times ...
 *     step_log_commit(log);
 *
 * All of them take a null log or a null entry and then do nothing, so that a loop without a log is the same
 * loop. One thread calls them. Link with -pthread.
 */
#ifndef STEP_LOG_H
#define STEP_LOG_H

#include <stdint.h>

#include "ltc_controller.h"
#include "ltc_supervisor.h"
#include "mcap_file.h"

#define STEP_LOG_AGES 1U
#define STEP_LOG_EXTERNAL 2U

/* All that a step depends on but for its input. */
typedef struct {
    ltc_supervisor_memory supervisor;
    float room[LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS)];
    controller_context context;
} step_log_state;

typedef struct {
    uint64_t sequence; /* steps before this one; filled by step_log_next, as is dropped */
    uint64_t dropped;  /* steps directly before this one that found the ring full */

    int64_t monotonic_ns; /* when the step began: CLOCK_MONOTONIC and CLOCK_REALTIME; the caller's, as are */
    int64_t wall_ns;
    int64_t latency_ns;   /* from the time to wake up at to waking up */
    int64_t execution_ns; /* from waking up to the action being out */

    float dt_s;
    uint32_t requests;
    uint32_t missed;
    uint32_t given; /* STEP_LOG_AGES, STEP_LOG_EXTERNAL: they were not null */
    uint32_t status;
    float observation[CONTROLLER_OBSERVATIONS];
    float age_s[CONTROLLER_OBSERVATIONS];
    float external[CONTROLLER_ACTIONS];
    float action[CONTROLLER_ACTIONS];
    float proposal[CONTROLLER_ACTIONS];
    step_log_state before;
    step_log_state after;
} step_log_entry;

/* A line of what the log says about itself, such as { "bundle", "sha256 of its manifest" }. */
typedef mcap_fact step_log_fact;

/*
 * The facts that replay and training look for; ltc_edge.deploy.step_log.about writes them as C, as
 * step_log_facts and step_log_fact_count of a file to compile with the loop:
 * controller, bundle, format, period_s, supervisor (sha256 of its settings), observations and actions (JSON
 * lists of [name, unit]).
 */
extern const step_log_fact step_log_facts[];
extern const uint32_t step_log_fact_count;

typedef struct {
    const char *path;   /* of the file, NAME.mcap */
    uint32_t overwrite; /* 1: a file that is there is replaced; 0: it is an error */
    uint32_t minutes;   /* 0: one file; else NAME-0001.mcap, NAME-0002.mcap, ..., each so long */
    uint32_t keep;      /* of several files, the newest so many, those of earlier runs included; 0: all */
    int cpu;            /* the loop's own, which the writer stays off; -1: it has none */
    double period_s;    /* of the loop: the ring takes eight seconds */
    const step_log_fact *facts;
    uint32_t fact_count;
    const ltc_supervisor_settings *supervisor;
} step_log_settings;

typedef struct {
    uint64_t steps;   /* that the loop asked an entry for */
    uint64_t dropped; /* of them: the ring was full */
    uint64_t written; /* of them: in the file, though the last second may not be on the disk yet */
    uint64_t lost;    /* of them: not written, since the file could not take them */
    uint64_t bytes;   /* in this file */
    int error;        /* errno of what ended the log; 0: it goes on */
} step_log_counts;

typedef struct step_log step_log;

/*
 * Create the file and start the writer; before the loop becomes real-time, and before it is pinned to its
 * CPU. Null: the reason was told on standard error.
 */
step_log *step_log_open(const step_log_settings *settings);

/* The entry of this step, or null where the ring is full. One that was not committed is given again. */
step_log_entry *step_log_next(step_log *log);

/* Directly before and after the step. Null ages become 0, a null external action the resting one. */
void step_log_before(step_log_entry *entry, const ltc_supervisor *supervisor,
                     const controller_context *context);
void step_log_after(step_log_entry *entry, const ltc_supervisor *supervisor, const controller_context *context,
                    const ltc_supervisor_input *input, uint32_t status, const float *action);

/* The entry belongs to the writer from now on; nothing where there is none. */
void step_log_commit(step_log *log);

/* What became of the steps so far; from any thread. */
void step_log_count(const step_log *log, step_log_counts *counts);

/*
 * Write what is left, close the file with its index and free everything; counts may be null. 0, or the
 * errno of what ended the log before, which was told on standard error when it happened.
 */
int step_log_close(step_log *log, step_log_counts *counts);

#endif
