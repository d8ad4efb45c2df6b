/* What a step ought to give, found in another way than ltc_supervisor.c finds it. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

#define REQUESTS 4U   /* none, disarm, to shadow, arm: the one that counts */
#define CONDITIONS 4U /* a fault that latches, a fault, none for too short, none for long enough */

uint32_t failures;
static uint64_t steps;
static uint64_t statuses[32];
static uint64_t seen[5][REQUESTS][CONDITIONS][5];

/* The two tables of docs/supervisor.md. */
static const uint32_t after_request[5][REQUESTS] = {
    { 0U, 0U, 1U, 3U }, { 1U, 0U, 1U, 3U }, { 2U, 0U, 1U, 2U }, { 3U, 0U, 1U, 3U }, { 4U, 0U, 4U, 4U },
};
static const uint32_t after_condition[5][CONDITIONS] = {
    { 0U, 0U, 0U, 0U }, { 1U, 1U, 1U, 1U }, { 4U, 3U, 2U, 2U }, { 4U, 3U, 3U, 2U }, { 4U, 4U, 4U, 4U },
};

void fail(const char *why)
{
    ++failures;
    if (failures <= 5U) {
        (void)fprintf(stderr, "does not hold: %s\n", why);
    }
}

static void fail_at(const state *from, const given *input, const char *why)
{
    if (failures < 5U) {
        (void)fprintf(stderr, "mode %u law %u running %u healthy %u misses %u elapsed %g held %g left %g; ", from->mode,
                      from->law, from->running, from->healthy, from->misses, (double)from->elapsed_s,
                      (double)from->held_s, (double)from->handover_left_s);
        (void)fprintf(stderr, "reading %u other %u dt %g missed %u controller %u requests %u external %u\n",
                      input->reading, input->other, (double)time_of(input), missed_of(input), input->controller,
                      input->requests, input->external);
    }
    fail(why);
}

static uint32_t word_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static uint32_t fitting_checksum(void)
{
    uint32_t words[8];
    uint32_t sum = 0U;
    memcpy(words, &supervised_memory, sizeof(words));
    for (uint32_t i = 0U; i < 12U; ++i) {
        sum = (31U * sum) + ((i < 8U) ? words[i] : word_of(supervised_room[i - 8U]));
    }
    return ~sum;
}

void place_in(state control, float last, float began)
{
    supervised_memory = control;
    for (uint32_t i = 0U; i < 3U; ++i) {
        supervised_room[i] = last;
    }
    supervised_room[3] = began;
    supervised_room[4] = 0.0F;
    supervised_memory.checksum = fitting_checksum();
}

static uint32_t effective(uint32_t requests)
{
    if ((requests & LTC_DISARM) != 0U) {
        return 1U;
    }
    return ((requests & LTC_TO_SHADOW) != 0U) ? 2U : (((requests & LTC_ARM) != 0U) ? 3U : 0U);
}

