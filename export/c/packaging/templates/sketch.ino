/*
 * Runs the controller @{title} every @{period} s.
 *
 * Put your sensors into read_observation() and your actuators into apply_action(); nothing else needs to
 * change. Where no action can be computed, the controller gives its fallback and a status that says why.
 */
#include <@{name}.h>

@{period_us}

static @{name}_context controller;
static uint32_t due;      /* when the next step is, in microseconds */
static uint32_t previous; /* when the last one was */
static uint32_t faults;   /* the last step's, as bits */
static uint32_t missed;   /* periods in which there was no step */

static void read_observation(float observation[@{upper}_OBSERVATIONS])
{
@{readings}
}

static void apply_action(const float action[@{upper}_ACTIONS])
{
@{actions}
}

static void report(uint32_t status)
{
    if (status != faults) {
        faults = status;
        Serial.print(F("@{name}: status "));
        Serial.print(status);
        Serial.print(F(", periods missed "));
        Serial.println(missed);
    }
}

void setup()
{
    Serial.begin(115200);
    uint32_t status = @{upper}_OK;
#if !defined(__AVR__) && !defined(@{upper}_NO_SELFTEST)
    /* The golden vectors would fill the memory of an AVR. */
    status = @{name}_selftest();
#endif
    if (status == @{upper}_OK) {
        status = @{name}_reset(&controller);
    }
    /* A controller that failed was not reset: its steps give the fallback, and say so. */
    report(status);
    previous = micros();
    due = previous + PERIOD_US;
}

void loop()
{
    const uint32_t now = micros();
    if (static_cast<int32_t>(now - due) < 0) {
        return;
    }
    const uint32_t late = (now - due) / PERIOD_US;
    missed += late;
    due += (late + 1U) * PERIOD_US;

    float observation[@{upper}_OBSERVATIONS];
    float action[@{upper}_ACTIONS];
    read_observation(observation);
    const float dt = static_cast<float>(now - previous) * 1e-6F;
    previous = now;
    const uint32_t status = @{name}_step(&controller, observation, dt, action);
    apply_action(action); /* within its limits, or the fallback */

    report(status & @{upper}_NO_ACTION);
    if ((status & @{upper}_STATE_OUT_OF_BOUNDS) != 0U) {
        (void)@{name}_reset(&controller);
    }
}
