/*
 * page.h: what the loop is doing, in memory that other processes may look at, as ltc_edge/deploy/run/page.py
 * does. The loop alone writes. What changes together is between two values of sequence, which is odd meanwhile;
 * histograms are numbers of 64 bits that each change alone.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

#include "histogram.h"
#include "io.h"
#include "ltc_controller.h"

#define PAGE_MAGIC 0x5043544CU /* "LTCP" */
#define PAGE_VERSION 1U
#define PAGE_MODES 5U

typedef struct {
    uint64_t periods;
    uint64_t steps;          /* of the controller: periods / every */
    uint64_t missed;         /* periods whose action was not out before the next one began */
    uint64_t longest_run;    /* of missed ones, one after the other */
    uint64_t left_out;       /* periods that were over before their turn came */
    uint64_t in_mode[PAGE_MODES];
    uint64_t with_bit[32];   /* steps whose status had this bit */
    io_counts io;
    uint64_t log_dropped;
    int64_t at_ns;           /* CLOCK_MONOTONIC of the last period */
    uint32_t mode;
    uint32_t status;
    float dt_s;
    float action[CONTROLLER_ACTIONS];
    float proposal[CONTROLLER_ACTIONS];
    float observation[CONTROLLER_OBSERVATIONS];
    float age_s[CONTROLLER_OBSERVATIONS];
} page_counts;

typedef struct {
    uint32_t magic;
    uint32_t version;
    uint32_t observations;
    uint32_t actions;
    uint32_t bytes;    /* of the whole page */
    uint32_t end;      /* a loop_end, as soon as it ended */
    uint32_t sequence; /* odd while counts are being written */
    uint32_t running;  /* 1 from the first period on */
    char where[IO_WHERE_BYTES];
    page_counts counts;
    histogram latency;   /* from the time to wake up at to waking up */
    histogram execution; /* from waking up to the action being out */
    histogram added;     /* of it, what is not the bare step of the controller; with --bare alone */
} page;

/* The page, in the file at path, or in this process alone where path is null; null: the reason is in errno. */
page *page_open(const char *path);

/* Around a change of counts. */
void page_begin(page *page);
void page_end(page *page);

#endif
