#include "ltc_loop.h"

#include "board.h"

#define LTC_GUARDED_SETTINGS LOOP_SUPERVISOR
#include "ltc_guarded.h"

#if LTC_SERIAL_TICKS_PER_SECOND <= 0
#error "a control loop needs the board's counter"
#endif

#define SECONDS_PER_TICK (1.0F / (float)LTC_SERIAL_TICKS_PER_SECOND)

/* Whether a time has come is told by the sign of a difference. */
typedef char a_period_is_between_1_tick_and_a_quarter_turn_of_the_counter
    [((LTC_LOOP_PERIOD_TICKS > 0U) && (LTC_LOOP_PERIOD_TICKS < 0x40000000U)) ? 1 : -1];

static float observation[CONTROLLER_OBSERVATIONS], age_s[CONTROLLER_OBSERVATIONS];
static ltc_loop_report report;
static uint32_t due, last; /* when the next step is due, and when the last one began */
static uint32_t overran;   /* 1: the last action was out only after the next step was due */
static uint32_t requests;  /* until the next step */
static uint32_t drill;     /* steps for which the readings count as lost */
static uint8_t is_guarded; /* the watchdog runs */

void ltc_loop_start(void)
{
    report.status = ltc_supervisor_start(&supervisor);
    report.mode = LTC_DISARMED;
    for (uint32_t i = 0U; i < CONTROLLER_ACTIONS; ++i) {
        report.action[i] = LOOP_SUPERVISOR.resting[i];
    }
    actuators_write(report.action);
    last = ltc_serial_ticks() - LTC_LOOP_PERIOD_TICKS;
    due = last + LTC_LOOP_PERIOD_TICKS;
}

/* Deadlines missed since the last step: its own, where it overran, and those of periods without a step. */
static uint32_t missed_until(uint32_t now)
{
    const uint32_t skipped = (now - due) / LTC_LOOP_PERIOD_TICKS;
    due += (skipped + 1U) * LTC_LOOP_PERIOD_TICKS;
    return (report.mode == (uint32_t)LTC_DISARMED) ? 0U : (skipped + overran); /* disarmed, nothing waits */
}

static void read_sensors(void)
{
    sensors_read(observation, age_s);
    if (drill > 0U) {
        --drill;
        for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
            age_s[i] = SENSOR_NEVER;
        }
    }
}

static void step(uint32_t now)
{
    ltc_supervisor_input input = { observation, age_s, 0, 0.0F, 0U, 0U };
    input.missed = missed_until(now);
    /* Disarmed, a request may have held the loop up, which is no fault. */
    const uint32_t elapsed = (report.mode == (uint32_t)LTC_DISARMED) ? LTC_LOOP_PERIOD_TICKS : (now - last);
    input.dt_s = (float)elapsed * SECONDS_PER_TICK;
    input.requests = requests | app_requests();
    last = now;
    requests = 0U;
    read_sensors();
    report.status = ltc_supervisor_step(&supervisor, &input, report.action);
    actuators_write(report.action);
    report.mode = (uint32_t)ltc_supervisor_mode(&supervisor);
    report.seen |= report.status;
    report.missed += input.missed;
    ++report.steps;
    const uint32_t end = ltc_serial_ticks(), taken = end - now;
    overran = ((int32_t)(end - due) >= 0) ? 1U : 0U;
    report.longest = (taken > report.longest) ? taken : report.longest;
}

void ltc_loop_turn(void)
{
    const uint32_t now = ltc_serial_ticks();
    if ((int32_t)(now - due) >= 0) {
        step(now);
    }
    if (is_guarded != 0U) {
        board_watchdog_feed();
    } else if (report.mode != (uint32_t)LTC_DISARMED) {
        board_watchdog_start(); /* from here on until the board is reset */
        is_guarded = 1U;
    }
}

void ltc_loop_order(uint32_t asked)
{
    requests |= asked;
}

void ltc_loop_drill(uint32_t steps)
{
    drill = steps;
}

const ltc_loop_report *ltc_loop_last(void)
{
    return &report;
}

ltc_loop_report ltc_loop_tell(void)
{
    const ltc_loop_report told = report;
    report.seen = 0U;
    report.longest = 0U;
    return told;
}
