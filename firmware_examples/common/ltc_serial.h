/*
 * ltc_serial.h: a controller at the end of a serial line, by the protocol of docs/serial-protocol.md.
 *
 *     static ltc_serial serial;
 *     ltc_serial_init(&serial);
 *     for (;;) {
 *         if (a byte came)                                   ltc_serial_receive(&serial, byte);
 *         if (a byte can go && ltc_serial_next(&serial, &byte))             send(byte);
 *     }
 *
 * The program never waits in here for a byte; a request is carried out in the call that receives its last
 * byte, and takes as long as the controller's step, or as its selftest of two dozen steps.
 */
#ifndef LTC_SERIAL_H
#define LTC_SERIAL_H

#include <stdint.h>

#include "ltc_cobs.h"
#include "ltc_controller.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LTC_SERIAL_PROTOCOL 1U /* its version */

/* Requests; the answer to one has LTC_SERIAL_ANSWER added. */
#define LTC_SERIAL_HELLO 1U
#define LTC_SERIAL_RESET 2U
#define LTC_SERIAL_STEP 3U
#define LTC_SERIAL_READ_STATE 4U
#define LTC_SERIAL_WRITE_STATE 5U
#define LTC_SERIAL_SELFTEST 6U
#define LTC_SERIAL_CHECK 7U
/* These where the board has a control loop too: LTC_SERIAL_LOOP is 1. */
#define LTC_SERIAL_IMAGE 8U
#define LTC_SERIAL_ORDER 9U
#define LTC_SERIAL_REPORT 10U
#define LTC_SERIAL_DRILL 11U
#define LTC_SERIAL_ANSWER 0x80U
#define LTC_SERIAL_REFUSAL 0xFFU

/* Why a request is refused. */
#define LTC_SERIAL_NO_SESSION 1U /* no HELLO since the device started */
#define LTC_SERIAL_UNKNOWN 2U    /* no such request in this version of the protocol */
#define LTC_SERIAL_WRONG_SIZE 3U /* its content is not as long as this controller needs it */
#define LTC_SERIAL_LEFT_OUT 4U   /* the selftest was not built in */
#define LTC_SERIAL_ACTS 5U       /* the board's control loop is not disarmed */

#ifndef LTC_SERIAL_LOOP
#define LTC_SERIAL_LOOP 0
#endif

/* Ticks of the board's counter in a second; 0: it has none, and ltc_serial_ticks is not called. */
#ifndef LTC_SERIAL_TICKS_PER_SECOND
#define LTC_SERIAL_TICKS_PER_SECOND 0
#endif

/* Of a version as long as it may be, the end is told, with the CRC of the parameters. */
#define LTC_SERIAL_VERSION_BYTES 80U

#define LTC_SERIAL_HELLO_BYTES 16U /* of the answer, before the version */
#define LTC_SERIAL_STEP_BYTES 8U   /* of the answer, before the actions */
#define LTC_SERIAL_REPORT_BYTES 24U /* of the answer, before the actions */
#define LTC_SERIAL_IMAGE_BYTES 8U  /* of the image's hash */
#define LTC_SERIAL_HEAD_BYTES 2U   /* kind and sequence number */
#define LTC_SERIAL_CRC_BYTES 4U
#define LTC_SERIAL_STATE_BYTES sizeof(((controller_context *)0)->state)

#if LTC_SERIAL_LOOP
#define LTC_SERIAL_ACTION_BYTES (LTC_SERIAL_REPORT_BYTES + (4U * CONTROLLER_ACTIONS))
#else
#define LTC_SERIAL_ACTION_BYTES (LTC_SERIAL_STEP_BYTES + (4U * CONTROLLER_ACTIONS))
#endif

#define LTC_SERIAL_LARGER(a, b) (((a) > (b)) ? (a) : (b))
#define LTC_SERIAL_FRAME(content) (LTC_SERIAL_HEAD_BYTES + (content) + LTC_SERIAL_CRC_BYTES)
#define LTC_SERIAL_REQUEST_BYTES \
    LTC_SERIAL_FRAME(LTC_SERIAL_LARGER(4U * (CONTROLLER_OBSERVATIONS + 1U), LTC_SERIAL_STATE_BYTES))
#define LTC_SERIAL_ANSWER_BYTES                                                                     \
    LTC_SERIAL_FRAME(LTC_SERIAL_LARGER(LTC_SERIAL_HELLO_BYTES + LTC_SERIAL_VERSION_BYTES,           \
                                       LTC_SERIAL_LARGER(LTC_SERIAL_ACTION_BYTES,                  \
                                                         LTC_SERIAL_STATE_BYTES)))

/* The controller and its end of the line; static memory, about 250 bytes where the state is small. */
typedef struct {
    controller_context context;
    float observation[CONTROLLER_OBSERVATIONS];
    float action[CONTROLLER_ACTIONS];
    uint32_t session;  /* what the host drew in its HELLO */
    uint32_t last_crc; /* of the request that was answered last */
    ltc_cobs_receiver receiver;
    ltc_cobs_sender sender;
    uint8_t has_session;
    uint8_t has_answer;
    uint8_t sequence; /* number of the request that was answered last */
    uint8_t request[LTC_SERIAL_REQUEST_BYTES];
    uint8_t answer[LTC_SERIAL_ANSWER_BYTES];
} ltc_serial;

/* Before all else: no session, no answer, a controller that was not reset. */
void ltc_serial_init(ltc_serial *serial);

/* A byte came. 1 where it completed a request that was carried out. */
uint32_t ltc_serial_receive(ltc_serial *serial, uint8_t byte);

/* 1 and the next byte to send, or 0 where there is none. */
uint32_t ltc_serial_next(ltc_serial *serial, uint8_t *byte);

/* Given by the board: a counter that runs all the time and wraps at 2^32. */
uint32_t ltc_serial_ticks(void);

#if LTC_SERIAL_LOOP
/* Given by ltc_loop_serial.c: whether the loop is anything but disarmed; then the controller is not to be held up. */
uint32_t ltc_serial_loop_acts(void);

/* Given by it too: carry out a request from LTC_SERIAL_IMAGE on, and write its answer. 0, or why it is refused. */
uint8_t ltc_serial_loop_request(uint8_t kind, const uint8_t *content, uint16_t size, uint8_t *answer,
                                uint16_t *answered);
#endif

/* Part of every controller's runtime: CRC-32 (IEEE 802.3) of the bytes. */
uint32_t ltc_crc32(const void *data, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif
