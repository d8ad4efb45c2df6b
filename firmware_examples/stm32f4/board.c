/* STM32F405: USART1 on PA9 and PA10, on the 16 MHz oscillator that runs after a reset. */
#include "board.h"

#include "systick.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define CLOCK_HZ 16000000U
#define BAUD 115200U

#define RCC_AHB1ENR REGISTER(0x40023830U)
#define RCC_APB2ENR REGISTER(0x40023844U)
#define GPIOA_ON 0x01U
#define USART1_ON 0x10U

#define GPIOA_MODER REGISTER(0x40020000U)
#define GPIOA_PUPDR REGISTER(0x4002000CU)
#define GPIOA_AFRH REGISTER(0x40020024U)

#define USART1_SR REGISTER(0x40011000U)
#define USART1_DR REGISTER(0x40011004U)
#define USART1_BRR REGISTER(0x40011008U)
#define USART1_CR1 REGISTER(0x4001100CU)
#define SR_RXNE 0x20U
#define SR_TXE 0x80U
#define CR1_UE_TE_RE 0x200CU

#define IWDG_KR REGISTER(0x40003000U)
#define IWDG_PR REGISTER(0x40003004U)
#define IWDG_RLR REGISTER(0x40003008U)
#define KEY_START 0xCCCCU
#define KEY_WRITE 0x5555U
#define KEY_FEED 0xAAAAU
#define BY_32 3U /* of an oscillator of 32 kHz, which may run at 17 to 47: a tick a millisecond, roughly */

static uint32_t changed(uint32_t value, uint32_t mask, uint32_t bits)
{
    return (value & ~mask) | bits;
}

void board_init(void)
{
    RCC_AHB1ENR |= GPIOA_ON;
    RCC_APB2ENR |= USART1_ON;
    (void)RCC_APB2ENR; /* a peripheral is there two cycles after it was switched on */
    /* PA9 and PA10: alternate function 7, USART1; a pull-up, so that an open input is an idle line. */
    GPIOA_MODER = changed(GPIOA_MODER, 0xFU << 18, 0xAU << 18);
    GPIOA_AFRH = changed(GPIOA_AFRH, 0xFFU << 4, 0x77U << 4);
    GPIOA_PUPDR = changed(GPIOA_PUPDR, 0xFU << 18, 0x5U << 18);
    USART1_BRR = (CLOCK_HZ + (BAUD / 2U)) / BAUD;
    USART1_CR1 = CR1_UE_TE_RE;
    systick_start();
}

uint32_t board_receive(uint8_t *byte)
{
    if ((USART1_SR & SR_RXNE) == 0U) {
        return 0U;
    }
    *byte = (uint8_t)USART1_DR; /* which also clears what an overrun left */
    return 1U;
}

uint32_t board_can_send(void)
{
    return ((USART1_SR & SR_TXE) != 0U) ? 1U : 0U;
}

void board_send(uint8_t byte)
{
    USART1_DR = byte;
}

void board_watchdog_start(void)
{
    IWDG_KR = KEY_START;
    IWDG_KR = KEY_WRITE;
    IWDG_PR = BY_32;
    IWDG_RLR = BOARD_WATCHDOG_MS;
    IWDG_KR = KEY_FEED;
}

void board_watchdog_feed(void)
{
    IWDG_KR = KEY_FEED;
}
