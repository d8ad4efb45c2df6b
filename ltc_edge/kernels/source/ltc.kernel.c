/* ltc.kernel.c: the liquid time-constant cell for one instruction set, LTC_EDGE_ISA. */
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "table.h"
#include "tiles.h"

/* A large trace is new memory in each pass: the system's 4-KiB pages would cost as much as writing it. */
static void use_large_pages(void *start, int64_t bytes)
{
#if defined(MADV_HUGEPAGE)
    const uintptr_t page = (uintptr_t)2 << 20, first = ((uintptr_t)start + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)start + (uintptr_t)bytes) / page * page;
    if (start != NULL && end > first) {
        /* Advice: where it is not taken nothing is lost. */
        (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
    }
#else
    (void)start;
    (void)bytes;
#endif
}

#define REAL float
#define WHOLE int32_t
#define NAME(x) x##_f32
#define DOUBLE_PRECISION 0
#include "ltc_type.h"

#include "ltc_roof.h"

#include "no_type.h"

#define REAL double
#define WHOLE int64_t
#define NAME(x) x##_f64
#define DOUBLE_PRECISION 1
#include "ltc_type.h"
#include "no_type.h"

static int64_t trace(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int32_t size, int64_t most)
{
    return size == (int32_t)sizeof(float) ? trace_f32(circuit, sequences, most)
                                          : trace_f64(circuit, sequences, most);
}

#define JOINED(a, b) a##b
#define TABLE(isa) JOINED(ltc_edge_table_, isa)
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

extern const ltc_edge_table TABLE(LTC_EDGE_ISA);
__attribute__((visibility("hidden"))) const ltc_edge_table TABLE(LTC_EDGE_ISA) = {
    .isa = TEXT(LTC_EDGE_ISA),
    .ltc_trace = trace,
    .ltc_forward_f32 = forward_f32,
    .ltc_forward_f64 = forward_f64,
    .ltc_backward_f32 = backward_f32,
    .ltc_backward_f64 = backward_f64,
    .ltc_roof_f32 = roof_f32,
};
