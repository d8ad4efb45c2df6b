/*
 * report.h: what the loop did, on standard error.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "loop.h"
#include "page.h"

void report(uint32_t json, loop_end end, const page *page);

#endif
