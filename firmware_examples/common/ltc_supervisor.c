/*
 * A step: check the own memory, look at the inputs, let the controller propose, settle the mode, choose what
 * acts, and bring that within slew and limits. The last function that touches the action, bring_within, holds
 * whatever came before it: it reads settings that are constant and compares such that a NaN is never let by.
 */
#include "ltc_supervisor.h"

#include <stddef.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) \
    || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(_M_FP_FAST)
#error "compile without -ffast-math and -Ofast: they remove the checks for NaN"
#endif

/* a * b + c is rounded twice, as in Python; see ltc_f32_arithmetic.h. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#define LARGEST 3.402823466e+38F /* FLT_MAX */
#define CONTROLLERS_OWN 0xFFU    /* bits of a status */
#define UNUSABLE (LTC_STALE_INPUT | LTC_BAD_INPUT)

/* What acts. */
#define LAW_REST 0U
#define LAW_EXTERNAL 1U
#define LAW_CONTROLLER 2U
#define LAW_HOLD 3U
#define LAW_PD 4U
#define LAW_PD_IN_PART 5U /* an action lacks a reading */

typedef union {
    float value;
    uint32_t bits;
} word;

/* What a step knows of its period. */
typedef struct {
    uint32_t known;  /* 0: the clock gave no time */
    float passed_s;  /* at least dt_min_s, such that a clock that stands still stops nothing */
    float bounded_s; /* within the declared range: what slew and hand-over count */
} period;

static uint32_t is_finite(float value)
{
    word found;
    found.value = value;
    return ((found.bits & 0x7F800000U) != 0x7F800000U) ? 1U : 0U;
}

/* A NaN becomes low. */
static float kept_within(float value, float low, float high)
{
    const float above = (value > low) ? value : low;
    return (above < high) ? above : high;
}

static float *began_of(const ltc_supervisor *supervisor)
{
    return &supervisor->room[3U * supervisor->settings->actions];
}

static float *proposal_of(const ltc_supervisor *supervisor)
{
    return &supervisor->room[4U * supervisor->settings->actions];
}

/* A sum that no change of a single word leaves as it was: 31 is odd, so every word counts in full. */
static uint32_t checksum_of(const ltc_supervisor *supervisor)
{
    const ltc_supervisor_memory *const memory = supervisor->memory;
    const float times[3] = { memory->elapsed_s, memory->held_s, memory->handover_left_s };
    const uint32_t kept = 4U * supervisor->settings->actions;
    uint32_t sum = (31U * memory->mode) + memory->law;
    word found;
    sum = (sum * 31U) + memory->running;
    sum = (sum * 31U) + memory->healthy;
    sum = (sum * 31U) + memory->misses;
    for (uint32_t i = 0U; i < 3U; ++i) {
        found.value = times[i];
        sum = (sum * 31U) + found.bits;
    }
    for (uint32_t i = 0U; i < kept; ++i) {
        found.value = supervisor->room[i];
        sum = (sum * 31U) + found.bits;
    }
    return ~sum; /* memory that is all zeros is not taken for good */
}

/* As after a start, in this mode. The last action stays. */
static void start_in(const ltc_supervisor *supervisor, ltc_mode mode)
{
    ltc_supervisor_memory *const memory = supervisor->memory;
    memory->mode = (uint32_t)mode;
    memory->law = LAW_REST;
    memory->running = 0U;
    memory->healthy = 0U;
    memory->misses = 0U;
    memory->elapsed_s = 0.0F;
    memory->held_s = 0.0F;
    memory->handover_left_s = 0.0F;
}

static void put_at_rest(const ltc_supervisor_settings *settings, float *action)
{
    for (uint32_t i = 0U; i < settings->actions; ++i) {
        action[i] = settings->resting[i];
    }
}

/* The last action is what two of its three copies say, bit by bit, and is believed within its limits alone. */
static void recall_last(const ltc_supervisor *supervisor)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    float *const room = supervisor->room;
    const uint32_t actions = settings->actions;
    for (uint32_t i = 0U; i < actions; ++i) {
        word first;
        word second;
        word third;
        first.value = room[i];
        second.value = room[actions + i];
        third.value = room[(2U * actions) + i];
        first.bits = (first.bits & second.bits) | (first.bits & third.bits) | (second.bits & third.bits);
        room[i] = settings->resting[i];
        if (is_finite(first.value) != 0U) {
            room[i] = kept_within(first.value, settings->low[i], settings->high[i]);
        }
    }
}

static uint32_t check_memory(const ltc_supervisor *supervisor)
{
    const uint32_t changed = (supervisor->memory->checksum != checksum_of(supervisor)) ? 1U : 0U;
    recall_last(supervisor);
    if (changed == 0U) {
        return 0U;
    }
    start_in(supervisor, LTC_LATCHED);
    return LTC_MEMORY_FAULT;
}

