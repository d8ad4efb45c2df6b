/* The controller at the end of the board's serial line: the host has the plant, and asks for each step. */
#include "board.h"
#include "ltc_serial.h"

int main(void)
{
    static ltc_serial serial;
    uint8_t byte;

    board_init();
    ltc_serial_init(&serial);
    for (;;) {
        if (board_receive(&byte) != 0U) {
            (void)ltc_serial_receive(&serial, byte);
        }
        if ((board_can_send() != 0U) && (ltc_serial_next(&serial, &byte) != 0U)) {
            board_send(byte);
        }
    }
}
