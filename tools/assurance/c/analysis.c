/*
 * analysis.c: the interface with memory of any content, for abstract interpretation; it is never run.
 */
#include "subject.h"
#include "subject_facts.h"

#include "__fc_builtin.h"

int main(void)
{
    subject_context context;
    subject_item state[SUBJECT_STATE];
    float observation[SUBJECT_OBSERVATIONS];
    float action[SUBJECT_ACTIONS];
    float dt;
    float least = 0.0F;
    Frama_C_make_unknown((char *)&context, sizeof context);
    Frama_C_make_unknown((char *)state, sizeof state);
    Frama_C_make_unknown((char *)observation, sizeof observation);
    Frama_C_make_unknown((char *)&dt, sizeof dt);
    uint32_t status = subject_step(&context, observation, dt, action);
    /* Reading them shows that they were written. */
    for (uint32_t i = 0U; i < SUBJECT_ACTIONS; ++i) {
        least = (action[i] < least) ? action[i] : least;
    }
    status |= subject_reset(&context);
    status |= subject_restore(&context, state);
    status |= subject_step(&context, observation, dt, action);
#if !SUBJECT_FLOAT
    int16_t codes[SUBJECT_OBSERVATIONS];
    int16_t elapsed;
    int16_t acted[SUBJECT_ACTIONS];
    Frama_C_make_unknown((char *)codes, sizeof codes);
    Frama_C_make_unknown((char *)&elapsed, sizeof elapsed);
    status |= subject_step_codes(&context, codes, elapsed, acted);
#endif
    status |= subject_check();
    return (int)(status & 1U) + (least < 0.0F) + (subject_version()[0] == 'x');
}
