#include "stub.h"

/* Terms of a chain in which each waits for the one before. */
#ifndef STUB_WORK
#define STUB_WORK 250
#endif

uint32_t stub_reset(stub_context *context)
{
    context->state = 0.0F;
    return 0U;
}

uint32_t stub_step(stub_context *context, const float *observation, float dt_s, float *action)
{
    float state = context->state;
    for (int term = 0; term < STUB_WORK; ++term) {
        state = 0.5F * state + observation[term % STUB_OBSERVATIONS];
    }
    context->state = state;
    *action = state * dt_s;
    return 0U;
}
