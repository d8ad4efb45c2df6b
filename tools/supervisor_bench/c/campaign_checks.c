/* A step against what was injected; nothing of this is taken from ltc_supervisor.c. */
#include <math.h>

#include "campaign.h"

#define TOLERANCE 1e-6F /* of an action: float32 rounds where the slew is added */

/* The status that a fault must have, whatever else goes on; 0 where it may go unseen. */
static uint32_t belongs_to(const row *at, fault which)
{
    const uint32_t stepped = at->now.steps;
    switch (which) {
    case SENSOR_NAN:
    case SENSOR_INFINITE:
    case DT_NEGATIVE:
    case DT_NAN:
        return LTC_BAD_INPUT;
    case SENSOR_STALE:
    case AGE_NAN:
    case AGE_NEGATIVE:
    case LINK_NEVER:
        return LTC_STALE_INPUT;
    case LINK_LOST:
        return (at->age_s > supervisor_settings.oldest_s[0]) ? LTC_STALE_INPUT : 0U;
    case DT_SHORT:
    case DT_LONG:
    case DT_GAP:
        /* Where several faults of the clock go on, the last one that was put in counts. */
        if (!isfinite(at->now.dt_s) || (at->now.dt_s < 0.0F)) {
            return LTC_BAD_INPUT;
        }
        return ((at->now.dt_s > supervisor_settings.gap_s) && (at->odd_time == 0U)) ? (LTC_GAP | LTC_TIME_CLAMPED)
                                                                                    : LTC_TIME_CLAMPED;
    case DEADLINES:
        return (at->misses > supervisor_settings.misses_allowed) ? LTC_DEADLINES_MISSED : 0U;
    case EXTERNAL_NAN:
        return (at->memory.mode == (uint32_t)LTC_SHADOW) ? LTC_BAD_EXTERNAL : 0U;
    case CONTROLLER_NAN:
        return ((stepped != 0U) && (at->left[CONTROLLER_HUGE] == 0U)) ? LTC_BAD_ACTION : 0U;
    case CONTROLLER_HUGE:
        return 0U; /* finite: it is limited, where the controller acts */
    case CONTEXT_FLIP:
    case CONTEXT_GARBAGE:
        return ((stepped != 0U) && (at->context_damaged != 0U)) ? LTC_CONTROLLER_FAULT : 0U;
    case MEMORY_FLIP:
    case ROOM_FLIP:
    case MEMORY_GARBAGE:
        return (at->plausible == 0U) ? LTC_MEMORY_FAULT : 0U;
    default:
        return 0U;
    }
}

static void judge_action(const row *at, totals *sums)
{
    const float dt_s = at->now.dt_s;
    const float least = supervisor_settings.dt_min_s;
    const float most = supervisor_settings.dt_max_s;
    const float seconds = (isfinite(dt_s) && (dt_s > least)) ? fminf(dt_s, most) : least;
    for (uint32_t i = 0U; i < ACTIONS; ++i) {
        const float action = at->now.action[i];
        const float moved = fabsf(action - at->applied[i]);
        const float reach = supervisor_settings.slew[i] * seconds;
        sums->non_finite += isfinite(action) ? 0U : 1U;
        sums->unbounded +=
            ((action >= supervisor_settings.low[i]) && (action <= supervisor_settings.high[i])) ? 0U : 1U;
        if (!(moved <= (reach + (TOLERANCE * (1.0F + fabsf(action)))))) {
            sums->slew += (at->last_lost != 0U) ? 0U : 1U;
            sums->slew_excused += at->last_lost;
        }
    }
}

/* Bits that come from what was injected alone: there when they must be, and never else. */
static void judge_status(const row *at, totals *sums)
{
    const uint32_t input = LTC_STALE_INPUT | LTC_BAD_INPUT | LTC_DEADLINES_MISSED | LTC_MEMORY_FAULT | LTC_BAD_ACTION
                           | LTC_CONTROLLER_FAULT;
    uint32_t ought = 0U;
    for (uint32_t i = 0U; i < FAULTS; ++i) {
        if (at->left[i] != 0U) {
            const uint32_t bits = belongs_to(at, (fault)i);
            const uint32_t told = ((bits != 0U) && ((at->now.status & bits) == bits)) ? 1U : 0U;
            ought |= bits;
            ++sums->injected[i];
            sums->told[i] += told;
            sums->missing += ((bits != 0U) && (told == 0U)) ? 1U : 0U;
        }
    }
    /* What the controller itself said: a context that was damaged before counts on. */
    if (((at->now.own_status & CONTROLLER_NO_ACTION) != 0U) || (at->now.reset_status != 0U)) {
        ought |= LTC_CONTROLLER_FAULT;
    }
    if (at->plausible != 0U) {
        return; /* its own counters are of somebody else */
    }
    sums->wrong += (((at->now.status & input) & ~ought) != 0U) ? 1U : 0U;
    sums->missing += (((ought & input) & ~at->now.status) != 0U) ? 1U : 0U;
}

static void judge_mode(const row *at, totals *sums)
{
    const uint32_t mode = at->memory.mode;
    const uint32_t requests = at->now.requests;
    const uint32_t fault_there = at->now.status & LTC_FAULTS;
    uint32_t good = (mode <= (uint32_t)LTC_LATCHED) ? 1U : 0U;
    if ((requests & LTC_DISARM) != 0U) {
        good = (mode == (uint32_t)LTC_DISARMED) ? good : 0U;
    } else if (at->plausible == 0U) {
        const uint32_t asked = requests & (LTC_ARM | LTC_TO_SHADOW);
        const uint32_t resting = ((at->mode == (uint32_t)LTC_DISARMED) && (asked == 0U)) ? 1U : 0U;
        const uint32_t forgot = ((at->now.status & LTC_MEMORY_FAULT) != 0U) ? 1U : 0U;
        const uint32_t stays = (at->mode == (uint32_t)LTC_LATCHED) ? 1U : (resting & ~forgot);
        good = ((stays != 0U) && (mode != at->mode)) ? 0U : good;
    } else {
        /* it may believe to be in any mode */
    }
    if (((fault_there != 0U) && (mode == (uint32_t)LTC_ACTIVE))
        || (((at->now.status & LTC_MEMORY_FAULT) != 0U) && (mode != (uint32_t)LTC_LATCHED)
            && (mode != (uint32_t)LTC_DISARMED))) {
        good = 0U;
    }
    sums->mode += (good != 0U) ? 0U : 1U;
    ++sums->modes[mode % 5U];
    ++sums->changes[at->mode % 5U][mode % 5U];
}

void judge(row *at, totals *sums)
{
    at->misses = (at->now.missed == 0U) ? 0U : (at->misses + at->now.missed);
    if ((at->plausible != 0U) || ((at->now.status & LTC_MEMORY_FAULT) != 0U)) {
        at->misses = at->memory.misses; /* the supervisor has forgotten how many */
    }
    at->odd_time |= at->plausible;
    ++sums->steps;
    judge_action(at, sums);
    judge_status(at, sums);
    judge_mode(at, sums);
    if ((at->now.steps != 0U) || ((at->now.status & LTC_MEMORY_FAULT) != 0U)) {
        at->odd_time = 0U;
    }
    for (uint32_t bit = 0U; bit < 32U; ++bit) {
        sums->statuses[bit] += (at->now.status >> bit) & 1U;
    }
}