/* The status that input, time and controller call for, and whether the controller is reset and stepped. */
static uint32_t expected_inputs(const state *from, const given *input, uint32_t mode, result *ought)
{
    const ltc_supervisor_settings *const s = &supervisor_settings;
    const double dt = (double)time_of(input);
    const uint32_t known = (isfinite(dt) && (dt >= 0.0)) ? 1U : 0U;
    const double since = (from->running != 0U) ? ((double)from->elapsed_s + dt) : dt;
    const uint32_t gap = ((known != 0U) && (since > (double)s->gap_s)) ? 1U : 0U;
    const double told = (gap != 0U) ? dt : since;
    const double misses = (missed_of(input) == 0U) ? 0.0 : ((double)from->misses + (double)missed_of(input));
    const uint32_t asked = ((mode != 0U) && (mode != 4U) && (is_stale(input) == 0U) && (is_bad(input) == 0U));
    uint32_t status = (is_stale(input) != 0U) ? LTC_STALE_INPUT : 0U;
    status |= (is_bad(input) != 0U) ? LTC_BAD_INPUT : 0U;
    status |= (misses > (double)s->misses_allowed) ? LTC_DEADLINES_MISSED : 0U;
    status |= (gap != 0U) ? LTC_GAP : 0U;
    if ((known != 0U) && ((dt < (double)s->dt_min_s) || (dt > (double)s->dt_max_s))) {
        status |= LTC_TIME_CLAMPED;
    }
    ought->resets = ((asked != 0U) && ((from->running == 0U) || (gap != 0U))) ? 1U : 0U;
    ought->stepped = asked;
    ought->dt_s = 0.0F;
    if (asked == 0U) {
        return status;
    }
    if ((told < (double)s->dt_min_s) || (told > (double)s->dt_max_s)) {
        status |= LTC_TIME_CLAMPED;
    }
    if ((ought->resets != 0U) && ((misbehaviour_of(input) & 1U) != 0U)) {
        ought->stepped = 0U;
        return status | LTC_CONTROLLER_FAULT | own_status_of(input);
    }
    ought->dt_s = (float)fmin(fmax(told, (double)s->dt_min_s), (double)s->dt_max_s);
    status |= ((misbehaviour_of(input) & 2U) != 0U) ? LTC_CONTROLLER_FAULT : 0U;
    status |= ((misbehaviour_of(input) & 4U) != 0U) ? LTC_BAD_ACTION : 0U;
    return status | (((misbehaviour_of(input) & 1U) != 0U) ? 0U : own_status_of(input));
}

/* What ought to act in a mode, before limits; sets the bits that go with it. */
static double expected_target(const state *from, const given *input, uint32_t mode, double last, uint32_t *status)
{
    const ltc_supervisor_settings *const s = &supervisor_settings;
    const double rest = (double)s->resting[0];
    const double passed = (isfinite(time_of(input))) ? fmax((double)time_of(input), (double)s->dt_min_s)
                                                     : (double)s->dt_min_s;
    if (mode == 2U) {
        return (double)action_of(input);
    }
    if (mode == 1U) {
        *status |= (external_is_bad(input) != 0U) ? LTC_BAD_EXTERNAL : 0U;
        return (external_is_there(input) != 0U) ? (double)external_of(input) : rest;
    }
    if ((mode == 0U) || (s->fallback == LTC_FALL_BACK_TO_REST)) {
        return rest;
    }
    if (s->fallback == LTC_FALL_BACK_TO_HOLD) {
        const double held = (double)from->held_s + passed;
        *status |= (held > (double)s->hold_s) ? LTC_HOLD_EXPIRED : 0U;
        return (held > (double)s->hold_s) ? rest : last;
    }
    const double found = rest + ((double)s->pd_gain[0] * ((double)s->pd_target[0] - (double)reading_of(input)));
    if ((reading_is_usable(input) != 0U) && (fabs(found) < (double)FLT_MAX)) {
        return found;
    }
    *status |= LTC_PD_WITHOUT_INPUT;
    return rest;
}

static uint32_t is_rest(const given *input, uint32_t mode, uint32_t status)
{
    return ((mode == 0U) || ((mode == 1U) && (external_is_there(input) == 0U)) || ((status & LTC_HOLD_EXPIRED) != 0U)
            || ((mode >= 3U) && (supervisor_settings.fallback == LTC_FALL_BACK_TO_REST)))
               ? 1U
               : 0U;
}

