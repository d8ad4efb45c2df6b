/*
 * options.h: the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

typedef struct {
    const char *io;
    const char *log;  /* null: none is kept */
    const char *page; /* null: in this process alone */
    int fifo;         /* priority of SCHED_FIFO; 0: the scheduler stays as it is */
    int cpu;          /* -1: any */
    uint32_t at_start; /* LTC_ARM, LTC_TO_SHADOW or 0 */
    uint32_t lock;
    uint32_t bind;
    uint32_t force; /* 1: the log replaces a file that is there */
    uint32_t bare;
    uint32_t json;
    uint32_t every;
    int64_t parent; /* the process whose death ends this one; 0: none */
    double period_s;
    double spin_s;
    double duration_s; /* 0: no end */
    uint32_t log_minutes;
    uint32_t log_keep;
} options;

typedef enum { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG } options_result;

/* Fill from the command line; what is wrong was told on standard error. */
options_result options_read(int count, char **arguments, options *options);

#endif
