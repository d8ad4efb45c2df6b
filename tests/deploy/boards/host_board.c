/*
 * A board that is a process of this machine: its line is standard input and output, and its clock counts how
 * often it is asked, so that a busy machine changes nothing. Each 50th step while armed takes two and a half periods.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "board.h"
#include "ltc_loop.h"

#define SLOW_EVERY 50U

static uint32_t now;
static uint32_t armed_steps;

void board_init(void)
{
    now = 0xFFFFF000U; /* it soon wraps */
}

uint32_t ltc_serial_ticks(void)
{
    now += 20U;
    return now;
}

uint32_t board_receive(uint8_t *byte)
{
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    if (poll(&input, 1U, 0) <= 0) {
        return 0U;
    }
    if (read(STDIN_FILENO, byte, 1U) != 1) {
        exit(0);
    }
    return 1U;
}

uint32_t board_can_send(void)
{
    return 1U;
}

void board_send(uint8_t byte)
{
    if (write(STDOUT_FILENO, &byte, 1U) != 1) {
        exit(1);
    }
}

void board_watchdog_start(void)
{
}

void board_watchdog_feed(void)
{
}

void app_start(void)
{
}

void sensors_read(float observation[CONTROLLER_OBSERVATIONS], float age_s[CONTROLLER_OBSERVATIONS])
{
    if ((ltc_loop_last()->mode != LTC_DISARMED) && ((++armed_steps % SLOW_EVERY) == 0U)) {
        now += (5U * LTC_LOOP_PERIOD_TICKS) / 2U;
    }
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        observation[i] = 0.25F;
        age_s[i] = 0.0F;
    }
}

void actuators_write(const float action[CONTROLLER_ACTIONS])
{
    (void)action;
}

uint32_t app_requests(void)
{
    return 0U;
}

uint32_t app_is_simulated(void)
{
    return 0U;
}
