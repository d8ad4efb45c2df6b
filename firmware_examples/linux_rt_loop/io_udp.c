/*
 * udp://HOST:PORT: readings come as datagrams to this address, and the action goes back to whoever sent them.
 *
 *   ?from=HOST:PORT  readings of this sender alone
 *   &to=HOST:PORT    actions to this address
 *
 * Without from, the first who sends readings is the sender, until it has been silent for a second.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "datagram.h"
#include "io.h"

#define MOST_DATAGRAMS 16U /* in one period, so that a flood cannot hold up the loop */
#define SILENCE_NS INT64_C(1000000000)

static int handle = -1;
static address sender;
static address to;
static uint32_t sender_is_fixed;
static uint32_t to_is_fixed;
static int64_t heard_at;
static datagram_link line;

static const char *listen_at(const address *here)
{
    handle = socket(here->storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (handle < 0) {
        return strerror(errno);
    }
    return (bind(handle, (const struct sockaddr *)&here->storage, here->length) == 0) ? NULL : strerror(errno);
}

static const char *udp_open(const io_request *request, char where[IO_WHERE_BYTES])
{
    static const char *const options[] = { "from", "to", NULL };
    char text[ADDRESS_TEXT];
    address here;
    const char *const from = url_option(request->address, "from");
    const char *const destination = url_option(request->address, "to");
    if ((address_read(request->address, &here) == 0U) || (url_options_are(request->address, options) == 0U)) {
        return "expected udp://ADDRESS:PORT, ?from= and &to=, with numeric addresses";
    }
    if ((request->beyond_loopback == 0U) && (address_is_loopback(&here) == 0U)) {
        return "that lets other machines drive the actuators; say --bind if that is what you want";
    }
    sender_is_fixed = (from != NULL) ? 1U : 0U;
    to_is_fixed = (destination != NULL) ? 1U : 0U;
    if (((from != NULL) && (address_read(from, &sender) == 0U))
        || ((destination != NULL) && (address_read(destination, &to) == 0U))) {
        return "?from= and &to= expect ADDRESS:PORT";
    }
    const char *const wrong = listen_at(&here);
    if (wrong != NULL) {
        return wrong;
    }
    here.length = sizeof(here.storage);
    (void)getsockname(handle, (struct sockaddr *)&here.storage, &here.length);
    address_write(&here, text);
    (void)snprintf(where, IO_WHERE_BYTES, "udp://%s", text);
    return NULL;
}

/* Whether readings are taken from there. */
static uint32_t is_sender(const address *from, int64_t now)
{
    if (address_equal(from, &sender) != 0U) {
        /* A sender that was silent may have been started anew, and count from the beginning. */
        line.started = ((now - heard_at) > SILENCE_NS) ? 0U : line.started;
        return 1U;
    }
    if ((sender_is_fixed != 0U) || ((sender.length != 0U) && ((now - heard_at) <= SILENCE_NS))) {
        return 0U;
    }
    line.started = 0U;
    return 1U;
}

static void take(const uint8_t *bytes, uint32_t size, const address *from, int64_t now, io_inputs *inputs)
{
    if (is_sender(from, now) == 0U) {
        ++inputs->counts.foreign;
        return;
    }
    if (datagram_take(&line, bytes, size, now, inputs) != 0U) {
        sender = *from;
        heard_at = now;
    }
}

static void udp_read(io_inputs *inputs, int64_t now)
{
    static uint8_t bytes[DATAGRAM_READINGS_MOST + 1U]; /* one more tells that it is too long */
    for (uint32_t i = 0U; i < MOST_DATAGRAMS; ++i) {
        address from;
        from.length = sizeof(from.storage);
        const ssize_t size = recvfrom(handle, bytes, sizeof(bytes), 0, (struct sockaddr *)&from.storage,
                                      &from.length);
        if (size >= 0) {
            take(bytes, (uint32_t)size, &from, now, inputs);
        } else if (errno != EINTR) {
            break;
        }
    }
}

static io_result udp_write(const io_outputs *outputs)
{
    static uint8_t bytes[DATAGRAM_ACTION_BYTES];
    const address *const there = (to_is_fixed != 0U) ? &to : &sender;
    if (there->length == 0U) {
        return IO_GIVEN; /* nobody is there yet */
    }
    datagram_write(&line, outputs, bytes);
    const ssize_t sent = sendto(handle, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL,
                                (const struct sockaddr *)&there->storage, there->length);
    return (sent == (ssize_t)sizeof(bytes)) ? IO_GIVEN : IO_BUSY;
}

const io_kind io_udp = { "udp", udp_open, udp_read, udp_write, udp_write };