static uint32_t is_fresh(const ltc_supervisor *supervisor, const ltc_supervisor_input *input, uint32_t i)
{
    if (input->age_s == NULL) {
        return 1U;
    }
    return ((input->age_s[i] >= 0.0F) && (input->age_s[i] <= supervisor->settings->oldest_s[i])) ? 1U : 0U;
}

static period measure(const ltc_supervisor_settings *settings, float dt_s)
{
    period found;
    found.known = ((is_finite(dt_s) != 0U) && (dt_s >= 0.0F)) ? 1U : 0U;
    found.passed_s = ((found.known != 0U) && (dt_s > settings->dt_min_s)) ? dt_s : settings->dt_min_s;
    found.bounded_s = kept_within(found.passed_s, settings->dt_min_s, settings->dt_max_s);
    return found;
}

/* Readings and deadlines. */
static uint32_t check_input(const ltc_supervisor *supervisor, const ltc_supervisor_input *input)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    ltc_supervisor_memory *const memory = supervisor->memory;
    uint32_t status = 0U;
    for (uint32_t i = 0U; i < settings->observations; ++i) {
        status |= (is_fresh(supervisor, input, i) != 0U) ? 0U : LTC_STALE_INPUT;
        status |= (is_finite(input->observation[i]) != 0U) ? 0U : LTC_BAD_INPUT;
    }
    if (input->missed == 0U) {
        memory->misses = 0U;
    } else {
        const uint32_t left = 0xFFFFFFFFU - memory->misses;
        memory->misses += (input->missed < left) ? input->missed : left;
    }
    return status | ((memory->misses > settings->misses_allowed) ? LTC_DEADLINES_MISSED : 0U);
}

/* How long ago the controller was stepped: a reading that it could not be given lengthens its next dt. */
static uint32_t check_time(const ltc_supervisor *supervisor, const period *now, float dt_s)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    ltc_supervisor_memory *const memory = supervisor->memory;
    if (now->known == 0U) {
        memory->running = 0U; /* nobody knows how long ago */
        memory->elapsed_s = now->passed_s;
        return LTC_BAD_INPUT;
    }
    memory->elapsed_s = (memory->running != 0U) ? (memory->elapsed_s + dt_s) : dt_s;
    const uint32_t is_in_range = ((dt_s >= settings->dt_min_s) && (dt_s <= settings->dt_max_s)) ? 1U : 0U;
    const uint32_t out = (is_in_range != 0U) ? 0U : LTC_TIME_CLAMPED;
    if (memory->elapsed_s <= settings->gap_s) {
        return out;
    }
    memory->running = 0U;
    memory->elapsed_s = dt_s;
    return out | LTC_GAP;
}

/* The mode before the controller is asked. */
static uint32_t requested(uint32_t mode, uint32_t requests)
{
    uint32_t next = mode;
    if ((requests & LTC_DISARM) != 0U) {
        next = (uint32_t)LTC_DISARMED;
    } else if (mode >= (uint32_t)LTC_LATCHED) {
        next = (uint32_t)LTC_LATCHED; /* and what is no mode */
    } else if ((requests & LTC_TO_SHADOW) != 0U) {
        next = (uint32_t)LTC_SHADOW;
    } else if (((requests & LTC_ARM) != 0U) && (mode < (uint32_t)LTC_ACTIVE)) {
        next = (uint32_t)LTC_FALLBACK; /* from where it recovers, within this step if all is well */
    } else {
        /* as it is */
    }
    return next;
}

/* Let the controller propose an action; what it cannot is the resting one. */
static uint32_t ask_controller(const ltc_supervisor *supervisor, const ltc_supervisor_input *input)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    const ltc_supervised *const controller = supervisor->controller;
    ltc_supervisor_memory *const memory = supervisor->memory;
    float *const proposal = proposal_of(supervisor);
    const float dt_s = kept_within(memory->elapsed_s, settings->dt_min_s, settings->dt_max_s);
    uint32_t status = ((dt_s >= memory->elapsed_s) && (dt_s <= memory->elapsed_s)) ? 0U : LTC_TIME_CLAMPED;
    uint32_t own = 0U;
    if (memory->running == 0U) {
        own = controller->reset(controller->context);
        status |= (own != 0U) ? LTC_CONTROLLER_FAULT : 0U;
        memory->law = LAW_REST; /* so that a reset controller is handed over to */
    }
    if (own == 0U) {
        own = controller->step(controller->context, input->observation, dt_s, proposal);
        status |= ((own & controller->no_action) != 0U) ? LTC_CONTROLLER_FAULT : 0U;
        for (uint32_t i = 0U; i < settings->actions; ++i) {
            status |= (is_finite(proposal[i]) != 0U) ? 0U : LTC_BAD_ACTION;
        }
    }
    memory->elapsed_s = 0.0F;
    memory->running = ((status & LTC_FAULTS) == 0U) ? 1U : 0U;
    if (memory->running == 0U) {
        put_at_rest(settings, proposal);
    }
    return status | (own & CONTROLLERS_OWN);
}

