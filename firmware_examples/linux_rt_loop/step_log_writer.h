/*
 * step_log_writer.h: what the thread that writes does. For the files of the step log alone.
 */
#ifndef STEP_LOG_WRITER_H
#define STEP_LOG_WRITER_H

#include "mcap_file.h"
#include "step_log_files.h"
#include "step_log_messages.h"
#include "step_log_ring.h"

typedef struct step_log_writer {
    mcap_file file;
    mcap_content content;
    mcap_room room;
    step_log_files files;
    const ltc_supervisor_settings *supervisor;
    int64_t length_ns; /* of a file; 0: no end */
    int64_t clock_ns;  /* the time of day less the clock that never jumps, when the log was opened */

    int64_t file_began_ns; /* on the clock that never jumps, as all below */
    int64_t chunk_began_ns;
    int64_t synced_ns;
    int64_t snapshot_ns;
    uint32_t reason;        /* for a snapshot before the next step */
    uint32_t chunk_steps;   /* steps in the chunk that is not written yet */
    step_log_state state;   /* after the last step */
} step_log_writer;

/* Create the first file. 0 or an errno. */
int step_log_writer_begin(step_log *log, uint32_t overwrite);

/* The thread: it ends once log->stop is set and the ring is empty. */
void *step_log_writer_run(void *log);

int64_t step_log_now(void);

#endif
