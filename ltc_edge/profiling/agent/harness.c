/* Times a generated controller: a server of one-line requests on standard input.
 *
 * Every answer is a line "ok BYTES KEY=VALUE ..." with so many bytes behind it, or "no REASON". Times are
 * nanoseconds of CLOCK_MONOTONIC. harness_controller.h, written for each controller, says what is called.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "harness_controller.h"

#define SECOND 1000000000LL
#define MOST 20000000L /* samples that a request may ask for */
#define SPIN 1000      /* terms of the first yardstick */

static harness_context context;
static float *feed; /* rows of observations, and dt behind them */
static long rows;
static float action[HARNESS_ACTIONS];
static uint32_t statuses; /* what any step said, so that no step can be left out */
static volatile double yard; /* and no yardstick */
static volatile uint32_t grain = 7U;

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static uint32_t clipped(int64_t value)
{
    return value < 0 ? 0U : value > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static const float *row(long index)
{
    return feed + (index % rows) * (HARNESS_OBSERVATIONS + 1);
}

static void step(const float *given)
{
    statuses |= harness_step(&context, given, given[HARNESS_OBSERVATIONS], action);
}

/* Two fixed pieces of work, which tell how fast the processor is just now: a chain in which each term waits
 * for the one before, and as many words side by side as a processor has room for, which a neighbour on the
 * same core slows down as it does a controller. */
static int64_t chain_yardstick(void)
{
    int64_t start = now();
    double sum = 1.0;
    for (int term = 0; term < SPIN; ++term) {
        sum = 1.0 + sum / (2.0 + (double)term);
    }
    yard = sum;
    return now() - start;
}

static int64_t broad_yardstick(void)
{
    int64_t start = now();
    uint32_t a = grain;
    uint32_t b = a + 1U;
    uint32_t c = a + 2U;
    uint32_t d = a + 3U;
    uint32_t e = a + 4U;
    uint32_t f = a + 5U;
    uint32_t g = a + 6U;
    uint32_t h = a + 7U;
    for (int term = 0; term < 2 * SPIN; ++term) {
        a += (a >> 3) ^ b;
        b += (b >> 5) ^ 1U;
        c += (c << 2) ^ d;
        d += (d >> 7) ^ 3U;
        e += (e >> 3) ^ f;
        f += (f >> 5) ^ 5U;
        g += (g << 2) ^ h;
        h += (h >> 7) ^ 7U;
    }
    grain = (a ^ b ^ c ^ d ^ e ^ f ^ g ^ h) | 1U;
    return now() - start;
}

static int read_feed(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0L, SEEK_END) != 0) {
        return -1;
    }
    long size = ftell(file);
    long width = (long)sizeof(float) * (HARNESS_OBSERVATIONS + 1);
    rows = size / width;
    feed = malloc(size > 0 ? (size_t)size : 1U);
    rewind(file);
    int failed = rows < 1 || feed == NULL || fread(feed, (size_t)width, (size_t)rows, file) != (size_t)rows;
    (void)fclose(file);
    return failed ? -1 : 0;
}

static void answer(const void *block, size_t bytes, const char *extra)
{
    printf("ok %zu%s%s\n", bytes, *extra != '\0' ? " " : "", extra);
    (void)fwrite(block, 1U, bytes, stdout);
    (void)fflush(stdout);
}

static void refuse(const char *reason)
{
    printf("no %s\n", reason);
    (void)fflush(stdout);
}

/* What the process did while it was timed, for the answer's line. */
static void usage(char *text, size_t size, const struct rusage *before, int64_t started)
{
    struct rusage after;
    (void)getrusage(RUSAGE_SELF, &after);
    int64_t busy = (int64_t)(after.ru_utime.tv_sec - before->ru_utime.tv_sec) * SECOND
        + (int64_t)(after.ru_utime.tv_usec - before->ru_utime.tv_usec) * 1000
        + (int64_t)(after.ru_stime.tv_sec - before->ru_stime.tv_sec) * SECOND
        + (int64_t)(after.ru_stime.tv_usec - before->ru_stime.tv_usec) * 1000;
    (void)snprintf(
        text, size, "interruptions=%ld cpu_ns=%lld wall_ns=%lld", after.ru_nivcsw - before->ru_nivcsw,
        (long long)busy, (long long)(now() - started));
}

