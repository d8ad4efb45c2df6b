/* A line of sensor values on standard input, a line of actions on standard output. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

int io_open(void)
{
    return ((fcntl(STDIN_FILENO, F_GETFD) < 0) || (fcntl(STDOUT_FILENO, F_GETFD) < 0)) ? errno : 0;
}

/* The line that ended is a reading or a bad one; what was found before it is overruled. */
static reading_result end_line(float *observation)
{
    const uint32_t too_long = skipping;
    pending[length] = '\0';
    length = 0U;
    skipping = 0U;
    if (too_long != 0U) {
        return READING_BAD;
    }
    return (line_read(pending, observation, CONTROLLER_OBSERVATIONS) != 0U) ? READING_NEW : READING_BAD;
}

static void take(const char *bytes, size_t count, reading_result *newest, float *observation)
{
    for (size_t i = 0U; i < count; ++i) {
        if (bytes[i] == '\n') {
            *newest = end_line(observation);
        } else if (length < (LINE_BYTES - 1U)) {
            pending[length] = bytes[i];
            ++length;
        } else {
            skipping = 1U;
        }
    }
}

reading_result io_read(float observation[CONTROLLER_OBSERVATIONS])
{
    static char bytes[LINE_BYTES];
    static uint32_t ended;
    reading_result newest = READING_NONE;
    for (uint32_t reads = 0U; (reads < MOST_READS) && (ended == 0U); ++reads) {
        if (ready(STDIN_FILENO, POLLIN, 0) == 0U) {
            break;
        }
        const ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (count > 0) {
            take(bytes, (size_t)count, &newest, observation);
        } else if ((count == 0) || ((errno != EINTR) && (errno != EAGAIN))) {
            ended = 1U;
        }
    }
    /* What came with the end still counts; the end is told at the next call. */
    return ((newest == READING_NONE) && (ended != 0U)) ? READING_ENDED : newest;
}

static action_result give(const float *action, int milliseconds)
{
    static char text[LINE_BYTES];
    const size_t size = line_write(text, action, CONTROLLER_ACTIONS);
    size_t sent = 0U;
    while (sent < size) {
        /* A pipe that is ready takes up to 4096 bytes whole. */
        if (ready(STDOUT_FILENO, POLLOUT, milliseconds) == 0U) {
            return ACTION_NOT_TAKEN;
        }
        const ssize_t count = write(STDOUT_FILENO, &text[sent], size - sent);
        if (count >= 0) {
            sent += (size_t)count;
        } else if (errno != EINTR) {
            return (errno == EAGAIN) ? ACTION_NOT_TAKEN : ACTION_ENDED;
        }
    }
    return ACTION_TAKEN;
}

action_result io_write(const float action[CONTROLLER_ACTIONS])
{
    return give(action, 0);
}

action_result io_close(const float action[CONTROLLER_ACTIONS])
{
    return give(action, 1000);
}
