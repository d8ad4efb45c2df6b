/*
 * report.h: the summary, on standard error.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "control.h"
#include "loop.h"

/* times is null where no clock was kept. */
void report(uint32_t json, loop_end end, const control_counts *counts, const loop_times *times);

#endif
