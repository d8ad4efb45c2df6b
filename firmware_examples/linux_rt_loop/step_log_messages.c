#include "step_log_messages.h"

#include "mcap_file_bytes.h"

/* The head of a CDR message: little-endian, no options. All fields are in an order that needs no padding. */
static const uint8_t cdr_head[4] = { 0x00U, 0x01U, 0x00U, 0x00U };

#define HEAD sizeof(cdr_head)
#define BYTES(count) (sizeof(uint32_t) + (count)) /* a multiple of four, as the structures are */
#define FLOATS(count) (sizeof(uint32_t) + ((count) * sizeof(float)))

static uint8_t *put_floats(uint8_t *at, const float *values, uint32_t count)
{
    return mcap_put(mcap_put_u32(at, count), values, count * sizeof(float));
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t count)
{
    return mcap_put(mcap_put_u32(at, (uint32_t)count), bytes, count);
}

static uint8_t *put_float(uint8_t *at, float value)
{
    return mcap_put(at, &value, sizeof(value));
}

size_t step_log_step_size(void)
{
    return HEAD + (6U * sizeof(uint64_t)) + (8U * sizeof(uint32_t)) + (2U * FLOATS(CONTROLLER_OBSERVATIONS)) +
           (3U * FLOATS(CONTROLLER_ACTIONS));
}

void step_log_put_step(uint8_t *at, const step_log_entry *entry)
{
    at = mcap_put(at, cdr_head, HEAD);
    at = mcap_put_u64(mcap_put_u64(at, entry->sequence), entry->dropped);
    at = mcap_put_u64(mcap_put_u64(at, (uint64_t)entry->monotonic_ns), (uint64_t)entry->wall_ns);
    at = mcap_put_u64(mcap_put_u64(at, (uint64_t)entry->latency_ns), (uint64_t)entry->execution_ns);
    at = put_float(at, entry->dt_s);
    at = mcap_put_u32(mcap_put_u32(at, entry->requests), entry->missed);
    at = mcap_put_u32(at, entry->given);
    at = mcap_put_u32(mcap_put_u32(at, entry->status), entry->after.supervisor.mode);
    at = mcap_put_u32(at, entry->before.context.checksum);
    at = mcap_put_u32(at, entry->after.context.checksum);
    at = put_floats(at, entry->observation, CONTROLLER_OBSERVATIONS);
    at = put_floats(at, entry->age_s, CONTROLLER_OBSERVATIONS);
    at = put_floats(at, entry->external, CONTROLLER_ACTIONS);
    at = put_floats(at, entry->action, CONTROLLER_ACTIONS);
    (void)put_floats(at, entry->proposal, CONTROLLER_ACTIONS);
}

size_t step_log_snapshot_size(void)
{
    return HEAD + sizeof(uint64_t) + sizeof(uint32_t) + BYTES(sizeof(ltc_supervisor_memory)) +
           FLOATS(LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS)) + BYTES(sizeof(controller_context));
}

void step_log_put_snapshot(uint8_t *at, const step_log_entry *entry, uint32_t reason)
{
    const step_log_state *const state = &entry->before;
    at = mcap_put_u32(mcap_put_u64(mcap_put(at, cdr_head, HEAD), entry->sequence), reason);
    at = put_bytes(at, &state->supervisor, sizeof(state->supervisor));
    at = put_floats(at, state->room, LTC_SUPERVISOR_ROOM(CONTROLLER_ACTIONS));
    (void)put_bytes(at, &state->context, sizeof(state->context));
}

/* A PD law's numbers, or none. */
static uint32_t pd_count(const ltc_supervisor_settings *settings, uint32_t count)
{
    return (settings->fallback == LTC_FALL_BACK_TO_PD) ? count : 0U;
}

size_t step_log_settings_size(const ltc_supervisor_settings *settings)
{
    const uint32_t gains = pd_count(settings, settings->actions * settings->observations);
    return HEAD + (11U * sizeof(uint32_t)) + FLOATS(settings->observations) + (4U * FLOATS(settings->actions)) +
           FLOATS(gains) + FLOATS(pd_count(settings, settings->observations));
}

void step_log_put_settings(uint8_t *at, const ltc_supervisor_settings *settings)
{
    const uint32_t gains = pd_count(settings, settings->actions * settings->observations);
    at = mcap_put_u32(mcap_put_u32(mcap_put(at, cdr_head, HEAD), settings->observations), settings->actions);
    at = put_float(put_float(at, settings->dt_min_s), settings->dt_max_s);
    at = mcap_put_u32(put_float(at, settings->gap_s), (uint32_t)settings->fallback);
    at = put_float(put_float(at, settings->hold_s), settings->handover_s);
    at = mcap_put_u32(mcap_put_u32(at, settings->misses_allowed), settings->recover_steps);
    at = mcap_put_u32(at, settings->latching);
    at = put_floats(at, settings->oldest_s, settings->observations);
    at = put_floats(at, settings->low, settings->actions);
    at = put_floats(at, settings->high, settings->actions);
    at = put_floats(at, settings->slew, settings->actions);
    at = put_floats(at, settings->resting, settings->actions);
    at = put_floats(at, settings->pd_gain, gains);
    (void)put_floats(at, settings->pd_target, pd_count(settings, settings->observations));
}
