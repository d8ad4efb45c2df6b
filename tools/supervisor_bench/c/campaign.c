#include "campaign.h"

#include <math.h>
#include <string.h>

const uint32_t campaign_row_bytes = (uint32_t)sizeof(row);
const uint32_t campaign_record_bytes = (uint32_t)sizeof(record);

/* Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014). */
static uint64_t next_word(row *at)
{
    at->seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t word = at->seed;
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

uint32_t draw(row *at, uint32_t below)
{
    return (uint32_t)(((next_word(at) >> 32) * (uint64_t)below) >> 32);
}

float draw_float(row *at, float low, float high)
{
    return low + ((high - low) * ((float)(next_word(at) >> 40) * 0x1p-24F));
}

static uint32_t reset_controller(void *given)
{
    row *const at = (row *)given;
    ++at->now.resets;
    at->now.reset_status = controller_reset(&at->context);
    at->context_damaged = 0U;
    return at->now.reset_status;
}

static uint32_t step_controller(void *given, const float *observation, float dt_s, float *action)
{
    row *const at = (row *)given;
    ++at->now.steps;
    at->now.own_status = controller_step(&at->context, observation, dt_s, action);
    for (uint32_t i = 0U; i < ACTIONS; ++i) {
        if (at->left[CONTROLLER_NAN] != 0U) {
            action[i] = (draw(at, 2U) != 0U) ? NAN : -INFINITY;
        }
        if (at->left[CONTROLLER_HUGE] != 0U) {
            action[i] = 3e38F * draw_float(at, -1.0F, 1.0F);
        }
        at->now.proposal[i] = action[i];
    }
    return at->now.own_status;
}

static ltc_supervised supervised(row *at)
{
    const ltc_supervised controller = { at, CONTROLLER_NO_ACTION, reset_controller, step_controller };
    return controller;
}

void campaign_start(row *rows, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0U; i < count; ++i) {
        row *const at = &rows[i];
        memset(at, 0, sizeof(*at));
        at->seed = (seed + i) * UINT64_C(0xD1342543DE82EF95);
        const ltc_supervised controller = supervised(at);
        const ltc_supervisor supervisor = { &supervisor_settings, &controller, &at->memory, at->room };
        (void)ltc_supervisor_start(&supervisor);
        memcpy(at->applied, supervisor_settings.resting, sizeof(at->applied));
    }
}

static void step(row *at, const float *observation, float dt_s, float *action, totals *sums)
{
    const ltc_supervised controller = supervised(at);
    const ltc_supervisor supervisor = { &supervisor_settings, &controller, &at->memory, at->room };
    memset(&at->now, 0, sizeof(at->now));
    spoil(at, observation, dt_s);
    damage(at);
    memcpy(at->now.memory_before, &at->memory, sizeof(at->memory));
    memcpy(at->now.room_before, at->room, sizeof(at->room));
    const ltc_supervisor_input input = { at->now.observation, at->now.age_s,  at->now.external,
                                         at->now.dt_s,        at->now.missed, at->now.requests };
    at->now.status = ltc_supervisor_step(&supervisor, &input, at->now.action);
    memcpy(at->now.memory_after, &at->memory, sizeof(at->memory));
    memcpy(at->now.room_after, at->room, sizeof(at->room));
    judge(at, sums);
    memcpy(at->applied, at->now.action, sizeof(at->applied));
    memcpy(action, at->now.action, sizeof(at->applied));
    at->mode = at->memory.mode;
    for (uint32_t i = 0U; i < FAULTS; ++i) {
        at->left[i] = (at->left[i] > 0U) ? (uint8_t)(at->left[i] - 1U) : 0U;
    }
}

void campaign_step(row *rows, uint32_t count, const float *observation, const float *dt_s, float *action,
                   totals *sums)
{
    for (uint32_t i = 0U; i < count; ++i) {
        step(&rows[i], &observation[i * OBSERVATIONS], dt_s[i], &action[i * ACTIONS], sums);
    }
}

void campaign_record(const row *rows, uint32_t number, record *into)
{
    *into = rows[number].now;
}
