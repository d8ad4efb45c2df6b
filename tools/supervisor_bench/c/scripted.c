#include "scripted.h"

uint32_t scripted_reset(scripted_context *context)
{
    ++context->resets;
    return context->reset_status;
}

uint32_t scripted_step(scripted_context *context, const float observation[SCRIPTED_OBSERVATIONS], float dt_s,
                       float action[SCRIPTED_ACTIONS])
{
    (void)observation;
    ++context->steps;
    context->dt_s = dt_s;
    for (uint32_t i = 0U; i < SCRIPTED_ACTIONS; ++i) {
        action[i] = context->action[i];
    }
    return context->status;
}

uint32_t scripted_selftest(void)
{
    return 0U;
}
