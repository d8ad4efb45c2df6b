/* Steps of the stub, without our harness: what they cost. */
#define _GNU_SOURCE
#include "stub.h"
#include "turns.h"

static stub_context context;
static const float observation[STUB_OBSERVATIONS] = {0.1F, 0.2F, 0.3F, 0.4F};
static volatile uint32_t statuses; /* so that no step can be left out */

static void turn_step(void)
{
    float action[STUB_ACTIONS];
    statuses |= stub_step(&context, observation, 0.01F, action);
}

int main(void)
{
    statuses = stub_reset(&context);
    return take_turns();
}
