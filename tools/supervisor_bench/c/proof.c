/*
 * For Frama-C's Eva: steps from any content of memory, of room and of input, with a controller that returns and
 * gives anything. Eva shows for all of them at once that nothing is accessed beyond an array or read before it
 * was written, and prints what the shown values can be. It keeps NaN wherever a comparison is written for it:
 * that kept_within() gives none is tried with all floats, by within.c.
 */
#include "__fc_builtin.h"

#include "ltc_supervisor.h"

#define OBSERVATIONS 2
#define ACTIONS 2

extern const ltc_supervisor_settings supervisor_settings;

static uint32_t any_word(void)
{
    return (uint32_t)Frama_C_unsigned_int_interval(0U, 0xFFFFFFFFU);
}

/* Any bits, so also every NaN and infinity. */
static float any_float(void)
{
    union {
        uint32_t bits;
        float value;
    } word;
    word.bits = any_word();
    return word.value;
}

static uint32_t any_reset(void *context)
{
    (void)context;
    return any_word();
}

static uint32_t any_step(void *context, const float *observation, float dt_s, float *action)
{
    (void)context;
    (void)observation;
    Frama_C_show_each_told(dt_s);
    for (uint32_t i = 0U; i < ACTIONS; ++i) {
        action[i] = any_float();
    }
    return any_word();
}

static const ltc_supervised controller = { 0, 113U, any_reset, any_step };
static ltc_supervisor_memory memory;
static float room[LTC_SUPERVISOR_ROOM(ACTIONS)];
static const ltc_supervisor supervisor = { &supervisor_settings, &controller, &memory, room };

static void forget(void)
{
    memory.mode = any_word();
    memory.law = any_word();
    memory.running = any_word();
    memory.healthy = any_word();
    memory.misses = any_word();
    memory.elapsed_s = any_float();
    memory.held_s = any_float();
    memory.handover_left_s = any_float();
    memory.checksum = any_word();
    for (uint32_t i = 0U; i < LTC_SUPERVISOR_ROOM(ACTIONS); ++i) {
        room[i] = any_float();
    }
}

int main(void)
{
    float observation[OBSERVATIONS];
    float age_s[OBSERVATIONS];
    float external[ACTIONS];
    float action[ACTIONS];
    forget();
    for (uint32_t i = 0U; i < OBSERVATIONS; ++i) {
        observation[i] = any_float();
        age_s[i] = any_float();
    }
    for (uint32_t i = 0U; i < ACTIONS; ++i) {
        external[i] = any_float();
    }
    const ltc_supervisor_input input = { observation,
                                         (any_word() != 0U) ? age_s : 0,
                                         (any_word() != 0U) ? external : 0,
                                         any_float(),
                                         any_word(),
                                         any_word() };
    (void)ltc_supervisor_step(&supervisor, &input, action);
    Frama_C_show_each_action(action[0], action[1]);
    Frama_C_show_each_mode(memory.mode);
    return 0;
}
