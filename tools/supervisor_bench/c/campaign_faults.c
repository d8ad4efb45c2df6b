/* What goes wrong. A fault begins at random and goes on for some steps; several may go on at once. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "campaign.h"

#define ONE_IN 14U /* steps begin a fault */
#define LONGEST 12U

static void begin(row *at)
{
    if (draw(at, ONE_IN) == 0U) {
        const uint32_t which = draw(at, FAULTS);
        at->left[which] = (uint8_t)(1U + draw(at, LONGEST));
        if (which >= (uint32_t)CONTEXT_FLIP) {
            at->left[which] = 1U; /* once */
        }
        if (which == (uint32_t)SENSOR_STUCK) {
            memcpy(at->stuck, at->now.observation, sizeof(at->stuck));
        }
    }
}

/* Mostly nothing; arming above all, since what is not armed has little to do. */
static uint32_t request(row *at)
{
    static const uint32_t asked[] = { LTC_ARM, LTC_ARM, LTC_ARM, LTC_ARM, LTC_ARM, LTC_DISARM, LTC_TO_SHADOW,
                                      LTC_ARM | LTC_TO_SHADOW, LTC_ARM | LTC_DISARM,
                                      LTC_ARM | LTC_DISARM | LTC_TO_SHADOW };
    return (draw(at, 6U) == 0U) ? asked[draw(at, (uint32_t)(sizeof(asked) / sizeof(asked[0])))] : 0U;
}

static void spoil_readings(row *at)
{
    float *const observation = at->now.observation;
    float *const age_s = at->now.age_s;
    const uint32_t one = draw(at, OBSERVATIONS);
    const float oldest = supervisor_settings.oldest_s[one];
    if (at->left[SENSOR_STUCK] != 0U) {
        memcpy(observation, at->stuck, sizeof(at->stuck));
    }
    if (at->left[SENSOR_SPIKE] != 0U) {
        observation[one] = draw_float(at, -1.0F, 1.0F) * ((draw(at, 2U) != 0U) ? 3e38F : 1e3F);
    }
    if (at->left[SENSOR_NAN] != 0U) {
        observation[one] = NAN;
    }
    if (at->left[SENSOR_INFINITE] != 0U) {
        observation[one] = (draw(at, 2U) != 0U) ? INFINITY : -INFINITY;
    }
    if (at->left[SENSOR_STALE] != 0U) {
        age_s[one] = oldest * draw_float(at, 1.001F, 100.0F);
    }
    if (at->left[AGE_NAN] != 0U) {
        age_s[one] = NAN;
    }
    if (at->left[AGE_NEGATIVE] != 0U) {
        age_s[one] = -draw_float(at, 1e-6F, 10.0F);
    }
    if (at->left[LINK_NEVER] != 0U) {
        for (uint32_t i = 0U; i < OBSERVATIONS; ++i) {
            age_s[i] = INFINITY;
        }
    }
}

static void spoil_time(row *at)
{
    float *const dt_s = &at->now.dt_s;
    if (at->left[DT_SHORT] != 0U) {
        *dt_s = supervisor_settings.dt_min_s * draw_float(at, 0.0F, 0.99F);
    }
    if (at->left[DT_LONG] != 0U) {
        *dt_s = supervisor_settings.dt_max_s * draw_float(at, 1.01F, 2.0F);
    }
    if (at->left[DT_GAP] != 0U) {
        *dt_s = supervisor_settings.gap_s * draw_float(at, 1.01F, 1000.0F);
    }
    if (at->left[DT_NEGATIVE] != 0U) {
        *dt_s = -draw_float(at, 1e-6F, 10.0F);
    }
    if (at->left[DT_NAN] != 0U) {
        *dt_s = (draw(at, 2U) != 0U) ? NAN : INFINITY;
    }
    at->now.missed = (at->left[DEADLINES] != 0U) ? (1U + draw(at, 3U)) : 0U;
}

