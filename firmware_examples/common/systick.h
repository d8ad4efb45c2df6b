/*
 * systick.h: the counter behind ltc_serial_ticks on a Cortex-M that has a SysTick.
 */
#ifndef SYSTICK_H
#define SYSTICK_H

/* Let it count the processor's clock. */
void systick_start(void);

#endif
