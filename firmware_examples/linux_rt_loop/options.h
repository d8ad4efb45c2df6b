/*
 * options.h: the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

typedef struct {
    int priority; /* of SCHED_FIFO; 0: the scheduler stays as it is */
    int cpu;      /* -1: any */
    uint32_t lock;
    uint32_t replay;
    uint32_t json;
    double period_s;
    double oldest_s;
    uint64_t periods; /* 0: no end */
    const char *record; /* null: nothing is recorded */
} options;

typedef enum { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG } options_result;

/* Fill from the command line; what is wrong was told on standard error. */
options_result options_read(int count, char **arguments, options *options);

#endif
