/*
 * Every state of control that a supervisor reaches, breadth first, with every class of input from each.
 *
 * What decides, mode, law and counters, does not depend on the values of actions: that is checked at every step,
 * by taking it from several rooms. So the states of control are searched to their end, and the actions are
 * checked from the corners of what a room can hold. Settings are small, and their times are halves and quarters,
 * which float32 adds without rounding, so that the states are few. Prints one JSON object; exit 1 where
 * something does not hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

#define MOST_STATES (1U << 20)

static state states[MOST_STATES];
static uint32_t places[2U * MOST_STATES]; /* a hash table of numbers of states, from 1 */
static uint32_t found;
static uint32_t stride; /* every how many inputs are taken: 1 for all */

/* Counters of deadlines that are all too many are one: they can only be compared with misses_allowed. */
static state canonical(const ltc_supervisor_memory *memory)
{
    state kept;
    memcpy(&kept, memory, sizeof(kept));
    if (kept.misses > (supervisor_settings.misses_allowed + 1U)) {
        kept.misses = supervisor_settings.misses_allowed + 1U;
    }
    kept.checksum = 0U;
    return kept;
}

static void visit(const ltc_supervisor_memory *memory)
{
    const state kept = canonical(memory);
    uint32_t words[sizeof(kept) / 4U];
    memcpy(words, &kept, sizeof(kept));
    uint32_t hash = 0U;
    for (uint32_t i = 0U; i < (sizeof(kept) / 4U); ++i) {
        hash = (hash ^ words[i]) * 0x9E3779B1U;
        hash ^= hash >> 15;
    }
    uint32_t place = hash % (2U * MOST_STATES);
    while (places[place] != 0U) {
        if (memcmp(&states[places[place] - 1U], &kept, sizeof(kept)) == 0) {
            return;
        }
        place = (place + 1U) % (2U * MOST_STATES);
    }
    if (found == MOST_STATES) {
        fail("more states than there is room for");
    }
    states[found] = kept;
    ++found;
    places[place] = found;
}

static float corners(uint32_t room, uint32_t which)
{
    const float low = supervisor_settings.low[0];
    const float high = supervisor_settings.high[0];
    const float rest = supervisor_settings.resting[0];
    const float value[ROOMS][2] = { { rest, rest }, { high, low }, { low, high }, { 0.25F * high, rest } };
    return value[room][which];
}

static void expand(state from)
{
    static uint32_t turn;
    given input;
    for (first(&input); input.ended == 0U; next(&input, from.mode)) {
        state after = { 0 };
        ++turn;
        if ((turn % stride) != 0U) {
            continue;
        }
        for (uint32_t room = 0U; room < ROOMS; ++room) {
            place_in(from, corners(room, 0U), corners(room, 1U));
            const result got = take(&input);
            check(&from, &input, &got);
            if (room == 0U) {
                after = canonical(&supervised_memory);
                visit(&supervised_memory);
            }
            const state same = canonical(&supervised_memory);
            if (memcmp(&after, &same, sizeof(same)) != 0) {
                fail("the next state depends on values of actions");
            }
        }
    }
}

static void explore(void)
{
    (void)ltc_supervisor_start(&supervisor);
    visit(&supervised_memory);
    for (uint32_t i = 0U; i < found; ++i) {
        expand(states[i]);
    }
}

int main(int count, char **arguments)
{
    stride = (count > 1) ? (uint32_t)atoi(arguments[1]) : 1U;
    explore();
    for (uint32_t i = 0U; i < found; ++i) {
        check_alive(states[i]);
        check_flips(states[i], (stride == 1U) ? 0U : (i % 13U), (stride == 1U) ? 1U : 13U);
    }
    check_garbage((stride == 1U) ? 1000000U : 20000U);
    printf("{\"states\": %u, ", found);
    print_totals();
    return (failures == 0U) ? 0 : 1;
}
