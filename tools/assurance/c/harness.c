/*
 * harness.c: a controller under inputs good and bad, built with whatever instruments: sanitizers, counters
 * of coverage. Ends with 0, or says on standard error what does not hold and ends with 1.
 */
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>

#include "invariants.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define ROOM ((SUBJECT_OBSERVATIONS > SUBJECT_ACTIONS) ? SUBJECT_OBSERVATIONS : SUBJECT_ACTIONS)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Zeros, denormals, neighbours of 1, of 2^23 and of 2^31, the greatest, infinities, NaNs quiet and not. */
static const uint32_t nasty[] = {
    0x00000000U, 0x80000000U, 0x00000001U, 0x80000001U, 0x007FFFFFU, 0x807FFFFFU, 0x00800000U,
    0x80800000U, 0x33800000U, 0x3F7FFFFFU, 0x3F800000U, 0x3F800001U, 0xBF800000U, 0x42FE0000U,
    0x4B000000U, 0xCB000000U, 0x4B7FFFFFU, 0x4EFFFFFFU, 0x4F000000U, 0xCF000000U, 0x4F800000U,
    0x7F000000U, 0x7F7FFFFFU, 0xFF7FFFFFU, 0x7F800000U, 0xFF800000U, 0x7FC00000U, 0xFFC00000U,
    0x7F800001U, 0xFFFFFFFFU,
};

static uint32_t random_word(void)
{
    static uint32_t word = 2463534242U;
    word ^= word << 13;
    word ^= word >> 17;
    word ^= word << 5;
    return word;
}

/* Between -1 and 1. */
static float random_share(void)
{
    return ((float)(random_word() >> 8) - 8388608.0F) / 8388608.0F;
}

static void plausible(float *observation)
{
    for (uint32_t i = 0U; i < SUBJECT_OBSERVATIONS; ++i) {
        observation[i] = subject_offset[i] + 3.0F * subject_scale[i] * random_share();
    }
}

static float plausible_dt(void)
{
    const float share = 0.5F + 0.5F * random_share();
    return subject_dt_range[0] + share * (subject_dt_range[1] - subject_dt_range[0]);
}

static void demand(int holds, const char *what, int detail)
{
    if (!holds) {
        (void)fprintf(stderr, "%s does not hold (%d)\n", what, detail);
        exit(1);
    }
}

static void check(subject_context *context, const float *observation, float dt, const char *when)
{
    float action[SUBJECT_ACTIONS];
    const int broken = checked_step(context, observation, dt, action);
    demand(broken == 0, when, broken);
}

static void fresh(subject_context *context)
{
    memset(context, 0xA5, sizeof *context);
    demand(subject_reset(context) == SUBJECT_OK, "reset", 0);
}

static void good_inputs(uint32_t steps)
{
    subject_context context;
    float observation[SUBJECT_OBSERVATIONS];
    float action[SUBJECT_ACTIONS];
    fresh(&context);
    (void)feclearexcept(FE_ALL_EXCEPT);
    for (uint32_t k = 0U; k < steps; ++k) {
        plausible(observation);
        const uint32_t status = subject_step(&context, observation, plausible_dt(), action);
        demand((status & SUBJECT_NO_ACTION) == 0U, "an action for good inputs", (int)status);
    }
    /* Where a system traps these, good inputs must not raise them. */
    const int raised = fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    demand(raised == 0, "no invalid operation, division by zero or overflow on good inputs", raised);
}

static void nasty_inputs(void)
{
    subject_context context;
    float observation[SUBJECT_OBSERVATIONS];
    fresh(&context);
    for (size_t value = 0U; value < COUNT(nasty); ++value) {
        for (uint32_t channel = 0U; channel <= SUBJECT_OBSERVATIONS; ++channel) {
            float dt = plausible_dt();
            plausible(observation);
            if (channel < SUBJECT_OBSERVATIONS) {
                observation[channel] = float_of(nasty[value]);
            } else {
                dt = float_of(nasty[value]);
            }
            check(&context, observation, dt, "an invariant under a nasty input");
        }
        for (uint32_t i = 0U; i < SUBJECT_OBSERVATIONS; ++i) {
            observation[i] = float_of(nasty[value]);
        }
        check(&context, observation, float_of(nasty[COUNT(nasty) - 1U - value]), "an invariant under nasty inputs");
    }
    for (uint32_t k = 0U; k < 2000U; ++k) {
        for (uint32_t i = 0U; i < SUBJECT_OBSERVATIONS; ++i) {
            observation[i] = float_of(random_word());
        }
        check(&context, observation, float_of(random_word()), "an invariant under random bits");
    }
}

/* A context with some bytes of its state overwritten, and maybe the checksum that fits them. */
static subject_context overwritten(const subject_context *start, size_t byte, const void *source, size_t bytes,
                                   int sealed)
{
    subject_context context = *start;
    memcpy((unsigned char *)context.state + byte, source, bytes);
    if (sealed != 0) {
        context.checksum = checksum_of(&context);
    }
    return context;
}

