/*
 * count.c: steps a controller on given inputs and prints how far QEMU's clock went meanwhile.
 *
 * With -icount the clock goes on by a fixed time an instruction. Beside each step a function that does nothing
 * is called in the same way, so that what calling and reading the clock take can be subtracted. Prints the sum
 * over the steps, that of the function that does nothing, and all statuses in one.
 */
#include <stdint.h>
#include <stdio.h>

#include "demo.h"
#include "inputs.h"

typedef uint32_t stepping(demo_context *context, const float *observation, float dt, float *action);

demo_context context;
float action[DEMO_ACTIONS];

uint32_t nothing(demo_context *, const float *, float, float *);

__attribute__((noinline)) uint32_t nothing(demo_context *where, const float *observation, float dt, float *acted)
{
    (void)where;
    (void)observation;
    (void)dt;
    (void)acted;
    return 0U;
}

#ifdef __riscv
/* Nanoseconds. */
static void start_clock(void)
{
}

static uint32_t passed(uint32_t before)
{
    uint32_t now;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(now));
    return now - before;
}
#else
/* Ticks of SysTick, which counts down from 2^24 - 1 at the processor's clock. */
#define SYSTICK ((volatile uint32_t *)0xE000E010U)
#define GREATEST 0xFFFFFFU

static void start_clock(void)
{
    SYSTICK[1] = GREATEST;
    SYSTICK[2] = 0U;
    SYSTICK[0] = 5U;
}

static uint32_t passed(uint32_t before)
{
    return (GREATEST - SYSTICK[2] - before) & GREATEST;
}
#endif

static stepping *volatile const functions[2] = { demo_step, nothing };

int main(void)
{
    unsigned long long sums[2] = { 0ULL, 0ULL };
    uint32_t status = demo_reset(&context);
    start_clock();
    for (uint32_t step = 0U; step < STEPS; ++step) {
        for (uint32_t which = 0U; which < 2U; ++which) {
            const uint32_t before = passed(0U);
            status |= functions[which](&context, observations[step], spans[step], action);
            sums[which] += passed(before);
        }
    }
    printf("%llu %llu %lu\n", sums[0], sums[1], (unsigned long)status);
    return 0;
}
