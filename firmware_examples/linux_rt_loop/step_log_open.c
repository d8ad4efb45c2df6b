/* Opening and closing a log: all memory is taken and touched here. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "step_log_ring.h"
#include "step_log_writer.h"

#define RING_S 8.0        /* what the ring holds, while a disk is busy */
#define LEAST_SLOTS 256U
#define MOST_SLOTS 65536U
#define STACK_BYTES 262144U /* of the writer; paths and reports are on it */
#ifndef STEP_LOG_MINUTE_NS /* a test has shorter ones */
#define STEP_LOG_MINUTE_NS INT64_C(60000000000)
#endif
#define LIBRARY "ltc-edge step log 1"

static uint32_t slots_for(double period_s)
{
    uint32_t slots = LEAST_SLOTS;
    while ((slots < MOST_SLOTS) && ((double)slots * period_s < RING_S)) {
        slots *= 2U;
    }
    return slots;
}

/* Memory that is there, not only promised. */
static void *take_memory(size_t bytes)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64U, bytes) != 0) {
        return NULL;
    }
    memset(memory, 0, bytes);
    return memory;
}

/* Room for a chunk of an eighth of the ring, its index, and the records about it. */
static uint32_t take_room(step_log_writer *writer, uint32_t slots)
{
    mcap_room *const room = &writer->room;
    const uint32_t steps = slots / 8U;
    /* With each step a snapshot at worst, and the settings once. */
    const size_t step = (2U * MCAP_MESSAGE_HEAD) + step_log_step_size() + step_log_snapshot_size();
    room->place_count = (2U * steps) + 1U;
    room->chunk_size = MCAP_CHUNK_HEAD + (steps * step) + MCAP_MESSAGE_HEAD +
                       step_log_settings_size(writer->supervisor);
    room->record_size = mcap_file_record_size(&writer->content, room->place_count);
    room->chunk = take_memory(room->chunk_size);
    room->places = take_memory(room->place_count * sizeof(*room->places));
    room->records = take_memory(room->record_size);
    return ((room->chunk != NULL) && (room->places != NULL) && (room->records != NULL)) ? 1U : 0U;
}

static void give_back(step_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->writer != NULL) {
        free(log->writer->room.chunk);
        free(log->writer->room.places);
        free(log->writer->room.records);
    }
    free(log->writer);
    free(log->entries);
    free(log);
}

static step_log *take(const step_log_settings *settings)
{
    step_log *const log = take_memory(sizeof(*log));
    if (log == NULL) {
        return NULL;
    }
    log->slots = slots_for(settings->period_s);
    log->entries = take_memory(log->slots * sizeof(*log->entries));
    log->writer = take_memory(sizeof(*log->writer));
    if ((log->entries == NULL) || (log->writer == NULL)) {
        give_back(log);
        return NULL;
    }
    step_log_writer *const writer = log->writer;
    writer->file.file = -1;
    writer->supervisor = settings->supervisor;
    writer->length_ns = (int64_t)settings->minutes * STEP_LOG_MINUTE_NS;
    writer->content.library = LIBRARY;
    writer->content.channels = step_log_channels;
    writer->content.channel_count = STEP_LOG_CHANNELS;
    writer->content.facts = settings->facts;
    writer->content.fact_count = settings->fact_count;
    if (take_room(writer, log->slots) == 0U) {
        give_back(log);
        return NULL;
    }
    return log;
}

/* Ordinary priority, on other CPUs than the loop's where there are others. */
static int start_thread(step_log *log, int cpu)
{
    const struct sched_param ordinary = { .sched_priority = 0 };
    const long cpus = sysconf(_SC_NPROCESSORS_CONF);
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    cpu_set_t others;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    (void)pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    (void)pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
    (void)pthread_attr_setschedparam(&attributes, &ordinary);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    CPU_ZERO(&others);
    for (long other = 0; (other < cpus) && (other < CPU_SETSIZE); ++other) {
        if (other != (long)cpu) {
            CPU_SET((size_t)other, &others);
        }
    }
    if ((cpu >= 0) && (CPU_COUNT(&others) > 0)) {
        (void)pthread_attr_setaffinity_np(&attributes, sizeof(others), &others);
    }
    /* Signals are the loop's. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&log->thread, &attributes, step_log_writer_run, log);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error;
}

static int begin(step_log *log, const step_log_settings *settings)
{
    const uint32_t numbered = (settings->minutes != 0U) ? 1U : 0U;
    int error = step_log_files_begin(&log->writer->files, settings->path, numbered, settings->keep);
    if (error == 0) {
        error = step_log_writer_begin(log, settings->overwrite);
    }
    if (error != 0) {
        return error;
    }
    error = start_thread(log, settings->cpu);
    if (error != 0) {
        (void)mcap_file_finish(&log->writer->file);
    }
    return error;
}

step_log *step_log_open(const step_log_settings *settings)
{
    step_log *const log = take(settings);
    const int error = (log == NULL) ? ENOMEM : begin(log, settings);
    if (error == 0) {
        return log;
    }
    const char *const hint = (error == EEXIST) ? "; choose another name, or remove it" : "";
    (void)fprintf(stderr, "Error: %s: %s%s\n", settings->path, strerror(error), hint);
    give_back(log);
    return NULL;
}

int step_log_close(step_log *log, step_log_counts *counts)
{
    if (log == NULL) {
        if (counts != NULL) {
            memset(counts, 0, sizeof(*counts));
        }
        return 0;
    }
    RING_STORE(log->stop, 1U);
    (void)pthread_join(log->thread, NULL);
    if (counts != NULL) {
        step_log_count(log, counts);
    }
    const int error = log->error;
    give_back(log);
    return error;
}
