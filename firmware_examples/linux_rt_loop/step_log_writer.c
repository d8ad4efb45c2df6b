#include "step_log_writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define CHUNK_NS (SECOND / 2)
#define LOOK_NS (SECOND / 50) /* between two looks at the ring */

int64_t step_log_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * SECOND) + (int64_t)now.tv_nsec;
}

/* The time of day of a moment, by the clock that never jumps: times in a file rise. */
static uint64_t time_of(const step_log_writer *writer, int64_t monotonic_ns)
{
    const int64_t time_ns = monotonic_ns + writer->clock_ns;
    return (time_ns > 0) ? (uint64_t)time_ns : 0U;
}

/* The log ends here: it is closed as well as the disk allows, and the loop goes on. */
static void give_up(step_log *log, int error)
{
    step_log_writer *const writer = log->writer;
    RING_STORE(log->lost, log->lost + writer->chunk_steps);
    writer->chunk_steps = 0U;
    if (log->error == 0) {
        (void)fprintf(stderr, "Warning: %s: %s; the log ends after %llu steps, the loop goes on\n",
                      writer->files.present, strerror(error), (unsigned long long)log->written);
        RING_STORE(log->error, error);
    }
    (void)mcap_file_finish(&writer->file);
    RING_STORE(log->bytes, writer->file.size);
}

static void end_chunk(step_log *log)
{
    step_log_writer *const writer = log->writer;
    const int error = mcap_file_end_chunk(&writer->file);
    if (error != 0) {
        give_up(log, error);
        return;
    }
    RING_STORE(log->written, log->written + writer->chunk_steps);
    RING_STORE(log->bytes, writer->file.size);
    writer->chunk_steps = 0U;
}

static void sync_file(step_log *log, int64_t now)
{
    step_log_writer *const writer = log->writer;
    const int error = mcap_file_sync(&writer->file);
    writer->synced_ns = now;
    if (error != 0) {
        give_up(log, error);
    }
}

/* The next file, and what it begins with. */
static int begin_file(step_log *log, uint32_t overwrite, int64_t now)
{
    step_log_writer *const writer = log->writer;
    int error = step_log_files_next(&writer->files);
    if (error == 0) {
        error = mcap_file_create(&writer->file, writer->files.present, overwrite, &writer->content,
                                 &writer->room);
    }
    if (error != 0) {
        return error;
    }
    uint8_t *const place = mcap_file_message(&writer->file, STEP_LOG_SETTINGS, 0U, time_of(writer, now),
                                             step_log_settings_size(writer->supervisor));
    step_log_put_settings(place, writer->supervisor);
    writer->file_began_ns = now;
    writer->chunk_began_ns = now;
    writer->reason = STEP_LOG_START;
    RING_STORE(log->bytes, writer->file.size);
    return 0;
}

int step_log_writer_begin(step_log *log, uint32_t overwrite)
{
    step_log_writer *const writer = log->writer;
    struct timespec wall;
    const int64_t now = step_log_now();
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    writer->clock_ns = ((int64_t)wall.tv_sec * SECOND) + (int64_t)wall.tv_nsec - now;
    writer->synced_ns = now;
    return begin_file(log, overwrite, now);
}

/* Why a snapshot belongs before a step; 0 where it does not. */
static uint32_t reason_for_snapshot(const step_log_writer *writer, const step_log_entry *entry)
{
    uint32_t reason = writer->reason;
    if (entry->dropped != 0U) {
        reason |= STEP_LOG_GAP;
    } else if (((reason & STEP_LOG_START) == 0U) &&
               (memcmp(&entry->before, &writer->state, sizeof(writer->state)) != 0)) {
        reason |= STEP_LOG_CHANGED;
    }
    const uint32_t due = ((entry->monotonic_ns - writer->snapshot_ns) >= SECOND) ? 1U : 0U;
    return ((reason == 0U) && (due != 0U)) ? STEP_LOG_PERIODIC : reason;
}

/* 1 where there was room in the chunk. */
static uint32_t put_entry(step_log_writer *writer, const step_log_entry *entry)
{
    const uint32_t number = (uint32_t)entry->sequence;
    const uint64_t time_ns = time_of(writer, entry->monotonic_ns);
    const uint32_t reason = reason_for_snapshot(writer, entry);
    if (reason != 0U) {
        const size_t size = step_log_snapshot_size();
        uint8_t *const place = mcap_file_message(&writer->file, STEP_LOG_SNAPSHOT, number, time_ns, size);
        if (place == NULL) {
            return 0U;
        }
        step_log_put_snapshot(place, entry, reason);
        writer->snapshot_ns = entry->monotonic_ns;
        writer->reason = 0U;
        memcpy(&writer->state, &entry->before, sizeof(writer->state));
    }
    uint8_t *const place =
        mcap_file_message(&writer->file, STEP_LOG_STEP, number, time_ns, step_log_step_size());
    if (place == NULL) {
        return 0U;
    }
    step_log_put_step(place, entry);
    memcpy(&writer->state, &entry->after, sizeof(writer->state));
    ++writer->chunk_steps;
    return 1U;
}

/* Take what the ring holds. */
static void drain(step_log *log)
{
    step_log_writer *const writer = log->writer;
    const uint32_t head = RING_LOAD(log->head);
    while (log->tail != head) {
        const step_log_entry *const entry = &log->entries[log->tail & (log->slots - 1U)];
        if ((log->error == 0) && (put_entry(writer, entry) == 0U)) {
            end_chunk(log);
            writer->chunk_began_ns = step_log_now();
            continue;
        }
        if (log->error != 0) {
            RING_STORE(log->lost, log->lost + 1U);
        }
        RING_STORE(log->tail, log->tail + 1U);
    }
}

/* What is due by the clock: a chunk, a sync, another file. */
static void keep_up(step_log *log)
{
    step_log_writer *const writer = log->writer;
    const int64_t now = step_log_now();
    if ((log->error == 0) && ((now - writer->chunk_began_ns) >= CHUNK_NS)) {
        writer->chunk_began_ns = now;
        end_chunk(log);
    }
    if ((log->error == 0) && ((now - writer->synced_ns) >= SECOND)) {
        sync_file(log, now);
    }
    if ((log->error == 0) && (writer->length_ns != 0) && ((now - writer->file_began_ns) >= writer->length_ns)) {
        end_chunk(log);
        int error = log->error;
        if (error == 0) {
            error = mcap_file_finish(&writer->file);
            error = (error != 0) ? error : begin_file(log, 0U, now);
        }
        if ((error != 0) && (log->error == 0)) {
            give_up(log, error);
        }
    }
}

void *step_log_writer_run(void *argument)
{
    step_log *const log = argument;
    const struct timespec pause = { 0, (long)LOOK_NS };
    uint32_t stop = 0U;
    while (stop == 0U) {
        stop = RING_LOAD(log->stop); /* before the look, which then finds all that was committed */
        drain(log);
        keep_up(log);
        if (stop == 0U) {
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        }
    }
    if (log->error == 0) {
        end_chunk(log);
    }
    if (log->error == 0) {
        const int error = mcap_file_finish(&log->writer->file);
        RING_STORE(log->bytes, log->writer->file.size);
        if (error != 0) {
            give_up(log, error);
        }
    }
    return NULL;
}