static void nasty_states(const subject_context *start, const float *observation)
{
    for (size_t byte = 0U; byte + sizeof nasty[0] <= sizeof start->state; byte += sizeof(subject_item)) {
        for (size_t value = 0U; value < 2U * COUNT(nasty); ++value) {
            const int sealed = (int)(value % 2U);
            subject_context context = overwritten(start, byte, &nasty[value / 2U], sizeof nasty[0], sealed);
            check(&context, observation, plausible_dt(), "an invariant with a nasty state");
            check(&context, observation, plausible_dt(), "an invariant after a nasty state");
        }
    }
}

static uint32_t *word_of(subject_context *context, int checksum)
{
    return (checksum != 0) ? &context->checksum : &context->seal;
}

static void flipped_bits(const subject_context *start, const float *observation)
{
    float action[SUBJECT_ACTIONS];
    for (uint32_t bit = 0U; bit < 8U * sizeof start->state; ++bit) {
        const unsigned char *const state = (const unsigned char *)start->state;
        const unsigned char flipped = (unsigned char)(state[bit / 8U] ^ (1U << (bit % 8U)));
        subject_context context = overwritten(start, bit / 8U, &flipped, 1U, 1);
        check(&context, observation, plausible_dt(), "an invariant with a flipped bit");
        check(&context, observation, plausible_dt(), "an invariant after a flipped bit");
        context = overwritten(start, bit / 8U, &flipped, 1U, 0);
        const uint32_t status = subject_step(&context, observation, plausible_dt(), action);
        demand((status & SUBJECT_STATE_OUT_OF_BOUNDS) != 0U, "notice of a flipped bit of the state", (int)bit);
    }
    for (uint32_t bit = 0U; bit < 64U; ++bit) {
        subject_context context = *start;
        *word_of(&context, bit >= 32U) ^= 1U << (bit % 32U);
        const uint32_t status = subject_step(&context, observation, plausible_dt(), action);
        const uint32_t expected = (bit < 32U) ? SUBJECT_NOT_RESET : SUBJECT_STATE_OUT_OF_BOUNDS;
        demand((status & SUBJECT_NO_ACTION) == expected, "notice of a flipped bit of seal or checksum", (int)bit);
    }
}

/* Memory that was never written; the same where the seal happens to fit, and the checksum too. */
static void unwritten_contexts(void)
{
    float observation[SUBJECT_OBSERVATIONS];
    for (uint32_t k = 0U; k < 3000U; ++k) {
        subject_context context;
        unsigned char *const bytes = (unsigned char *)&context;
        for (size_t byte = 0U; byte < sizeof context; ++byte) {
            bytes[byte] = (unsigned char)(random_word() >> 24);
        }
        if ((k % 4U) != 0U) {
            context.seal = ((k % 4U) == 1U) ? ~READY : READY;
        }
        if ((k % 4U) == 3U) {
            context.checksum = checksum_of(&context);
        }
        plausible(observation);
        check(&context, observation, plausible_dt(), "an invariant in memory that was never written");
    }
}

static void corrupted_contexts(void)
{
    float observation[SUBJECT_OBSERVATIONS];
    subject_context start;
    fresh(&start);
    plausible(observation);
    check(&start, observation, plausible_dt(), "a first step");
    nasty_states(&start, observation);
    flipped_bits(&start, observation);
    unwritten_contexts();
}

/* What restore takes, a step takes; what it refuses is not taken over. */
static void restored_states(void)
{
    subject_context start;
    float observation[SUBJECT_OBSERVATIONS];
    fresh(&start);
    plausible(observation);
    check(&start, observation, plausible_dt(), "a first step");
    subject_context other = start;
    demand(subject_restore(&other, start.state) == SUBJECT_OK, "restoring a state", 0);
    demand(memcmp(&other, &start, sizeof start) == 0, "a restored state", 0);
    for (uint32_t k = 0U; k < 3000U; ++k) {
        subject_item state[SUBJECT_STATE];
        for (uint32_t i = 0U; i < SUBJECT_STATE; ++i) {
            const uint32_t word = ((k % 2U) != 0U) ? random_word() : nasty[random_word() % COUNT(nasty)];
            memcpy(&state[i], &word, sizeof state[i]);
        }
        subject_context context = start;
        const uint32_t status = subject_restore(&context, state);
        if (status != SUBJECT_OK) {
            demand(status == SUBJECT_STATE_OUT_OF_BOUNDS, "a reason of restore", (int)status);
            demand(memcmp(&context, &start, sizeof start) == 0, "a context without what restore refused", (int)k);
        }
        check(&context, observation, plausible_dt(), "an invariant after restore");
    }
}

