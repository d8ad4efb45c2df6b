/* table.h: what one instruction set provides, a table for each kind of cell. */
#ifndef LTC_EDGE_TABLE_H
#define LTC_EDGE_TABLE_H

#include "ltc_edge_kernels.h"

typedef int32_t ltc_edge_forward(const ltc_edge_circuit *, const ltc_edge_parameters *, const ltc_edge_sequences *,
                                 int32_t threads);
typedef int32_t ltc_edge_backward(const ltc_edge_circuit *, const ltc_edge_parameters *, const ltc_edge_sequences *,
                                  const ltc_edge_gradients *, const ltc_edge_parameters *, int32_t threads);

typedef struct {
    const char *isa;
    int64_t (*ltc_trace)(const ltc_edge_circuit *, const ltc_edge_sequences *, int32_t size, int64_t most);
    ltc_edge_forward *ltc_forward_f32, *ltc_forward_f64;
    ltc_edge_backward *ltc_backward_f32, *ltc_backward_f64;
    double (*ltc_roof_f32)(int32_t backward, int64_t evaluations, double *seconds);
} ltc_edge_table;

typedef int32_t ltc_edge_cfc_forward(const ltc_edge_cfc *, const void *const *parameters, const ltc_edge_sequences *,
                                     int32_t threads);
typedef int32_t ltc_edge_cfc_backward(const ltc_edge_cfc *, const void *const *parameters, const ltc_edge_sequences *,
                                      const ltc_edge_gradients *, void *const *parameter_gradients, int32_t threads);

typedef struct {
    int64_t (*trace)(const ltc_edge_cfc *, const ltc_edge_sequences *, int32_t size);
    ltc_edge_cfc_forward *forward_f32, *forward_f64;
    ltc_edge_cfc_backward *backward_f32, *backward_f64;
} ltc_edge_cfc_table;

#endif
