/*
 * notify.h: what systemd is told (Type=notify, WatchdogSec=), in its datagrams, without its library. All of it
 * does nothing where the environment has no NOTIFY_SOCKET.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/* Find the socket and the watchdog's time in the environment; before anything is real-time. */
void notify_open(void);

void notify_ready(void);
void notify_stopping(void);

/* Called once a period; says that the loop lives as often as the watchdog needs. Never waits. */
void notify_alive(int64_t now);

#endif
