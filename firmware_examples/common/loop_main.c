/* The controller in a control loop of the board's own, and at the end of its serial line. */
#include "board.h"
#include "ltc_loop.h"

int main(void)
{
    static ltc_serial serial;
    uint8_t byte;

    board_init();
    ltc_serial_init(&serial);
    app_start();
    ltc_loop_start();
    for (;;) {
        if (board_receive(&byte) != 0U) {
            (void)ltc_serial_receive(&serial, byte);
        }
        if ((board_can_send() != 0U) && (ltc_serial_next(&serial, &byte) != 0U)) {
            board_send(byte);
        }
        ltc_loop_turn();
    }
}
