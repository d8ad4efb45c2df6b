/* dispatch.c: the best instruction set that is built in and that the processor has. */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "table.h"

/* Weak: a compiler that does not know an instruction set leaves its table out. */
#define TABLE(isa) extern const ltc_edge_table ltc_edge_table_##isa __attribute__((weak, visibility("hidden")))
TABLE(avx512);
TABLE(avx2);
TABLE(sse2);
TABLE(neon);
TABLE(generic);

#if defined(__x86_64__) || defined(__i386__)
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
static int has_avx512(void)
{
    return 0;
}

static int has_avx2(void)
{
    return 0;
}
#endif

enum { MOST = 5 };

static const ltc_edge_table *const *tables(void)
{
    static _Thread_local const ltc_edge_table *found[MOST + 1];
    size_t count = 0;
    if (&ltc_edge_table_avx512 != NULL && has_avx512()) {
        found[count++] = &ltc_edge_table_avx512;
    }
    if (&ltc_edge_table_avx2 != NULL && has_avx2()) {
        found[count++] = &ltc_edge_table_avx2;
    }
    const ltc_edge_table *const baseline[] = {&ltc_edge_table_sse2, &ltc_edge_table_neon, &ltc_edge_table_generic};
    for (size_t i = 0; i < sizeof baseline / sizeof *baseline; i++) {
        if (baseline[i] != NULL) {
            found[count++] = baseline[i];
        }
    }
    found[count] = NULL;
    return found;
}

static _Atomic(const ltc_edge_table *) in_use;

static const ltc_edge_table *table(void)
{
    const ltc_edge_table *chosen = atomic_load(&in_use);
    return chosen != NULL ? chosen : tables()[0];
}

/* A batch that fills half of a 512-bit vector at most runs faster on 256-bit vectors. */
static const ltc_edge_table *table_for(int64_t batch, size_t size)
{
    const ltc_edge_table *chosen = table();
    if (&ltc_edge_table_avx512 != NULL && chosen == &ltc_edge_table_avx512 && &ltc_edge_table_avx2 != NULL &&
        batch * (int64_t)size <= 32) {
        return &ltc_edge_table_avx2;
    }
    return chosen;
}

int32_t ltc_edge_kernels_abi(void)
{
    return LTC_EDGE_KERNELS_ABI;
}

const char *ltc_edge_kernels_isas(void)
{
    static _Thread_local char names[64];
    names[0] = '\0';
    for (const ltc_edge_table *const *found = tables(); *found != NULL; found++) {
        if (names[0] != '\0') {
            strcat(names, ",");
        }
        strcat(names, (*found)->isa);
    }
    return names;
}

const char *ltc_edge_kernels_isa(void)
{
    return table()->isa;
}

int32_t ltc_edge_kernels_use(const char *isa)
{
    for (const ltc_edge_table *const *found = tables(); *found != NULL; found++) {
        if (strcmp((*found)->isa, isa) == 0) {
            atomic_store(&in_use, *found);
            return 0;
        }
    }
    return -1;
}

int64_t ltc_edge_ltc_trace(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int32_t size,
                           int64_t most)
{
    return table_for(sequences->batch, (size_t)size)->ltc_trace(circuit, sequences, size, most);
}

int32_t ltc_edge_ltc_forward_f32(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                 const ltc_edge_sequences *sequences, int32_t threads)
{
    return table_for(sequences->batch, sizeof(float))->ltc_forward_f32(circuit, parameters, sequences, threads);
}

int32_t ltc_edge_ltc_forward_f64(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                 const ltc_edge_sequences *sequences, int32_t threads)
{
    return table_for(sequences->batch, sizeof(double))->ltc_forward_f64(circuit, parameters, sequences, threads);
}

int32_t ltc_edge_ltc_backward_f32(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                  const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                                  const ltc_edge_parameters *parameter_gradients, int32_t threads)
{
    return table_for(sequences->batch, sizeof(float))
        ->ltc_backward_f32(circuit, parameters, sequences, gradients, parameter_gradients, threads);
}

int32_t ltc_edge_ltc_backward_f64(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                  const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                                  const ltc_edge_parameters *parameter_gradients, int32_t threads)
{
    return table_for(sequences->batch, sizeof(double))
        ->ltc_backward_f64(circuit, parameters, sequences, gradients, parameter_gradients, threads);
}

double ltc_edge_roof_f32(int32_t backward, int64_t evaluations, double *seconds)
{
    return table()->ltc_roof_f32(backward, evaluations, seconds);
}
