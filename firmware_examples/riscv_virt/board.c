/* QEMU's RISC-V "virt" machine: a 16550 UART, and the clock of its CLINT. */
#include "board.h"

#include "ltc_serial.h"

#define UART 0x10000000U
#define BYTE_REGISTER(offset) (*(volatile uint8_t *)(UART + (offset)))
#define DATA BYTE_REGISTER(0U)
#define INTERRUPTS BYTE_REGISTER(1U)
#define LINE BYTE_REGISTER(3U)
#define STATUS BYTE_REGISTER(5U)
#define LINE_8N1 0x03U
#define STATUS_RECEIVED 0x01U
#define STATUS_CAN_SEND 0x20U

#define MTIME_LOW (*(volatile uint32_t *)0x0200BFF8U)

void board_init(void)
{
    INTERRUPTS = 0U;
    LINE = LINE_8N1;
    /* The buffers stay off: switching them on drops what came already, and QEMU holds the rest until it is asked. */
}

uint32_t board_receive(uint8_t *byte)
{
    if ((STATUS & STATUS_RECEIVED) == 0U) {
        return 0U;
    }
    *byte = DATA;
    return 1U;
}

uint32_t board_can_send(void)
{
    return ((STATUS & STATUS_CAN_SEND) != 0U) ? 1U : 0U;
}

void board_send(uint8_t byte)
{
    DATA = byte;
}

uint32_t ltc_serial_ticks(void)
{
    return MTIME_LOW;
}

/* The machine has no watchdog. */
void board_watchdog_start(void)
{
}

void board_watchdog_feed(void)
{
}
