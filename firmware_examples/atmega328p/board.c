/* ATmega328P, as on an Arduino Uno: its USART to the USB chip, and timer 1 as the counter. */
#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>
#include <util/atomic.h>

#include "ltc_serial.h"

#define RECEIVED 64U /* a power of two; a step takes as long as a hundred bytes do, and one request comes at a time */
#define DIVISOR_115200 16U

static volatile uint8_t received[RECEIVED];
static volatile uint8_t put_at, taken_at;
static volatile uint16_t turns; /* of timer 1 */

ISR(USART_RX_vect)
{
    const uint8_t byte = UDR0;
    const uint8_t next = (uint8_t)((put_at + 1U) % RECEIVED);
    if (next != taken_at) {
        received[put_at] = byte;
        put_at = next;
    }
}

ISR(TIMER1_OVF_vect)
{
    ++turns;
}

void board_init(void)
{
    MCUSR = 0U; /* after a reset by the watchdog it goes on, and its cause stays, until both are cleared */
    wdt_disable();
    UBRR0 = DIVISOR_115200;
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    TCCR1A = 0U;
    TCCR1B = _BV(CS11); /* an eighth of 16 MHz */
    TIMSK1 = _BV(TOIE1);
    sei();
}

uint32_t board_receive(uint8_t *byte)
{
    if (taken_at == put_at) {
        return 0U;
    }
    *byte = received[taken_at];
    taken_at = (uint8_t)((taken_at + 1U) % RECEIVED);
    return 1U;
}

uint32_t board_can_send(void)
{
    return ((UCSR0A & _BV(UDRE0)) != 0U) ? 1U : 0U;
}

void board_send(uint8_t byte)
{
    UDR0 = byte;
}

uint32_t ltc_serial_ticks(void)
{
    uint16_t low, high;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        low = TCNT1;
        high = turns;
        if (((TIFR1 & _BV(TOV1)) != 0U) && (low < 0x8000U)) {
            ++high; /* it has turned over, and its interrupt waits */
        }
    }
    return ((uint32_t)high << 16) | low;
}

void board_watchdog_start(void)
{
    wdt_enable(WDTO_1S);
}

void board_watchdog_feed(void)
{
    wdt_reset();
}
