/*
 * serial:///dev/ttyACM0?baud=115200: datagrams on a line of bytes, each with a CRC-32 behind it, as frames of
 * consistent overhead byte stuffing (docs/serial-protocol.md, Frames; docs/run.md). 8 data bits, no parity, one
 * stop bit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "address.h"
#include "datagram.h"
#include "io.h"
#include "ltc_cobs.h"

#define CRC_BYTES 4U
#define FRAME_BYTES (DATAGRAM_READINGS_MOST + CRC_BYTES)
#define SENT_BYTES (DATAGRAM_ACTION_BYTES + CRC_BYTES)
/* On the line: a byte in 254 more, and a zero before and behind. */
#define STUFFED_BYTES (SENT_BYTES + (SENT_BYTES / 254U) + 3U)
#define MOST_BYTES 4096U /* in one period, so that noise cannot hold up the loop */

#if (4 * (2 * CONTROLLER_OBSERVATIONS + CONTROLLER_ACTIONS) + 28) > 65535
#error "a frame has at most 65535 bytes"
#endif

/* Of the controller's runtime, in c-float32 and in c-int16. */
uint32_t ltc_crc32(const void *data, uint32_t bytes);

static int handle = -1;
static datagram_link line;
static ltc_cobs_receiver receiver;
static uint8_t frame[FRAME_BYTES];
static uint8_t stuffed[STUFFED_BYTES]; /* what is still to go out */
static size_t stuffed_length;
static size_t sent;

static speed_t speed_of(const char *text)
{
    static const struct {
        long baud;
        speed_t speed;
    } known[] = {
        { 9600, B9600 },     { 19200, B19200 },   { 38400, B38400 },     { 57600, B57600 },
        { 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 },   { 500000, B500000 },
        { 921600, B921600 }, { 1000000, B1000000 }, { 2000000, B2000000 }, { 4000000, B4000000 },
    };
    char *end;
    const long baud = (text == NULL) ? 115200 : strtol(text, &end, 10);
    for (size_t i = 0U; i < (sizeof(known) / sizeof(known[0])); ++i) {
        if (known[i].baud == baud) {
            return known[i].speed;
        }
    }
    return B0;
}

static const char *set_line(speed_t speed)
{
    struct termios settings;
    if (tcgetattr(handle, &settings) != 0) {
        return strerror(errno);
    }
    cfmakeraw(&settings);
    settings.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
    settings.c_cflag |= CLOCAL | CREAD;
    if ((cfsetspeed(&settings, speed) != 0) || (tcsetattr(handle, TCSANOW, &settings) != 0)) {
        return strerror(errno);
    }
    (void)tcflush(handle, TCIOFLUSH);
    return NULL;
}

static const char *serial_open(const io_request *request, char where[IO_WHERE_BYTES])
{
    static const char *const options[] = { "baud", NULL };
    char path[IO_WHERE_BYTES];
    const speed_t speed = speed_of(url_option(request->address, "baud"));
    if ((url_place(request->address, path, sizeof(path)) == 0U)
        || (url_options_are(request->address, options) == 0U) || (speed == B0)) {
        return "expected serial:///dev/NAME?baud= with one of the usual rates, 9600 to 4000000";
    }
    handle = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (handle < 0) {
        return strerror(errno);
    }
    (void)snprintf(where, IO_WHERE_BYTES, "%s", path);
    return set_line(speed);
}

static void take_byte(uint8_t byte, io_inputs *inputs, int64_t now)
{
    uint32_t crc;
    const uint32_t length = ltc_cobs_take(&receiver, frame, (uint16_t)FRAME_BYTES, byte);
    if (length == 0U) {
        return;
    }
    if (length <= CRC_BYTES) {
        ++inputs->counts.malformed;
        return;
    }
    memcpy(&crc, &frame[length - CRC_BYTES], CRC_BYTES);
    if (ltc_crc32(frame, length - CRC_BYTES) != crc) {
        ++inputs->counts.malformed;
        return;
    }
    (void)datagram_take(&line, frame, length - CRC_BYTES, now, inputs);
}

static void serial_read(io_inputs *inputs, int64_t now)
{
    static uint8_t bytes[256];
    for (uint32_t taken = 0U; taken < MOST_BYTES;) {
        const ssize_t count = read(handle, bytes, sizeof(bytes));
        if (count <= 0) {
            if ((count < 0) && (errno == EIO)) {
                inputs->ended = 1U; /* unplugged */
            }
            return;
        }
        for (ssize_t i = 0; i < count; ++i) {
            take_byte(bytes[i], inputs, now);
        }
        taken += (uint32_t)count;
    }
}

/* Give what the line takes of the action; 1 where nothing is left. */
static io_result push(void)
{
    while (sent < stuffed_length) {
        const ssize_t count = write(handle, &stuffed[sent], stuffed_length - sent);
        if (count > 0) {
            sent += (size_t)count;
        } else if ((count < 0) && (errno != EAGAIN) && (errno != EINTR)) {
            return IO_LOST;
        } else {
            return IO_BUSY;
        }
    }
    return IO_GIVEN;
}

static void stuff(const io_outputs *outputs)
{
    static uint8_t bytes[SENT_BYTES];
    ltc_cobs_sender sender = { 0U, 0U, 0U, 0U, 0U };
    datagram_write(&line, outputs, bytes);
    const uint32_t crc = ltc_crc32(bytes, DATAGRAM_ACTION_BYTES);
    memcpy(&bytes[DATAGRAM_ACTION_BYTES], &crc, CRC_BYTES);
    ltc_cobs_start(&sender, (uint16_t)SENT_BYTES);
    stuffed_length = 0U;
    sent = 0U;
    while ((stuffed_length < STUFFED_BYTES) && (ltc_cobs_give(&sender, bytes, &stuffed[stuffed_length]) != 0U)) {
        ++stuffed_length;
    }
}

static io_result serial_write(const io_outputs *outputs)
{
    const io_result before = push(); /* a frame that has begun is ended first */
    if (before != IO_GIVEN) {
        return before;
    }
    stuff(outputs);
    const io_result now = push();
    /* What is left of it goes out in the next period. */
    return (now == IO_BUSY) ? IO_GIVEN : now;
}

static io_result serial_close(const io_outputs *outputs)
{
    /* Whatever is before it goes out first; a line that takes nothing is given up after a second. */
    for (uint32_t tries = 0U; (push() == IO_BUSY) && (tries < 1000U); ++tries) {
        (void)usleep(1000U);
    }
    io_result result = serial_write(outputs);
    for (uint32_t tries = 0U; (result == IO_GIVEN) && (push() == IO_BUSY) && (tries < 1000U); ++tries) {
        (void)usleep(1000U);
    }
    return result;
}

const io_kind io_serial = { "serial", serial_open, serial_read, serial_write, serial_close };
