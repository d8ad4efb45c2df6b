/*
 * The yardstick of bench_loop.py: what receiving and sending alone take of a period, without any loop. It wakes
 * at the same deadlines as rt_loop, receives what is there and sends an action of zeros, with the same calls.
 *
 *     sockets PERIOD_NS PERIODS FIFO CPU ACTIONS     (FIFO 0 and CPU -1: as it is)
 *
 * Prints its port, then p50, p99, p99.9 and the largest, in nanoseconds.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define MOST_BYTES 4096

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
    const int64_t one = *(const int64_t *)left, other = *(const int64_t *)right;
    return (one > other) - (one < other);
}

static void become_real_time(int fifo, int cpu)
{
    const struct sched_param priority = { .sched_priority = fifo };
    cpu_set_t set;
    CPU_ZERO(&set);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    if (cpu >= 0) {
        CPU_SET(cpu, &set);
        if (sched_setaffinity(0, sizeof(set), &set) != 0) {
            exit(3);
        }
    }
    if (fifo > 0
        && (mlockall(MCL_CURRENT | MCL_FUTURE) != 0 || sched_setscheduler(0, SCHED_FIFO, &priority) != 0)) {
        exit(3);
    }
}

/* An action's datagram that answers the readings in received. */
static size_t answer(const uint8_t *received, int actions, uint8_t *bytes)
{
    const size_t size = 24 + 12 + 8 * (size_t)actions;
    memset(bytes, 0, size);
    memcpy(bytes, received, 24);
    bytes[5] = 2;
    bytes[6] = (uint8_t)actions;
    bytes[7] = 0;
    memcpy(&bytes[24], &received[8], 4);
    return size;
}

int main(int count, char **words)
{
    if (count != 6) {
        return 2;
    }
    const int64_t period = atoll(words[1]);
    const int periods = atoi(words[2]), actions = atoi(words[5]);
    const int line = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_storage from;
    socklen_t length = sizeof(here), from_length = 0;
    static uint8_t received[MOST_BYTES], sent[MOST_BYTES], last[MOST_BYTES];
    int64_t *const times = calloc((size_t)periods, sizeof(*times));
    if (times == NULL || bind(line, (struct sockaddr *)&here, sizeof(here)) != 0) {
        return 1;
    }
    getsockname(line, (struct sockaddr *)&here, &length);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    become_real_time(atoi(words[3]), atoi(words[4]));
    int64_t release = now() + period;
    for (int i = 0; i < periods; ++i, release += period) {
        const struct timespec until = { release / 1000000000, release % 1000000000 };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        const int64_t woke = now();
        socklen_t room = sizeof(from);
        while (recvfrom(line, received, sizeof(received), 0, (struct sockaddr *)&from, &room) > 0) {
            memcpy(last, received, 24);
            from_length = room;
        }
        if (from_length > 0) {
            sendto(line, sent, answer(last, actions, sent), MSG_DONTWAIT, (struct sockaddr *)&from, from_length);
        }
        times[i] = now() - woke;
    }
    qsort(times, (size_t)periods, sizeof(*times), ascending);
    const int64_t all = periods;
    printf("%lld %lld %lld %lld\n", (long long)times[all / 2], (long long)times[all * 99 / 100],
           (long long)times[all * 999 / 1000], (long long)times[all - 1]);
    return 0;
}