/* The mode after the controller was asked. */
static uint32_t settled(const ltc_supervisor *supervisor, uint32_t mode, uint32_t status)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    ltc_supervisor_memory *const memory = supervisor->memory;
    const uint32_t fault = status & LTC_FAULTS;
    uint32_t next = mode;
    if (fault != 0U) {
        memory->healthy = 0U;
    } else if (memory->healthy < settings->recover_steps) {
        ++memory->healthy;
    } else {
        /* long enough */
    }
    if ((mode == (uint32_t)LTC_ACTIVE) || (mode == (uint32_t)LTC_FALLBACK)) {
        if ((status & settings->latching) != 0U) {
            next = (uint32_t)LTC_LATCHED;
        } else if (fault != 0U) {
            next = (uint32_t)LTC_FALLBACK;
        } else if (memory->healthy >= settings->recover_steps) {
            next = (uint32_t)LTC_ACTIVE;
        } else {
            /* as it is */
        }
    }
    return next;
}

/* Resting + gain (target - observation) of an action; 0 where a reading that it needs is not usable. */
static uint32_t proportional(const ltc_supervisor *supervisor, const ltc_supervisor_input *input, uint32_t i,
                             float *action)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    const float *const gain = &settings->pd_gain[i * settings->observations];
    float sum = settings->resting[i];
    for (uint32_t j = 0U; j < settings->observations; ++j) {
        if ((gain[j] > 0.0F) || (gain[j] < 0.0F)) {
            if (is_fresh(supervisor, input, j) == 0U) {
                return 0U;
            }
            sum += gain[j] * (settings->pd_target[j] - input->observation[j]);
        }
    }
    *action = sum;
    return is_finite(sum); /* which it is not where a reading is not */
}

static uint32_t choose_pd(const ltc_supervisor *supervisor, const ltc_supervisor_input *input, float *action)
{
    uint32_t status = 0U;
    for (uint32_t i = 0U; i < supervisor->settings->actions; ++i) {
        if (proportional(supervisor, input, i, &action[i]) == 0U) {
            action[i] = supervisor->settings->resting[i];
            status = LTC_PD_WITHOUT_INPUT;
        }
    }
    return status;
}

static uint32_t choose_external(const ltc_supervisor *supervisor, const float *external, float *action)
{
    uint32_t status = 0U;
    for (uint32_t i = 0U; i < supervisor->settings->actions; ++i) {
        action[i] = (is_finite(external[i]) != 0U) ? external[i] : supervisor->settings->resting[i];
        status |= (is_finite(external[i]) != 0U) ? 0U : LTC_BAD_EXTERNAL;
    }
    return status;
}

static uint32_t choose_fallback(const ltc_supervisor *supervisor, const ltc_supervisor_input *input,
                                float passed_s, uint32_t *law, float *action)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    ltc_supervisor_memory *const memory = supervisor->memory;
    uint32_t status = 0U;
    put_at_rest(settings, action);
    if (settings->fallback == LTC_FALL_BACK_TO_PD) {
        status = choose_pd(supervisor, input, action);
        *law = (status == 0U) ? LAW_PD : LAW_PD_IN_PART;
    } else if (settings->fallback == LTC_FALL_BACK_TO_HOLD) {
        memory->held_s += passed_s;
        if (memory->held_s <= settings->hold_s) {
            *law = LAW_HOLD;
            for (uint32_t i = 0U; i < settings->actions; ++i) {
                action[i] = supervisor->room[i];
            }
        } else {
            memory->held_s = LARGEST; /* held no more, however long this lasts */
            status = LTC_HOLD_EXPIRED;
        }
    } else {
        /* at rest */
    }
    return status;
}

/* What the mode wants to be applied. */
static uint32_t choose(const ltc_supervisor *supervisor, const ltc_supervisor_input *input, float passed_s,
                       uint32_t *law, float *action)
{
    const uint32_t mode = supervisor->memory->mode;
    const float *const proposal = proposal_of(supervisor);
    uint32_t status = 0U;
    *law = LAW_REST;
    if (mode >= (uint32_t)LTC_FALLBACK) {
        return choose_fallback(supervisor, input, passed_s, law, action);
    }
    supervisor->memory->held_s = 0.0F;
    put_at_rest(supervisor->settings, action);
    if (mode == (uint32_t)LTC_ACTIVE) {
        *law = LAW_CONTROLLER;
        for (uint32_t i = 0U; i < supervisor->settings->actions; ++i) {
            action[i] = proposal[i];
        }
    } else if ((mode == (uint32_t)LTC_SHADOW) && (input->external != NULL)) {
        *law = LAW_EXTERNAL;
        status = choose_external(supervisor, input->external, action);
    } else {
        /* at rest */
    }
    return status;
}

