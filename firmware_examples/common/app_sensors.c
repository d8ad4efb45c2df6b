/*
 * sensors.c: YOURS. Reads your sensors and drives your actuators; ltc-edge never writes over it.
 *
 * As it stands it drives nothing: each reading follows an action with a lag, so that the loop runs before
 * anything is wired. It is a stand-in and no model of your plant. Put your hardware in its place, and let
 * app_is_simulated return 0.
 */
#include "app.h"

#define LAG 0.05F /* of the way from a reading to its action, a period */

static float reading[CONTROLLER_OBSERVATIONS];

void app_start(void)
{
}

void sensors_read(float observation[CONTROLLER_OBSERVATIONS], float age_s[CONTROLLER_OBSERVATIONS])
{
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        observation[i] = reading[i];
        age_s[i] = 0.0F;
    }
}

void actuators_write(const float action[CONTROLLER_ACTIONS])
{
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        reading[i] += LAG * (action[i % CONTROLLER_ACTIONS] - reading[i]);
    }
}

uint32_t app_requests(void)
{
    return 0U;
}

uint32_t app_is_simulated(void)
{
    return 1U;
}
