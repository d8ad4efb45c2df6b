/* The loop's side of the log: everything here runs within a period. */
#include "step_log.h"

#include <string.h>

#include "step_log_ring.h"

step_log_entry *step_log_next(step_log *log)
{
    if (log == NULL) {
        return NULL;
    }
    step_log_entry *const entry = &log->entries[log->head & (log->slots - 1U)];
    if (log->has_entry != 0U) {
        return entry;
    }
    const uint64_t sequence = log->steps;
    RING_STORE(log->steps, sequence + 1U);
    if ((log->head - log->seen_tail) == log->slots) {
        log->seen_tail = RING_LOAD(log->tail);
    }
    if ((log->head - log->seen_tail) == log->slots) {
        ++log->gap;
        RING_STORE(log->dropped, log->dropped + 1U);
        return NULL;
    }
    entry->sequence = sequence;
    entry->dropped = log->gap;
    entry->monotonic_ns = 0;
    entry->wall_ns = 0;
    entry->latency_ns = 0;
    entry->execution_ns = 0;
    log->gap = 0U;
    log->has_entry = 1U;
    return entry;
}

void step_log_commit(step_log *log)
{
    if ((log != NULL) && (log->has_entry != 0U)) {
        log->has_entry = 0U;
        RING_STORE(log->head, log->head + 1U);
    }
}

static void keep(step_log_state *state, const ltc_supervisor *supervisor, const controller_context *context)
{
    memcpy(&state->supervisor, supervisor->memory, sizeof(state->supervisor));
    memcpy(state->room, supervisor->room, sizeof(state->room));
    memcpy(&state->context, context, sizeof(state->context));
}

void step_log_before(step_log_entry *entry, const ltc_supervisor *supervisor, const controller_context *context)
{
    if (entry != NULL) {
        keep(&entry->before, supervisor, context);
    }
}

void step_log_after(step_log_entry *entry, const ltc_supervisor *supervisor, const controller_context *context,
                    const ltc_supervisor_input *input, uint32_t status, const float *action)
{
    if (entry == NULL) {
        return;
    }
    keep(&entry->after, supervisor, context);
    entry->dt_s = input->dt_s;
    entry->requests = input->requests;
    entry->missed = input->missed;
    entry->status = status;
    memcpy(entry->observation, input->observation, sizeof(entry->observation));
    entry->given = (input->external != NULL) ? STEP_LOG_EXTERNAL : 0U;
    if (input->age_s != NULL) {
        entry->given |= STEP_LOG_AGES;
        memcpy(entry->age_s, input->age_s, sizeof(entry->age_s));
    } else {
        memset(entry->age_s, 0, sizeof(entry->age_s));
    }
    const float *const external = (input->external != NULL) ? input->external : supervisor->settings->resting;
    memcpy(entry->external, external, sizeof(entry->external));
    memcpy(entry->action, action, sizeof(entry->action));
    memcpy(entry->proposal, ltc_supervisor_proposal(supervisor), sizeof(entry->proposal));
}

void step_log_count(const step_log *log, step_log_counts *counts)
{
    memset(counts, 0, sizeof(*counts));
    if (log != NULL) {
        counts->steps = RING_LOAD(log->steps);
        counts->dropped = RING_LOAD(log->dropped);
        counts->written = RING_LOAD(log->written);
        counts->lost = RING_LOAD(log->lost);
        counts->bytes = RING_LOAD(log->bytes);
        counts->error = RING_LOAD(log->error);
    }
}
