/*
 * BBC micro:bit: its UART to the USB chip, and TIMER0 as the counter. The first edition has an nRF51822, the
 * second an nRF52833, whose UART is the same on other pins.
 */
#include "board.h"

#include "ltc_serial.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define CLOCK_START REGISTER(0x40000000U) /* of the crystal, which the UART's rate needs */
#define CLOCK_STARTED REGISTER(0x40000100U)

#define UART 0x40002000U
#define UART_STARTRX REGISTER(UART + 0x000U)
#define UART_STARTTX REGISTER(UART + 0x008U)
#define UART_RXDRDY REGISTER(UART + 0x108U)
#define UART_TXDRDY REGISTER(UART + 0x11CU)
#define UART_ENABLE REGISTER(UART + 0x500U)
#define UART_PSELTXD REGISTER(UART + 0x50CU)
#define UART_PSELRXD REGISTER(UART + 0x514U)
#define UART_RXD REGISTER(UART + 0x518U)
#define UART_TXD REGISTER(UART + 0x51CU)
#define UART_BAUDRATE REGISTER(UART + 0x524U)
#define ENABLED 4U
#if EDITION == 2
#define PIN_TXD 6U
#define PIN_RXD 40U /* P1.08 */
#else
#define PIN_TXD 24U
#define PIN_RXD 25U
#endif
#define BAUD_115200 0x01D7E000U

#define GPIO_OUTSET REGISTER(0x50000508U)
#define GPIO_DIRSET REGISTER(0x50000518U)

#define TIMER0 0x40008000U
#define TIMER0_START REGISTER(TIMER0 + 0x000U)
#define TIMER0_CAPTURE0 REGISTER(TIMER0 + 0x040U)
#define TIMER0_BITMODE REGISTER(TIMER0 + 0x508U)
#define TIMER0_PRESCALER REGISTER(TIMER0 + 0x510U)
#define TIMER0_CC0 REGISTER(TIMER0 + 0x540U)
#define BITMODE_32 3U

#define WATCHDOG 0x40010000U
#define WATCHDOG_START REGISTER(WATCHDOG + 0x000U)
#define WATCHDOG_RELOAD REGISTER(WATCHDOG + 0x504U)
#define WATCHDOG_FEED REGISTER(WATCHDOG + 0x600U)
#define WATCHDOG_HZ 32768U
#define WATCHDOG_KEY 0x6E524635U

static uint32_t is_sending = 0U;

void board_init(void)
{
    CLOCK_STARTED = 0U;
    CLOCK_START = 1U;
    while (CLOCK_STARTED == 0U) {
    }
    GPIO_OUTSET = 1U << PIN_TXD; /* idle is high */
    GPIO_DIRSET = 1U << PIN_TXD;
    UART_PSELTXD = PIN_TXD;
    UART_PSELRXD = PIN_RXD;
    UART_BAUDRATE = BAUD_115200;
    UART_ENABLE = ENABLED;
    UART_RXDRDY = 0U;
    UART_TXDRDY = 0U;
    UART_STARTRX = 1U;
    UART_STARTTX = 1U;

    TIMER0_BITMODE = BITMODE_32;
    TIMER0_PRESCALER = 0U;
    TIMER0_START = 1U;
}

uint32_t board_receive(uint8_t *byte)
{
    if (UART_RXDRDY == 0U) {
        return 0U;
    }
    /* Before the byte is taken: the next of the six that the UART holds raises it again. */
    UART_RXDRDY = 0U;
    *byte = (uint8_t)UART_RXD;
    return 1U;
}

uint32_t board_can_send(void)
{
    if (UART_TXDRDY != 0U) {
        UART_TXDRDY = 0U;
        is_sending = 0U;
    }
    return (is_sending == 0U) ? 1U : 0U;
}

void board_send(uint8_t byte)
{
    is_sending = 1U;
    UART_TXD = byte;
}

uint32_t ltc_serial_ticks(void)
{
    TIMER0_CAPTURE0 = 1U;
    return TIMER0_CC0;
}

void board_watchdog_start(void)
{
    WATCHDOG_RELOAD = (BOARD_WATCHDOG_MS * WATCHDOG_HZ) / 1000U;
    WATCHDOG_START = 1U;
}

void board_watchdog_feed(void)
{
    WATCHDOG_FEED = WATCHDOG_KEY;
}