/* Observation and action in one array; the action over the context, which the caller then has to reset. */
static void aliases(void)
{
    subject_context apart, joined;
    fresh(&apart);
    fresh(&joined);
    for (uint32_t k = 0U; k < 50U; ++k) {
        float observation[ROOM] = { 0.0F };
        float action[SUBJECT_ACTIONS];
        const float dt = (k == 25U) ? float_of(0x7FC00000U) : plausible_dt();
        plausible(observation);
        const uint32_t expected = subject_step(&apart, observation, dt, action);
        demand(subject_step(&joined, observation, dt, observation) == expected, "a status with aliases", (int)k);
        demand(memcmp(observation, action, sizeof action) == 0, "an action over its observation", (int)k);
        demand(memcmp(&apart, &joined, sizeof apart) == 0, "a state with aliases", (int)k);
    }
    if (sizeof joined.state >= sizeof(float) * SUBJECT_ACTIONS) {
        float observation[SUBJECT_OBSERVATIONS];
        float action[SUBJECT_ACTIONS];
        plausible(observation);
        (void)subject_step(&apart, observation, subject_dt_range[0], action);
        float *const inside = (float *)(void *)joined.state;
        (void)subject_step(&joined, observation, subject_dt_range[0], inside);
        demand(memcmp(inside, action, sizeof action) == 0, "an action over the context", 0);
        check(&joined, observation, subject_dt_range[0], "an invariant after an action over the context");
    }
}

static void contexts_share_nothing(void)
{
    enum { RUN = 60 };
    static float observations[RUN][SUBJECT_OBSERVATIONS], alone[RUN][SUBJECT_ACTIONS];
    static float dts[RUN];
    subject_context first, second;
    fresh(&first);
    for (uint32_t k = 0U; k < RUN; ++k) {
        plausible(observations[k]);
        dts[k] = plausible_dt();
        (void)subject_step(&first, observations[k], dts[k], alone[k]);
    }
    fresh(&first);
    fresh(&second);
    for (uint32_t k = 0U; k < RUN; ++k) {
        float action[SUBJECT_ACTIONS];
        (void)subject_step(&first, observations[k], dts[k], action);
        demand(memcmp(action, alone[k], sizeof action) == 0, "re-entrancy", (int)k);
        (void)subject_step(&second, observations[RUN - 1U - k], dts[k], action);
        demand(subject_selftest() == SUBJECT_OK, "a selftest between steps", (int)k);
    }
}

#if !SUBJECT_FLOAT
/* The step without floating point: any codes at all, from states that any codes at all make. */
static void any_codes(void)
{
    subject_context context;
    fresh(&context);
    for (uint32_t k = 0U; k < 5000U; ++k) {
        static const int16_t ends[] = { -32768, -32767, -1, 0, 1, 32766, 32767 };
        int16_t observation[SUBJECT_OBSERVATIONS];
        int16_t action[SUBJECT_ACTIONS];
        for (uint32_t i = 0U; i < SUBJECT_OBSERVATIONS; ++i) {
            const uint32_t word = random_word();
            observation[i] = ((k % 2U) != 0U) ? (int16_t)((int32_t)(word >> 16) - 32768) : ends[word % COUNT(ends)];
        }
        if ((k % 8U) == 0U) {
            subject_item state[SUBJECT_STATE];
            for (uint32_t i = 0U; i < SUBJECT_STATE; ++i) {
                state[i] = ends[random_word() % COUNT(ends)];
            }
            demand(subject_restore(&context, state) == SUBJECT_OK, "restoring codes", (int)k);
        }
        const int16_t dt = (int16_t)((int32_t)(random_word() >> 16) - 32768);
        const uint32_t status = subject_step_codes(&context, observation, dt, action);
        demand((status & SUBJECT_NO_ACTION) == 0U, "an action for any codes", (int)status);
    }
}
#endif

/* Another rounding mode, or denormals flushed: other bits, the same invariants, and no harm afterwards. */
static void other_arithmetic(void)
{
    static const int modes[] = { FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
    for (size_t mode = 0U; mode < COUNT(modes); ++mode) {
        demand(fesetround(modes[mode]) == 0, "a rounding mode", (int)mode);
        nasty_inputs();
        corrupted_contexts();
        demand(fesetround(FE_TONEAREST) == 0, "the usual rounding mode", (int)mode);
    }
#if defined(__SSE__)
    const unsigned int usual = _mm_getcsr();
    _mm_setcsr(usual | 0x8040U); /* results and operands that are denormal become 0 */
    nasty_inputs();
    corrupted_contexts();
    _mm_setcsr(usual);
#endif
}

int main(void)
{
    demand(subject_check() == SUBJECT_OK, "the parameters' CRC", 0);
    demand(subject_selftest() == SUBJECT_OK, "the selftest", 0);
    demand(subject_version()[0] != '\0', "a version", 0);
    good_inputs(3000U);
    nasty_inputs();
    corrupted_contexts();
    restored_states();
    aliases();
    contexts_share_nothing();
    other_arithmetic();
#if !SUBJECT_FLOAT
    any_codes();
#endif
    demand(subject_selftest() == SUBJECT_OK, "the selftest after all that", 0);
    return 0;
}
