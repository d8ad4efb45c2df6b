/* The control loop's requests over the serial line; docs/serial-protocol.md. */
#include "board.h"
#include "ltc_loop.h"

#define ORDERS (LTC_ARM | LTC_DISARM | LTC_TO_SHADOW)

static uint16_t put(const void *what, uint16_t bytes, uint8_t *answer)
{
    const volatile uint8_t *from = (const volatile uint8_t *)what; /* volatile: no call of memcpy */
    for (uint16_t i = 0U; i < bytes; ++i) {
        answer[i] = from[i];
    }
    return bytes;
}

static uint16_t put_image(uint8_t *answer)
{
    static const uint8_t image[LTC_SERIAL_IMAGE_BYTES] = LOOP_IMAGE;
    const uint32_t facts[] = { app_is_simulated(), LTC_LOOP_PERIOD_TICKS, BOARD_WATCHDOG_MS };
    const uint16_t size = put(image, (uint16_t)sizeof(image), answer);
    return (uint16_t)(size + put(facts, (uint16_t)sizeof(facts), &answer[size]));
}

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) | ((uint32_t)bytes[3] << 24);
}

uint32_t ltc_serial_loop_acts(void)
{
    return (ltc_loop_last()->mode != (uint32_t)LTC_DISARMED) ? 1U : 0U;
}

uint8_t ltc_serial_loop_request(uint8_t kind, const uint8_t *content, uint16_t size, uint8_t *answer,
                                uint16_t *answered)
{
    const uint16_t expected = ((kind == LTC_SERIAL_ORDER) || (kind == LTC_SERIAL_DRILL)) ? 4U : 0U;
    if (kind > LTC_SERIAL_DRILL) {
        return LTC_SERIAL_UNKNOWN;
    }
    if (size != expected) {
        return LTC_SERIAL_WRONG_SIZE;
    }
    if (kind == LTC_SERIAL_IMAGE) {
        *answered = put_image(answer);
        return 0U;
    }
    if (kind == LTC_SERIAL_ORDER) {
        if ((get_u32(content) & ~ORDERS) != 0U) {
            return LTC_SERIAL_UNKNOWN;
        }
        ltc_loop_order(get_u32(content));
    } else if (kind == LTC_SERIAL_DRILL) {
        ltc_loop_drill(get_u32(content));
    }
    const ltc_loop_report report = ltc_loop_tell();
    *answered = put(&report, (uint16_t)sizeof(report), answer);
    return 0U;
}
