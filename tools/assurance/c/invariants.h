/*
 * invariants.h: what must hold of every step, whatever is in the context and whatever is given.
 *
 * checked_step() makes a step and returns 0, or the line of the first invariant that does not hold.
 */
#ifndef INVARIANTS_H
#define INVARIANTS_H

#include <stdint.h>
#include <string.h>

/* The source itself, such that a corrupted context can be given the checksum that fits it. */
#include "subject.c"
#include "subject_facts.h"

#define KNOWN 0x7FU /* status bits that a step may give */

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline int is_finite(float value)
{
    return (bits_of(value) & 0x7F800000U) != 0x7F800000U;
}

static inline int all_finite(const float *values, uint32_t count)
{
    int finite = 1;
    for (uint32_t i = 0U; i < count; ++i) {
        finite = finite && is_finite(values[i]);
    }
    return finite;
}

static inline int within(const float *values, const float *low, const float *high, uint32_t count)
{
    int inside = 1;
    for (uint32_t i = 0U; i < count; ++i) {
        inside = inside && (values[i] >= low[i]) && (values[i] <= high[i]);
    }
    return inside;
}

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            return __LINE__; \
        } \
    } while (0)

/* The fallback was given: its bits, one reason, which is one that there was, and a context as it was. */
static inline int check_fallback(const subject_context *before, const subject_context *after, int finite,
                                 const float *action, uint32_t status)
{
    const uint32_t reason = status & SUBJECT_NO_ACTION;
    MUST((status & ~(SUBJECT_NO_ACTION | SUBJECT_DT_CLAMPED)) == 0U);
    MUST((reason & (reason - 1U)) == 0U);
    MUST((reason != SUBJECT_NONFINITE_INPUT) || !finite);
    MUST((reason != SUBJECT_CORRUPT_PARAMETERS) || (before->seal == ~READY));
    MUST((reason != SUBJECT_NOT_RESET) || ((before->seal != READY) && (before->seal != ~READY)));
    MUST((reason != SUBJECT_STATE_OUT_OF_BOUNDS) || (before->seal == READY));
    MUST(memcmp(action, subject_fallback, sizeof subject_fallback) == 0);
    MUST(memcmp(before, after, sizeof *before) == 0);
    return 0;
}

/* An action was computed: within its limits, the state within its bounds, dt's clamping told. */
static inline int check_action(const subject_context *before, const subject_context *after, float dt,
                               const float *action, uint32_t status)
{
    MUST((before->seal == READY) && (before->checksum == checksum_of(before)));
    MUST((after->seal == READY) && (after->checksum == checksum_of(after)));
    MUST(all_finite(action, SUBJECT_ACTIONS));
    MUST(within(action, subject_action_low, subject_action_high, SUBJECT_ACTIONS));
    const int clamped = (dt < subject_dt_range[0]) || (dt > subject_dt_range[1]);
    MUST(clamped == ((status & SUBJECT_DT_CLAMPED) != 0U));
#if SUBJECT_FLOAT
    MUST(within(after->state, subject_state_low, subject_state_high, SUBJECT_STATE));
#endif
#if !SUBJECT_SLEWED
    MUST((status & SUBJECT_SLEW_LIMITED) == 0U);
#endif
    return 0;
}

static inline int checked_step(subject_context *context, const float *observation, float dt, float *action)
{
    const subject_context before = *context;
    const int finite = all_finite(observation, SUBJECT_OBSERVATIONS) && is_finite(dt);
    for (uint32_t i = 0U; i < SUBJECT_ACTIONS; ++i) {
        action[i] = float_of(0x7FC00000U);
    }
    const uint32_t status = subject_step(context, observation, dt, action);

    MUST((status & ~KNOWN) == 0U);
    if ((status & SUBJECT_NO_ACTION) != 0U) {
        return check_fallback(&before, context, finite, action, status);
    }
    MUST(finite);
    const int broken = check_action(&before, context, dt, action, status);
#if SUBJECT_PROVED
    if (broken == 0) {
        /* A state that a step left is one that the next step takes. */
        subject_context next = *context;
        float again[SUBJECT_ACTIONS];
        MUST((subject_step(&next, observation, dt, again) & SUBJECT_NO_ACTION) == 0U);
    }
#endif
    return broken;
}

#endif
