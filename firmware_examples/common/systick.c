/* SysTick as a counter of the processor's clock, which most Cortex-M have. */
#include "systick.h"

#include "ltc_serial.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
#define ON_PROCESSOR_CLOCK 5U
#define MOST 0xFFFFFFU

void systick_start(void)
{
    SYST_RVR = MOST;
    SYST_CVR = 0U;
    SYST_CSR = ON_PROCESSOR_CLOCK;
}

/* Its 24 bits go on into 32: no step takes as long as a turn of them. */
uint32_t ltc_serial_ticks(void)
{
    static uint32_t ticks = 0U;
    static uint32_t last = 0U;
    const uint32_t now = MOST - SYST_CVR;
    ticks += (now - last) & MOST;
    last = now;
    return ticks;
}
