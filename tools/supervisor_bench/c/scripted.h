/* A controller that does what it is told: what it returns and gives lies in its context. */
#ifndef SCRIPTED_H
#define SCRIPTED_H

#include <stdint.h>

#ifndef SCRIPTED_OBSERVATIONS
#define SCRIPTED_OBSERVATIONS 2
#endif
#ifndef SCRIPTED_ACTIONS
#define SCRIPTED_ACTIONS 1
#endif
#define SCRIPTED_NO_ACTION 113U /* of ltc_edge.export.c.guard */

typedef struct {
    uint32_t reset_status;
    uint32_t status;
    uint32_t resets; /* how often it was reset */
    uint32_t steps;
    float dt_s; /* of the last step */
    float action[SCRIPTED_ACTIONS];
} scripted_context;

uint32_t scripted_reset(scripted_context *context);
uint32_t scripted_step(scripted_context *context, const float observation[SCRIPTED_OBSERVATIONS], float dt_s,
                       float action[SCRIPTED_ACTIONS]);
uint32_t scripted_selftest(void);

#endif
