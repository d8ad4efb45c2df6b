/*
 * A controller on an Arduino Uno, at the end of its USB serial line: the host has the plant, and asks for
 * each step (docs/serial-protocol.md). In the Arduino IDE this file is the sketch.
 */
#include <Arduino.h>
#include <avr/sleep.h>

#include "ltc_serial.h"

static ltc_serial serial;

/* Microseconds, in steps of 4. */
uint32_t ltc_serial_ticks(void)
{
    return micros();
}

/* Sleep until the next interrupt: a byte that came, one that went, or the clock of millis(). */
static void wait()
{
    noInterrupts();
    if (Serial.available() == 0) {
        sleep_enable();
        interrupts(); /* takes effect after the next instruction, so no interrupt is slept through */
        sleep_cpu();
        sleep_disable();
    }
    interrupts();
}

void setup()
{
    Serial.begin(115200);
    ltc_serial_init(&serial);
    set_sleep_mode(SLEEP_MODE_IDLE);
}

void loop()
{
    uint8_t byte;
    while (Serial.available() > 0) {
        (void)ltc_serial_receive(&serial, static_cast<uint8_t>(Serial.read()));
    }
    while ((Serial.availableForWrite() > 0) && (ltc_serial_next(&serial, &byte) != 0U)) {
        Serial.write(byte);
    }
    wait();
}
