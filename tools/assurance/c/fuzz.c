/*
 * fuzz.c: libFuzzer's bytes as a context and a few steps from there. A byte says how the context begins: as
 * the bytes have it, the same with seal and checksum that fit, or reset; every step takes the bytes of its
 * observation and its dt. What is missing at the end is 0.
 */
#include <stddef.h>
#include <stdlib.h>

#include "invariants.h"

#define STEPS 8U

typedef struct {
    const uint8_t *next;
    size_t left;
} input;

static void take(input *from, void *target, size_t bytes)
{
    const size_t given = (from->left < bytes) ? from->left : bytes;
    memset(target, 0, bytes);
    memcpy(target, from->next, given);
    from->next += given;
    from->left -= given;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input from = { data, size };
    subject_context context;
    uint8_t how;
    take(&from, &how, sizeof how);
    if ((how & 1U) != 0U) {
        if (subject_reset(&context) != SUBJECT_OK) {
            abort();
        }
    } else {
        take(&from, &context, sizeof context);
    }
    if ((how & 2U) != 0U) {
        context.seal = READY;
        context.checksum = checksum_of(&context);
    }
    for (uint32_t step = 0U; (step < STEPS) && (from.left != 0U); ++step) {
        float observation[SUBJECT_OBSERVATIONS];
        float dt;
        float action[SUBJECT_ACTIONS];
        take(&from, observation, sizeof observation);
        take(&from, &dt, sizeof dt);
        if (checked_step(&context, observation, dt, action) != 0) {
            abort();
        }
    }
    return 0;
}