/* actions STEPS: from a reset, what each step gives. */
static void actions(long steps)
{
    float *block = malloc((size_t)steps * sizeof action);
    if (block == NULL) {
        refuse("not enough memory");
        return;
    }
    statuses = harness_reset(&context);
    for (long index = 0; index < steps; ++index) {
        step(row(index));
        memcpy(block + index * HARNESS_ACTIONS, action, sizeof action);
    }
    char extra[40];
    (void)snprintf(extra, sizeof extra, "statuses=%u", (unsigned)statuses);
    answer(block, (size_t)steps * sizeof action, extra);
    free(block);
}

/* singles STEPS NANOSECONDS EMPTY: each step between two readings of the clock; EMPTY ones do nothing. */
static void singles(long steps, int64_t limit, int empty)
{
    uint32_t *block = malloc((size_t)steps * sizeof *block);
    if (block == NULL) {
        refuse("not enough memory");
        return;
    }
    memset(block, 0, (size_t)steps * sizeof *block); /* its pages are there before the clock runs */
    struct rusage before;
    (void)getrusage(RUSAGE_SELF, &before);
    int64_t started = now();
    long done = 0;
    while (done < steps) {
        const float *given = row(done);
        int64_t start = now();
        if (!empty) {
            step(given);
        }
        int64_t end = now();
        block[done++] = clipped(end - start);
        if (end - started > limit) {
            break;
        }
    }
    char extra[120];
    usage(extra, sizeof extra, &before, started);
    answer(block, (size_t)done * sizeof *block, extra);
    free(block);
}

/* batches COUNT STEPS: of each both yardsticks, so many steps, and the same loop without them. */
static void batches(long count, long steps)
{
    int64_t *block = malloc((size_t)count * 4U * sizeof *block);
    if (block == NULL) {
        refuse("not enough memory");
        return;
    }
    for (long index = 0; index < count; ++index) {
        int64_t *found = block + 4 * index;
        found[0] = chain_yardstick();
        found[1] = broad_yardstick();
        int64_t start = now();
        for (long done = 0; done < steps; ++done) {
            step(row(done));
        }
        int64_t middle = now();
        for (long done = 0; done < steps; ++done) {
            const float *volatile given = row(done);
            (void)given;
        }
        found[2] = middle - start;
        found[3] = now() - middle;
    }
    answer(block, (size_t)count * 4U * sizeof *block, "");
    free(block);
}

/* Make the process a real-time one; what is not allowed is said, and ends the request. */
static const char *become_realtime(int priority, int cpu, int lock)
{
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((unsigned)cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0) {
            return "pin";
        }
    }
    if (lock && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        return "mlock";
    }
    if (priority > 0) {
        struct sched_param parameters;
        memset(&parameters, 0, sizeof parameters);
        parameters.sched_priority = priority;
        if (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) {
            return "fifo";
        }
    }
    return NULL;
}

static void sleep_until(int64_t deadline)
{
    struct timespec time;
    time.tv_sec = (time_t)(deadline / SECOND);
    time.tv_nsec = (long)(deadline % SECOND);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
}

/* paced PERIOD PERIODS: a step at every multiple of PERIOD, which the steps after a late one catch up with.
 * The answer is how late each began, then how long each took. */
