/*
 * RP2040: UART0 on GPIO0 (out) and GPIO1 (in), on the crystal of 12 MHz; SysTick is the counter. The second
 * core stays where its ROM holds it.
 */
#include "board.h"

#include "systick.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CLEAR 0x3000U /* a write there clears the bits that are 1 */

#define CLOCK_HZ 12000000U
#define BAUD 115200U

#define XOSC_CTRL REGISTER(0x40024000U)
#define XOSC_STATUS REGISTER(0x40024004U)
#define XOSC_STARTUP REGISTER(0x4002400CU)
#define XOSC_ON (0x00FAB000U | 0xAA0U) /* enabled, 1 to 15 MHz */
#define XOSC_STABLE 0x80000000U
#define A_MILLISECOND 47U /* in 256 periods of it */

#define CLK_REF_CTRL REGISTER(0x40008030U)
#define CLK_REF_SELECTED REGISTER(0x40008038U)
#define CLK_SYS_CTRL REGISTER(0x4000803CU)
#define CLK_SYS_SELECTED REGISTER(0x40008044U)
#define CLK_PERI_CTRL REGISTER(0x40008048U)
#define FROM_XOSC 2U
#define FROM_CLK_REF 0U
#define PERI_ON 0x800U /* from clk_sys */

#define RESETS_CLEAR REGISTER(0x4000C000U + CLEAR)
#define RESETS_DONE REGISTER(0x4000C008U)
#define PERIPHERALS ((1U << 5) | (1U << 8) | (1U << 22)) /* IO_BANK0, PADS_BANK0, UART0 */

#define GPIO0_CTRL REGISTER(0x40014004U)
#define GPIO1_CTRL REGISTER(0x4001400CU)
#define GPIO1_PAD REGISTER(0x4001C008U)
#define FUNCTION_UART 2U
#define PAD_PULLED_UP 0x5AU /* so that an open input is an idle line */

#define UART_DR REGISTER(0x40034000U)
#define UART_FR REGISTER(0x40034018U)
#define UART_IBRD REGISTER(0x40034024U)
#define UART_FBRD REGISTER(0x40034028U)
#define UART_LCR_H REGISTER(0x4003402CU)
#define UART_CR REGISTER(0x40034030U)
#define FR_RX_EMPTY 0x10U
#define FR_TX_FULL 0x20U
#define LCR_8_BITS_FIFO 0x70U
#define CR_UART_TX_RX 0x301U

#define WATCHDOG_CTRL REGISTER(0x40058000U)
#define WATCHDOG_LOAD REGISTER(0x40058004U)
#define WATCHDOG_TICK REGISTER(0x4005802CU)
#define WATCHDOG_ON 0x40000000U
#define TICK_ON 0x200U
#define PSM_WDSEL REGISTER(0x40010008U)
#define ALL_BUT_OSCILLATORS 0x1FFFCU

/* A sixty-fourth of a bit's sixteenth, rounded. */
#define DIVISOR_64 (((CLOCK_HZ * 8U / BAUD) + 1U) / 2U)

static void start_clocks(void)
{
    XOSC_STARTUP = A_MILLISECOND;
    XOSC_CTRL = XOSC_ON;
    while ((XOSC_STATUS & XOSC_STABLE) == 0U) {
    }
    CLK_SYS_CTRL = FROM_CLK_REF;
    while (CLK_SYS_SELECTED != (1U << FROM_CLK_REF)) {
    }
    CLK_REF_CTRL = FROM_XOSC;
    while (CLK_REF_SELECTED != (1U << FROM_XOSC)) {
    }
    CLK_PERI_CTRL = PERI_ON;
}

void board_init(void)
{
    start_clocks();
    RESETS_CLEAR = PERIPHERALS;
    while ((RESETS_DONE & PERIPHERALS) != PERIPHERALS) {
    }
    GPIO1_PAD = PAD_PULLED_UP;
    UART_IBRD = DIVISOR_64 / 64U;
    UART_FBRD = DIVISOR_64 % 64U;
    UART_LCR_H = LCR_8_BITS_FIFO; /* after the divisors, which it takes over */
    UART_CR = CR_UART_TX_RX;
    GPIO0_CTRL = FUNCTION_UART;
    GPIO1_CTRL = FUNCTION_UART;
    systick_start();
}

uint32_t board_receive(uint8_t *byte)
{
    if ((UART_FR & FR_RX_EMPTY) != 0U) {
        return 0U;
    }
    *byte = (uint8_t)UART_DR;
    return 1U;
}

uint32_t board_can_send(void)
{
    return ((UART_FR & FR_TX_FULL) == 0U) ? 1U : 0U;
}

void board_send(uint8_t byte)
{
    UART_DR = byte;
}

/* It counts microseconds, each twice: erratum RP2040-E1. */
void board_watchdog_feed(void)
{
    WATCHDOG_LOAD = BOARD_WATCHDOG_MS * 2000U;
}

void board_watchdog_start(void)
{
    PSM_WDSEL = ALL_BUT_OSCILLATORS;
    WATCHDOG_TICK = TICK_ON | (CLOCK_HZ / 1000000U);
    board_watchdog_feed();
    WATCHDOG_CTRL = WATCHDOG_ON;
}
