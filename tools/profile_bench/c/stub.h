/* A controller that does a known amount of work, with the interface of a generated one. */
#ifndef STUB_H
#define STUB_H

#include <stdint.h>

#define STUB_OBSERVATIONS 4
#define STUB_ACTIONS 1

typedef struct {
    float state;
} stub_context;

uint32_t stub_reset(stub_context *context);
uint32_t stub_step(stub_context *context, const float *observation, float dt_s, float *action);

#endif
