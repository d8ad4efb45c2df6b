/*
 * io.h: where readings come from and where actions go. A kind of I/O is one file with four functions and a
 * line in io.c: for sensors and actuators on I2C or SPI, add yours.
 *
 * read and write are called once a period and must not wait: they take what is there, and give what can be
 * given, now.
 */
#ifndef IO_H
#define IO_H

#include <stdint.h>

#include "ltc_controller.h"

#define IO_NEVER INT64_MIN /* the time of what was not measured yet */

/* How many messages came to what. */
typedef struct {
    uint64_t taken;
    uint64_t malformed; /* too short or long, of another kind or version, or no numbers */
    uint64_t old;       /* a copy of one that was taken, or one sent before it */
    uint64_t foreign;   /* from somebody else */
    uint64_t not_sent;  /* actions that could not go out, since somebody is busy or gone */
} io_counts;

/* What is known of the plant; read brings it up to date, signal by signal. */
typedef struct {
    float observation[CONTROLLER_OBSERVATIONS]; /* in the controller's units; it may hold NaN */
    int64_t measured_at[CONTROLLER_OBSERVATIONS]; /* by realtime_now; IO_NEVER: not yet */
    float external[CONTROLLER_ACTIONS]; /* what acts in shadow mode */
    uint32_t has_external;
    uint32_t requests; /* of the operator, for the supervisor; whoever takes them clears them */
    uint32_t ended;    /* no reading will come any more */
    io_counts counts;
} io_inputs;

typedef struct {
    const float *action;   /* [actions] */
    const float *proposal; /* [actions]: what the controller wants, in shadow mode too */
    uint32_t status;
    uint32_t mode;
} io_outputs;

typedef enum { IO_GIVEN, IO_BUSY, IO_LOST } io_result;

/* What the command line says of it. */
typedef struct {
    const char *address;   /* what follows the scheme */
    uint32_t beyond_loopback; /* 1: other machines may send readings */
} io_request;

#define IO_WHERE_BYTES 96U

typedef struct {
    const char *scheme;
    /* Null, or what is wrong, in words. Called once, before anything is real-time; fills in where it is. */
    const char *(*open)(const io_request *request, char where[IO_WHERE_BYTES]);
    void (*read)(io_inputs *inputs, int64_t now);
    io_result (*write)(const io_outputs *outputs);
    /* The last action, for the time after this program. Not in a hurry: it may wait, up to a second. */
    io_result (*close)(const io_outputs *outputs);
} io_kind;

/* The kind that a URL such as udp://127.0.0.1:9000 names, and what follows its scheme; null for none. */
const io_kind *io_find(const char *url, const char **address);

extern const io_kind io_lines;
extern const io_kind io_udp;
extern const io_kind io_serial;
extern const io_kind io_can;
extern const io_kind io_mailbox;

#endif
