#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int handle = -1;
static struct sockaddr_un manager;
static socklen_t manager_length;
static int64_t every_ns; /* 0: nobody watches */
static int64_t said_at;

/* Half of the watchdog's time, where it is for this process. */
static int64_t half_of_watchdog(void)
{
    const char *const time = getenv("WATCHDOG_USEC");
    const char *const process = getenv("WATCHDOG_PID");
    if ((time == NULL) || ((process != NULL) && (strtoll(process, NULL, 10) != (long long)getpid()))) {
        return 0;
    }
    const long long microseconds = strtoll(time, NULL, 10);
    return ((microseconds > 0) && (microseconds < INT64_MAX / 1000)) ? ((int64_t)microseconds * 500) : 0;
}

void notify_open(void)
{
    const char *const path = getenv("NOTIFY_SOCKET");
    const size_t length = (path == NULL) ? 0U : strlen(path);
    if ((length < 2U) || (length >= sizeof(manager.sun_path)) || ((path[0] != '/') && (path[0] != '@'))) {
        return;
    }
    manager.sun_family = AF_UNIX;
    memcpy(manager.sun_path, path, length);
    if (path[0] == '@') {
        manager.sun_path[0] = '\0'; /* an abstract name */
    }
    manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    handle = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    every_ns = half_of_watchdog();
}

static void say(const char *text)
{
    if (handle >= 0) {
        (void)sendto(handle, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&manager,
                     manager_length);
    }
}

void notify_ready(void)
{
    say("READY=1");
}

void notify_stopping(void)
{
    say("STOPPING=1");
}

void notify_alive(int64_t now)
{
    if ((every_ns != 0) && ((now - said_at) >= every_ns)) {
        said_at = now;
        say("WATCHDOG=1");
    }
}
