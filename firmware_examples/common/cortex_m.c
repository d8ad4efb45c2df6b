/* Cortex-M: the vector table, the floating-point unit, and the counter of cycles. */
#include "start.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88U)
#define FPU_ON (0xFU << 20) /* full access to coprocessors 10 and 11 */

static void on_reset(void)
{
#ifdef __ARM_FP
    CPACR |= FPU_ON;
    __asm volatile("dsb\n\tisb" : : : "memory");
#endif
    start();
}

static void on_fault(void)
{
    __asm volatile("cpsid i");
    stop();
}

typedef struct {
    uint32_t *stack_top;
    void (*handler[15])(void);
} vector_table;

/* No interrupt is ever enabled: what is not a reset is a fault. */
__attribute__((section(".vectors"), used)) static const vector_table vectors = {
    layout_stack_top,
    {
        on_reset, on_fault, on_fault, on_fault, on_fault, on_fault, on_fault, on_fault, on_fault, on_fault,
        on_fault, on_fault, on_fault, on_fault, on_fault,
    },
};
