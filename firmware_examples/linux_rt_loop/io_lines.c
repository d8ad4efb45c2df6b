/* lines: sensor values in a line of standard input, actions in a line of standard output. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"

#define MOST_READS 16U /* of input in one period, so that a flood of lines cannot hold up the loop */

static char pending[LINE_BYTES]; /* the beginning of a line */
static size_t length;
static uint32_t skipping; /* 1 within a line that is too long */

/* Whether fd is ready for events, or broken, within the time. */
static uint32_t ready(int fd, short events, int milliseconds)
{
    struct pollfd one = { fd, events, 0 };
    return (poll(&one, 1U, milliseconds) > 0) ? 1U : 0U;
}

static const char *lines_open(const io_request *request, char where[IO_WHERE_BYTES])
{
    if (*request->address != '\0') {
        return "expected lines, with nothing after it";
    }
    (void)snprintf(where, IO_WHERE_BYTES, "lines");
    return ((fcntl(STDIN_FILENO, F_GETFD) < 0) || (fcntl(STDOUT_FILENO, F_GETFD) < 0)) ? strerror(errno) : NULL;
}

/* The line that ended is a reading, which overrules those before it, or is none. */
static void end_line(io_inputs *inputs, int64_t now)
{
    float values[CONTROLLER_OBSERVATIONS];
    const uint32_t too_long = skipping;
    pending[length] = '\0';
    length = 0U;
    skipping = 0U;
    if ((too_long != 0U) || (line_read(pending, values, CONTROLLER_OBSERVATIONS) == 0U)) {
        ++inputs->counts.malformed;
        return;
    }
    ++inputs->counts.taken;
    memcpy(inputs->observation, values, sizeof(values));
    for (uint32_t i = 0U; i < CONTROLLER_OBSERVATIONS; ++i) {
        inputs->measured_at[i] = now;
    }
}

static void take(const char *bytes, size_t count, io_inputs *inputs, int64_t now)
{
    for (size_t i = 0U; i < count; ++i) {
        if (bytes[i] == '\n') {
            end_line(inputs, now);
        } else if (length < (LINE_BYTES - 1U)) {
            pending[length] = bytes[i];
            ++length;
        } else {
            skipping = 1U;
        }
    }
}

static void lines_read(io_inputs *inputs, int64_t now)
{
    static char bytes[LINE_BYTES];
    for (uint32_t reads = 0U; (reads < MOST_READS) && (inputs->ended == 0U); ++reads) {
        if (ready(STDIN_FILENO, POLLIN, 0) == 0U) {
            break;
        }
        const ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (count > 0) {
            take(bytes, (size_t)count, inputs, now);
        } else if ((count == 0) || ((errno != EINTR) && (errno != EAGAIN))) {
            inputs->ended = 1U;
        }
    }
}

static io_result give(const float *action, int milliseconds)
{
    static char text[LINE_BYTES];
    const size_t size = line_write(text, action, CONTROLLER_ACTIONS);
    size_t sent = 0U;
    while (sent < size) {
        /* A pipe that is ready takes up to 4096 bytes whole. */
        if (ready(STDOUT_FILENO, POLLOUT, milliseconds) == 0U) {
            return IO_BUSY;
        }
        const ssize_t count = write(STDOUT_FILENO, &text[sent], size - sent);
        if (count >= 0) {
            sent += (size_t)count;
        } else if (errno != EINTR) {
            return (errno == EAGAIN) ? IO_BUSY : IO_LOST;
        }
    }
    return IO_GIVEN;
}

static io_result lines_write(const io_outputs *outputs)
{
    return give(outputs->action, 0);
}

static io_result lines_close(const io_outputs *outputs)
{
    return give(outputs->action, 1000);
}

const io_kind io_lines = { "lines", lines_open, lines_read, lines_write, lines_close };
