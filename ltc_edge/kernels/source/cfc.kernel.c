/* cfc.kernel.c: the closed-form continuous-time cell for one instruction set, LTC_EDGE_ISA. */
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfc_shape.h"
#include "table.h"
#include "tiles.h"

#define REAL float
#define WHOLE int32_t
#define NAME(x) x##_f32
#define DOUBLE_PRECISION 0
#include "cfc_type.h"
#include "no_type.h"

#define REAL double
#define WHOLE int64_t
#define NAME(x) x##_f64
#define DOUBLE_PRECISION 1
#include "cfc_type.h"
#include "no_type.h"

static int64_t trace(const ltc_edge_cfc *cell, const ltc_edge_sequences *sequences, int32_t size)
{
    return size == (int32_t)sizeof(float) ? trace_f32(cell, sequences) : trace_f64(cell, sequences);
}

#define JOINED(a, b) a##b
#define TABLE(isa) JOINED(ltc_edge_cfc_table_, isa)

extern const ltc_edge_cfc_table TABLE(LTC_EDGE_ISA);
__attribute__((visibility("hidden"))) const ltc_edge_cfc_table TABLE(LTC_EDGE_ISA) = {
    .trace = trace,
    .forward_f32 = forward_f32,
    .forward_f64 = forward_f64,
    .backward_f32 = backward_f32,
    .backward_f64 = backward_f64,
};