static double clamped(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

/* The action that ought to be applied; adds what limits, slew and hand-over say. */
static double expected_action(const given *input, uint32_t mode, const result *got, double target, uint32_t *status)
{
    const ltc_supervisor_settings *const s = &supervisor_settings;
    const double low = (double)s->low[0];
    const double high = (double)s->high[0];
    const double dt = (double)time_of(input);
    const double seconds =
        clamped((isfinite(dt) ? fmax(dt, 0.0) : 0.0), (double)s->dt_min_s, (double)s->dt_max_s);
    const double reach = (double)s->slew[0] * seconds;
    double value = clamped(target, low, high);
    *status |= ((target < low) || (target > high)) ? LTC_LIMITED : 0U;
    if ((double)supervised_memory.handover_left_s > 0.0) {
        const double share = (double)supervised_memory.handover_left_s / (double)s->handover_s;
        value += share * ((double)supervised_room[3] - value);
        *status |= LTC_HANDING_OVER;
        if ((is_rest(input, mode, *status) != 0U) || !(share < 1.0)) {
            fail("a hand-over where there is none, or longer than it may be");
        }
    }
    *status |= (fabs(value - (double)got->last) > reach) ? LTC_SLEWED : 0U;
    return clamped(value, (double)got->last - reach, (double)got->last + reach);
}

void check(const state *from, const given *input, const result *got)
{
    const ltc_supervisor_settings *const s = &supervisor_settings;
    const uint32_t request = effective(input->requests);
    const uint32_t asked_for = after_request[from->mode][request];
    result ought = *got;
    uint32_t status = expected_inputs(from, input, asked_for, &ought);
    const uint32_t fault = status & LTC_FAULTS;
    const uint32_t healthy = (fault != 0U) ? 0U : (from->healthy + ((from->healthy < s->recover_steps) ? 1U : 0U));
    const uint32_t condition = ((status & s->latching) != 0U)       ? 0U
                               : (fault != 0U)                      ? 1U
                               : (healthy < s->recover_steps)       ? 2U
                                                                    : 3U;
    const uint32_t mode = after_condition[asked_for][condition];
    const double target = expected_target(from, input, mode, (double)got->last, &status);
    const double action = expected_action(input, mode, got, target, &status);
    ++steps;
    ++seen[from->mode][request][condition][supervised_memory.mode % 5U];
    for (uint32_t bit = 0U; bit < 32U; ++bit) {
        statuses[bit] += (got->status >> bit) & 1U;
    }
    if (!(got->action >= s->low[0]) || !(got->action <= s->high[0])) {
        fail_at(from, input, "an action is within its limits");
    }
    if (!(fabs((double)got->action - action) <= 1e-6)) {
        fail_at(from, input, "the action is what the mode's law gives");
    }
    if ((uint32_t)ltc_supervisor_mode(&supervisor) != mode) {
        fail_at(from, input, "the mode follows the table");
    }
    if (got->status != status) {
        fail_at(from, input, "the status has the bits of what happened, and no others");
    }
    if ((got->resets != ought.resets) || (got->stepped != ought.stepped) || (got->dt_s < ought.dt_s)
        || (got->dt_s > ought.dt_s)) {
        fail_at(from, input, "the controller is reset and stepped when it ought to be, by the time that passed");
    }
    if (!isfinite(*ltc_supervisor_proposal(&supervisor))) {
        fail_at(from, input, "a proposal is finite");
    }
}

void check_alive(state from)
{
    const uint32_t most = (supervisor_settings.recover_steps > 1U) ? supervisor_settings.recover_steps : 1U;
    given well;
    first(&well);
    place_in(from, 0.0F, 0.0F);
    if (from.mode == (uint32_t)LTC_LATCHED) {
        well.requests = LTC_DISARM;
        (void)take(&well);
        if (supervised_memory.mode != (uint32_t)LTC_DISARMED) {
            fail("what is latched can be disarmed");
        }
    }
    well.requests = LTC_ARM;
    for (uint32_t i = 0U; i < most; ++i) {
        (void)take(&well);
    }
    if (supervised_memory.mode != (uint32_t)LTC_ACTIVE) {
        fail("a healthy loop that was armed is active within recover_steps");
    }
}

void check_flips(state from, uint32_t first_bit, uint32_t stride)
{
    const float last = 0.5F * supervisor_settings.high[0];
    const float reach = supervisor_settings.slew[0] * supervisor_settings.dt_max_s;
    given well;
    first(&well);
    for (uint32_t bit = first_bit; bit < (32U * 13U); bit += stride) {
        const uint32_t byte = bit / 8U;
        const uint32_t size = (uint32_t)sizeof(supervised_memory);
        uint8_t *const place =
            (byte < size) ? &((uint8_t *)&supervised_memory)[byte] : &((uint8_t *)supervised_room)[byte - size];
        for (well.requests = 0U; well.requests <= LTC_DISARM; well.requests += LTC_DISARM) {
            place_in(from, last, 0.0F);
            *place ^= (uint8_t)(1U << (bit % 8U));
            const result got = take(&well);
            const uint32_t mode = (well.requests == 0U) ? (uint32_t)LTC_LATCHED : (uint32_t)LTC_DISARMED;
            ++steps;
            if (((got.status & LTC_MEMORY_FAULT) == 0U) || (supervised_memory.mode != mode)) {
                fail("a flipped bit is noticed, and latches");
            }
            if (!(fabsf(got.action - last) <= reach)) {
                fail("a flipped bit leaves the action within its slew");
            }
        }
    }
}

/* Any bits; every other a float that is not finite, too large, or of the settings. */
static uint32_t drawn(uint64_t *seed)
{
    static const float special[] = { NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 1e-45F, -0.0F, 1.0F, 0.5F, 2.0F };
    *seed = (*seed * UINT64_C(6364136223846793005)) + UINT64_C(1442695040888963407);
    const uint32_t high = (uint32_t)(*seed >> 33);
    if ((high & 3U) == 0U) {
        return (uint32_t)(*seed >> 40) % 8U;
    }
    return ((high & 3U) == 1U) ? word_of(special[(high >> 2) % 10U]) : (uint32_t)(*seed >> 29);
}

void check_garbage(uint32_t draws)
{
    const ltc_supervisor_settings *const s = &supervisor_settings;
    uint64_t seed = 1U;
    given input;
    first(&input);
    for (uint32_t draw = 0U; draw < draws; ++draw) {
        uint32_t words[14];
        for (uint32_t i = 0U; i < 14U; ++i) {
            words[i] = drawn(&seed);
        }
        memcpy(&supervised_memory, words, sizeof(supervised_memory));
        memcpy(supervised_room, &words[9], sizeof(supervised_room));
        if ((draw & 1U) != 0U) {
            supervised_memory.checksum = fitting_checksum();
        }
        const result got = take(&input);
        const result after = take(&input);
        steps += 2U;
        if (!(got.action >= s->low[0]) || !(got.action <= s->high[0]) || !(after.action >= s->low[0])
            || !(after.action <= s->high[0])) {
            fail("whatever memory holds, the action is within its limits");
        }
        if (!(fabsf(after.action - got.action) <= (s->slew[0] * s->dt_max_s))) {
            fail("the step after is within its slew");
        }
        if (((draw & 1U) == 0U) && ((got.status & LTC_MEMORY_FAULT) == 0U)) {
            fail("garbage is noticed"); /* but for one in 2^32 */
        }
        next(&input, 1U);
        if (input.ended != 0U) {
            first(&input);
        }
    }
}

void print_totals(void)
{
    const char *separator = "";
    (void)printf("\"steps\": %llu, \"failures\": %u, \"statuses\": {", (unsigned long long)steps, failures);
    for (uint32_t bit = 0U; bit < 32U; ++bit) {
        if (statuses[bit] != 0U) {
            (void)printf("%s\"%u\": %llu", separator, 1U << bit, (unsigned long long)statuses[bit]);
            separator = ", ";
        }
    }
    (void)printf("}, \"transitions\": [");
    separator = "";
    for (uint32_t i = 0U; i < (5U * REQUESTS * CONDITIONS * 5U); ++i) {
        const uint32_t from = i / (REQUESTS * CONDITIONS * 5U);
        const uint32_t request = (i / (CONDITIONS * 5U)) % REQUESTS;
        const uint32_t condition = (i / 5U) % CONDITIONS;
        if (seen[from][request][condition][i % 5U] != 0U) {
            (void)printf("%s[%u, %u, %u, %u]", separator, from, request, condition, i % 5U);
            separator = ", ";
        }
    }
    (void)printf("]}\n");
}
