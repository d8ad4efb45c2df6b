/*
 * board.h: what a board gives to serial_main.c. None of these waits.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Clocks, pins, the serial line and the counter behind ltc_serial_ticks. */
void board_init(void);

/* 1 and a byte that came, or 0. */
uint32_t board_receive(uint8_t *byte);

/* 1 where a byte can be sent now. */
uint32_t board_can_send(void);

/* Send a byte, after board_can_send said 1. */
void board_send(uint8_t byte);

/*
 * Where a control loop runs (loop_main.c): a watchdog that resets the board when it was not fed for
 * BOARD_WATCHDOG_MS, which its Makefile says; 0 where there is none, and these do nothing. It is started when
 * the loop is first armed. Many cannot be stopped again.
 */
void board_watchdog_start(void);
void board_watchdog_feed(void);

#endif
