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

#endif
