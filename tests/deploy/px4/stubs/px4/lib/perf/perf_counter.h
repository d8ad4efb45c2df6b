#pragma once
enum perf_counter_type { PC_COUNT, PC_ELAPSED, PC_INTERVAL };
struct perf_ctr_header;
typedef struct perf_ctr_header *perf_counter_t;
static inline perf_counter_t perf_alloc(enum perf_counter_type, const char *) { return nullptr; }
static inline void perf_free(perf_counter_t) {}
static inline void perf_begin(perf_counter_t) {}
static inline void perf_end(perf_counter_t) {}
static inline void perf_count(perf_counter_t) {}
static inline void perf_print_counter(perf_counter_t) {}
