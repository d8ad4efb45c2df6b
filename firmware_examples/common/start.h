/*
 * start.h: from power-on to main, for every board.
 */
#ifndef START_H
#define START_H

#include <stdint.h>

/* By the linker script: initialised data and where it is kept, zeroed data, and the end of the stack. */
extern uint32_t layout_data_kept[], layout_data[], layout_data_end[];
extern uint32_t layout_zeroed[], layout_zeroed_end[], layout_stack_top[];

int main(void);

/* Fill static memory, then run main. */
void start(void);

/* After a fault: no interrupt, no answer, nothing done, until the watchdog or someone resets the board. */
void stop(void);

#endif
