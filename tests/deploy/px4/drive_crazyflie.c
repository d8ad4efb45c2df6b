/*
 * Steps a generated controller of the Crazyflie by hand. Each line of the input is a call of the stabiliser,
 *
 *     tick now_us sensed_us told_tick allowed roll_setpoint roll
 *
 * with numbers in hexadecimal; each line of the output what it drives:
 *
 *     controlMode roll pitch thrust mode status dt proposal
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controller.h"
#include "controller_pid.h"
#include "task.h"
#include "usec_time.h"

extern const void *const stub_params_ltc[];
extern const void *const stub_logs_ltc[];
void appMain();

static uint64_t now_us;
static uint32_t tick;

uint64_t usecTimestamp(void) { return now_us; }
TickType_t xTaskGetTickCount(void) { return tick; }
void vTaskDelay(const TickType_t ticks) { (void)ticks; }
void controllerPidInit(void) {}
bool controllerPidTest(void) { return true; }

void controllerPid(control_t *control, const setpoint_t *setpoint, const sensorData_t *sensors,
                   const state_t *state, const stabilizerStep_t step)
{
  (void)setpoint, (void)sensors, (void)state, (void)step;
  control->controlMode = controlModeLegacy;
  control->roll = 11;
  control->pitch = 22;
  control->thrust = 33.0f;
}

static float value_of(uint32_t bits)
{
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint32_t bits_at(const void *place)
{
  uint32_t bits;
  memcpy(&bits, place, sizeof(bits));
  return bits;
}

int main(void)
{
  uint64_t sensed;
  uint32_t told, roll_setpoint, roll;
  unsigned allowed;
  (void)appMain;
  controllerOutOfTreeInit();
  printf("%d\n", controllerOutOfTreeTest() ? 1 : 0);
  while (scanf("%" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %u %" SCNx32 " %" SCNx32, &tick, &now_us, &sensed, &told,
               &allowed, &roll_setpoint, &roll) == 7) {
    sensorData_t sensors = {.interruptTimestamp = sensed};
    setpoint_t setpoint = {.timestamp = told};
    state_t state = {.attitude = {.roll = value_of(roll)}};
    control_t control;
    setpoint.attitude.roll = value_of(roll_setpoint);
    memset(&control, 0, sizeof(control));
    *(uint8_t *)stub_params_ltc[0] = (uint8_t)allowed;
    controllerOutOfTree(&control, &setpoint, &sensors, &state, tick);
    printf("%d %d %d %g %u %" PRIu32 " %08" PRIx32 " %08" PRIx32 "\n", (int)control.controlMode, control.roll,
           control.pitch, (double)control.thrust, *(const uint8_t *)stub_logs_ltc[0], bits_at(stub_logs_ltc[1]),
           bits_at(stub_logs_ltc[2]), bits_at(stub_logs_ltc[3]));
  }
  return 0;
}