static void paced(int64_t period, long periods)
{
    uint32_t *block = malloc((size_t)periods * 2U * sizeof *block);
    if (block == NULL) {
        refuse("not enough memory");
        return;
    }
    memset(block, 0, (size_t)periods * 2U * sizeof *block);
    struct rusage before;
    (void)getrusage(RUSAGE_SELF, &before);
    int64_t started = now();
    int64_t release = started + period;
    for (long index = 0; index < periods; ++index) {
        sleep_until(release);
        int64_t start = now();
        step(row(index));
        int64_t end = now();
        block[index] = clipped(start - release);
        block[periods + index] = clipped(end - start);
        release += period;
    }
    char extra[120];
    usage(extra, sizeof extra, &before, started);
    answer(block, (size_t)periods * 2U * sizeof *block, extra);
    free(block);
}

#ifdef HARNESS_STAGES
/* Which part of a step a timer interrupts: in this build, the controller says where each of them begins. */
volatile int harness_stage;
static int64_t parts[HARNESS_STAGES];

static void on_tick(int number)
{
    (void)number;
    if (harness_stage >= 0 && harness_stage < HARNESS_STAGES) {
        ++parts[harness_stage];
    }
}

/* stages NANOSECONDS INTERVAL: how often each part was met, every INTERVAL, in steps that take so long. */
static void stages(int64_t duration, int64_t interval)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_handler = on_tick;
    act.sa_flags = SA_RESTART;
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGPROF;
    timer_t timer;
    if (sigaction(SIGPROF, &act, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        refuse("there is no timer for it");
        return;
    }
    memset(parts, 0, sizeof parts);
    struct itimerspec times;
    times.it_interval.tv_sec = (time_t)(interval / SECOND);
    times.it_interval.tv_nsec = (long)(interval % SECOND);
    times.it_value = times.it_interval;
    (void)timer_settime(timer, 0, &times, NULL);
    int64_t end = now() + duration;
    for (long index = 0; now() < end;) {
        for (int some = 0; some < 100; ++some) {
            step(row(index++));
        }
    }
    (void)timer_delete(timer);
    answer(parts, sizeof parts, "");
}
#endif

static int serve(char *line)
{
    long a = 0;
    long long b = 0;
    int c = 0;
    int d = 0;
    if (sscanf(line, "actions %ld", &a) == 1 && a > 0 && a < MOST) {
        actions(a);
    } else if (sscanf(line, "singles %ld %lld %d", &a, &b, &c) == 3 && a > 0 && a < MOST) {
        singles(a, b, c);
    } else if (sscanf(line, "batches %ld %lld", &a, &b) == 2 && a > 0 && a < MOST && b > 0 && b < MOST) {
        batches(a, (long)b);
    } else if (sscanf(line, "realtime %ld %d %d", &a, &c, &d) == 3) {
        const char *refused = become_realtime((int)a, c, d);
        if (refused != NULL) {
            char reason[80];
            (void)snprintf(reason, sizeof reason, "%s %d", refused, errno);
            refuse(reason);
        } else {
            answer("", 0U, "");
        }
    } else if (sscanf(line, "paced %lld %ld", &b, &a) == 2 && a > 0 && a < MOST && b > 0) {
        paced(b, a);
#ifdef HARNESS_STAGES
    } else if (sscanf(line, "stages %lld %ld", &b, &a) == 2 && b > 0 && a > 0) {
        stages(b, a);
#endif
    } else {
        return -1;
    }
    return 0;
}

int main(int count, char **arguments)
{
    int64_t entered = now();
    if (count != 2 || read_feed(arguments[1]) != 0) {
        refuse("the feed cannot be read");
        return 2;
    }
    statuses = harness_reset(&context);
    int64_t loaded = now();
    step(row(0));
    int64_t first = now();
    char extra[160];
    (void)snprintf(
        extra, sizeof extra, "entered_ns=%lld loaded_ns=%lld first_ns=%lld status=%u", (long long)entered,
        (long long)loaded, (long long)first, (unsigned)statuses);
    answer("", 0U, extra);
    char line[200];
    while (fgets(line, (int)sizeof line, stdin) != NULL) {
        if (serve(line) != 0) {
            refuse("no such request");
        }
    }
    return 0;
}
