/* ARM MPS2: UART 0 of the CMSDK. */
#include "board.h"

#include "systick.h"

#define CLOCK_HZ 25000000U
#define BAUD 115200U

#define UART0 0x40004000U
#define DATA (*(volatile uint32_t *)(UART0 + 0x00U))
#define STATE (*(volatile uint32_t *)(UART0 + 0x04U))
#define CTRL (*(volatile uint32_t *)(UART0 + 0x08U))
#define BAUDDIV (*(volatile uint32_t *)(UART0 + 0x10U))
#define STATE_TX_FULL 1U
#define STATE_RX_FULL 2U
#define CTRL_TX_RX 3U

#define WATCHDOG 0x40008000U
#define WATCHDOG_LOAD (*(volatile uint32_t *)(WATCHDOG + 0x00U))
#define WATCHDOG_CONTROL (*(volatile uint32_t *)(WATCHDOG + 0x08U))
#define WATCHDOG_CLEAR (*(volatile uint32_t *)(WATCHDOG + 0x0CU))
#define COUNT_AND_RESET 3U

void board_init(void)
{
    BAUDDIV = CLOCK_HZ / BAUD;
    CTRL = CTRL_TX_RX;
    systick_start();
}

uint32_t board_receive(uint8_t *byte)
{
    if ((STATE & STATE_RX_FULL) == 0U) {
        return 0U;
    }
    *byte = (uint8_t)DATA;
    return 1U;
}

uint32_t board_can_send(void)
{
    return ((STATE & STATE_TX_FULL) == 0U) ? 1U : 0U;
}

void board_send(uint8_t byte)
{
    DATA = byte;
}

/* It ends once with an interrupt, which is a fault here and stops the program, and once more with a reset. */
void board_watchdog_start(void)
{
    WATCHDOG_LOAD = (CLOCK_HZ / 2000U) * BOARD_WATCHDOG_MS;
    WATCHDOG_CONTROL = COUNT_AND_RESET;
}

void board_watchdog_feed(void)
{
    WATCHDOG_CLEAR = 1U;
}