void spoil(row *at, const float *observation, float dt_s)
{
    memcpy(at->now.observation, observation, sizeof(at->now.observation));
    begin(at);
    at->age_s = (at->left[LINK_LOST] != 0U) ? (at->age_s + (10.0F * dt_s)) : 0.0F;
    for (uint32_t i = 0U; i < OBSERVATIONS; ++i) {
        at->now.age_s[i] = at->age_s;
    }
    for (uint32_t i = 0U; i < ACTIONS; ++i) {
        const float high = supervisor_settings.high[i];
        at->now.external[i] = (at->left[EXTERNAL_NAN] != 0U) ? NAN : draw_float(at, -1.5F * high, 1.5F * high);
    }
    at->now.dt_s = dt_s;
    at->now.requests = request(at);
    spoil_readings(at);
    spoil_time(at);
}

static void flip(row *at, void *place, uint32_t bytes)
{
    const uint32_t bit = draw(at, 8U * bytes);
    ((uint8_t *)place)[bit / 8U] ^= (uint8_t)(1U << (bit % 8U));
}

static void fill(row *at, void *place, uint32_t bytes)
{
    for (uint32_t i = 0U; i < bytes; ++i) {
        ((uint8_t *)place)[i] = (uint8_t)draw(at, 256U);
    }
}

uint32_t campaign_fitting_checksum(const row *at)
{
    uint32_t words[8U + (4U * ACTIONS)];
    uint32_t sum = 0U;
    memcpy(words, &at->memory, 32U);
    memcpy(&words[8], at->room, 16U * ACTIONS);
    for (uint32_t i = 0U; i < (8U + (4U * ACTIONS)); ++i) {
        sum = (31U * sum) + words[i];
    }
    return ~sum;
}

/* A state that was read from another place: restore takes what lies within the bounds. */
static void restore_garbage(row *at)
{
    controller_context other = at->context;
    for (uint32_t i = 0U; i < (uint32_t)(sizeof(other.state) / sizeof(other.state[0])); ++i) {
        if (draw(at, 2U) != 0U) {
            flip(at, &other.state[i], (uint32_t)sizeof(other.state[i]));
        }
    }
    (void)controller_restore(&at->context, other.state);
}

/* A bit of the seal, of the state or of the checksum; none of the bytes that lie between them. */
static void flip_context(row *at)
{
    const uint32_t before = (uint32_t)(offsetof(controller_context, state) + sizeof(at->context.state));
    if (draw(at, before + 4U) < before) {
        flip(at, &at->context, before);
    } else {
        flip(at, &at->context.checksum, 4U);
    }
}

static void damage_context(row *at)
{
    if (at->left[CONTEXT_RESTORED] != 0U) {
        restore_garbage(at);
    }
    if (at->left[CONTEXT_FLIP] != 0U) {
        flip_context(at);
        at->context_damaged = 1U;
    }
    if (at->left[CONTEXT_GARBAGE] != 0U) {
        fill(at, &at->context, (uint32_t)sizeof(at->context));
        at->context_damaged = 1U;
    }
}

void damage(row *at)
{
    at->last_lost = 0U;
    at->plausible = 0U;
    /* Not twice: a second flip might undo the first, and a restore makes it good. */
    if (at->context_damaged == 0U) {
        damage_context(at);
    }
    if (at->left[MEMORY_FLIP] != 0U) {
        flip(at, &at->memory, (uint32_t)sizeof(at->memory));
    }
    if (at->left[ROOM_FLIP] != 0U) {
        flip(at, at->room, 16U * ACTIONS); /* the proposal is written anew in each step */
    }
    if ((at->left[MEMORY_GARBAGE] != 0U) || (at->left[MEMORY_PLAUSIBLE] != 0U)) {
        fill(at, &at->memory, (uint32_t)sizeof(at->memory));
        fill(at, at->room, (uint32_t)sizeof(at->room));
        at->last_lost = 1U;
    }
    if (at->left[MEMORY_PLAUSIBLE] != 0U) {
        /* By half such that a hand-over goes on, from wherever it is believed to have begun. */
        static const uint32_t law_of[5] = { 0U, 1U, 2U, 3U, 4U };
        at->memory.mode = draw(at, 5U);
        at->memory.law = (draw(at, 2U) != 0U) ? law_of[at->memory.mode] : draw(at, 6U);
        at->memory.running = draw(at, 2U);
        at->memory.handover_left_s = draw_float(at, 0.0F, 2.0F * supervisor_settings.handover_s);
        at->memory.checksum = campaign_fitting_checksum(at);
        at->plausible = 1U;
    }
}