/* Where another law acts than before, go over to it in equal shares; to rest there is no delay. */
static uint32_t hand_over(const ltc_supervisor *supervisor, uint32_t law, float bounded_s, float *action)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    ltc_supervisor_memory *const memory = supervisor->memory;
    float *const began = began_of(supervisor);
    if (law != memory->law) {
        memory->law = law;
        memory->handover_left_s = settings->handover_s;
        for (uint32_t i = 0U; i < settings->actions; ++i) {
            began[i] = supervisor->room[i];
        }
    }
    const float left = kept_within(memory->handover_left_s - bounded_s, 0.0F, settings->handover_s);
    memory->handover_left_s = (law != LAW_REST) ? left : 0.0F;
    if (!(memory->handover_left_s > 0.0F)) {
        return 0U;
    }
    const float share = memory->handover_left_s / settings->handover_s;
    for (uint32_t i = 0U; i < settings->actions; ++i) {
        action[i] += share * (began[i] - action[i]);
    }
    return LTC_HANDING_OVER;
}

static uint32_t limit(const ltc_supervisor_settings *settings, float *action)
{
    uint32_t status = 0U;
    for (uint32_t i = 0U; i < settings->actions; ++i) {
        status |= ((action[i] < settings->low[i]) || (action[i] > settings->high[i])) ? LTC_LIMITED : 0U;
        action[i] = kept_within(action[i], settings->low[i], settings->high[i]);
    }
    return status;
}

/*
 * Within the slew of the last action and within the limits, whatever the action is. The last one is within its
 * limits, so that the way to it is too, and both can be kept.
 */
static uint32_t bring_within(const ltc_supervisor *supervisor, float bounded_s, float *action)
{
    const ltc_supervisor_settings *const settings = supervisor->settings;
    uint32_t status = 0U;
    for (uint32_t i = 0U; i < settings->actions; ++i) {
        const float last = supervisor->room[i];
        const float reach = settings->slew[i] * bounded_s;
        const float wanted = (is_finite(action[i]) != 0U) ? action[i] : last;
        const float slewed = kept_within(wanted, last - reach, last + reach);
        status |= ((slewed > wanted) || (slewed < wanted)) ? LTC_SLEWED : 0U;
        action[i] = kept_within(slewed, settings->low[i], settings->high[i]);
    }
    return status;
}

static void remember(const ltc_supervisor *supervisor, const float *action)
{
    const uint32_t actions = supervisor->settings->actions;
    for (uint32_t i = 0U; i < actions; ++i) {
        supervisor->room[i] = action[i];
        supervisor->room[actions + i] = action[i];
        supervisor->room[(2U * actions) + i] = action[i];
    }
    supervisor->memory->checksum = checksum_of(supervisor);
}

uint32_t ltc_supervisor_start(const ltc_supervisor *supervisor)
{
    const ltc_supervised *const controller = supervisor->controller;
    start_in(supervisor, LTC_DISARMED);
    put_at_rest(supervisor->settings, began_of(supervisor));
    put_at_rest(supervisor->settings, proposal_of(supervisor));
    remember(supervisor, supervisor->settings->resting);
    return controller->reset(controller->context);
}

uint32_t ltc_supervisor_step(const ltc_supervisor *supervisor, const ltc_supervisor_input *input, float *action)
{
    ltc_supervisor_memory *const memory = supervisor->memory;
    const period now = measure(supervisor->settings, input->dt_s);
    uint32_t law;
    uint32_t status = check_memory(supervisor);
    status |= check_input(supervisor, input);
    status |= check_time(supervisor, &now, input->dt_s);
    memory->mode = requested(memory->mode, input->requests);
    put_at_rest(supervisor->settings, proposal_of(supervisor));
    if ((memory->mode == (uint32_t)LTC_DISARMED) || (memory->mode == (uint32_t)LTC_LATCHED)) {
        memory->running = 0U;
    } else if ((status & UNUSABLE) == 0U) {
        status |= ask_controller(supervisor, input);
    } else {
        /* nothing that it could be asked */
    }
    memory->mode = settled(supervisor, memory->mode, status);
    status |= choose(supervisor, input, now.passed_s, &law, action);
    status |= limit(supervisor->settings, action);
    status |= hand_over(supervisor, law, now.bounded_s, action);
    status |= bring_within(supervisor, now.bounded_s, action);
    remember(supervisor, action);
    return status;
}

ltc_mode ltc_supervisor_mode(const ltc_supervisor *supervisor)
{
    return (ltc_mode)supervisor->memory->mode;
}

const float *ltc_supervisor_proposal(const ltc_supervisor *supervisor)
{
    return proposal_of(supervisor);
}
