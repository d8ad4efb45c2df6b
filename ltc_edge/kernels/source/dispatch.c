/* dispatch.c: the best instruction set that is built in and that the processor has. */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "table.h"

/* Weak: a compiler that does not know an instruction set leaves its tables out. */
#define TABLES(isa)                                                                                  \
    extern const ltc_edge_table ltc_edge_table_##isa __attribute__((weak, visibility("hidden")));   \
    extern const ltc_edge_cfc_table ltc_edge_cfc_table_##isa __attribute__((weak, visibility("hidden")))
TABLES(avx512);
TABLES(avx2);
TABLES(sse2);
TABLES(neon);
TABLES(generic);

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

static int has_it(void)
{
    return 1;
}

/* An instruction set: its tables, NULL where it is not built in, and whether this processor has it. */
typedef struct {
    const ltc_edge_table *ltc;
    const ltc_edge_cfc_table *cfc;
    int (*is_there)(void);
} instruction_set;

/* The best first. */
#define SET(isa, is_there) {&ltc_edge_table_##isa, &ltc_edge_cfc_table_##isa, is_there}
enum { AVX512, AVX2, SETS = 5 };
static const instruction_set sets[SETS] = {
    [AVX512] = SET(avx512, has_avx512), [AVX2] = SET(avx2, has_avx2), SET(sse2, has_it),
    SET(neon, has_it),                  SET(generic, has_it),
};

static int is_usable(const instruction_set *set)
{
    return set->ltc != NULL && set->is_there();
}

static _Atomic(const instruction_set *) in_use;

static const instruction_set *chosen(void)
{
    const instruction_set *set = atomic_load(&in_use);
    if (set == NULL) {
        set = sets;
        while (!is_usable(set)) {
            set++; /* one without conditions is built in */
        }
        atomic_store(&in_use, set);
    }
    return set;
}

/* A batch that fills half of a 512-bit vector at most runs faster on 256-bit vectors. */
static const instruction_set *set_for(int64_t batch, size_t size)
{
    const instruction_set *const set = chosen();
    const int narrow = set == &sets[AVX512] && sets[AVX2].ltc != NULL && batch * (int64_t)size <= 32;
    return narrow ? &sets[AVX2] : set;
}

int32_t ltc_edge_kernels_abi(void)
{
    return LTC_EDGE_KERNELS_ABI;
}

const char *ltc_edge_kernels_isas(void)
{
    static _Thread_local char names[64];
    names[0] = '\0';
    for (const instruction_set *set = sets; set < sets + SETS; set++) {
        if (is_usable(set)) {
            strcat(names, names[0] != '\0' ? "," : "");
            strcat(names, set->ltc->isa);
        }
    }
    return names;
}

const char *ltc_edge_kernels_isa(void)
{
    return chosen()->ltc->isa;
}

int32_t ltc_edge_kernels_use(const char *isa)
{
    for (const instruction_set *set = sets; set < sets + SETS; set++) {
        if (is_usable(set) && strcmp(set->ltc->isa, isa) == 0) {
            atomic_store(&in_use, set);
            return 0;
        }
    }
    return -1;
}

int64_t ltc_edge_ltc_trace(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int32_t size,
                           int64_t most)
{
    return set_for(sequences->batch, (size_t)size)->ltc->ltc_trace(circuit, sequences, size, most);
}

int32_t ltc_edge_ltc_forward_f32(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                 const ltc_edge_sequences *sequences, int32_t threads)
{
    return set_for(sequences->batch, sizeof(float))->ltc->ltc_forward_f32(circuit, parameters, sequences, threads);
}

int32_t ltc_edge_ltc_forward_f64(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                 const ltc_edge_sequences *sequences, int32_t threads)
{
    return set_for(sequences->batch, sizeof(double))->ltc->ltc_forward_f64(circuit, parameters, sequences, threads);
}

int32_t ltc_edge_ltc_backward_f32(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                  const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                                  const ltc_edge_parameters *parameter_gradients, int32_t threads)
{
    return set_for(sequences->batch, sizeof(float))
        ->ltc->ltc_backward_f32(circuit, parameters, sequences, gradients, parameter_gradients, threads);
}

int32_t ltc_edge_ltc_backward_f64(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                  const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                                  const ltc_edge_parameters *parameter_gradients, int32_t threads)
{
    return set_for(sequences->batch, sizeof(double))
        ->ltc->ltc_backward_f64(circuit, parameters, sequences, gradients, parameter_gradients, threads);
}

double ltc_edge_roof_f32(int32_t backward, int64_t evaluations, double *seconds)
{
    return chosen()->ltc->ltc_roof_f32(backward, evaluations, seconds);
}

int64_t ltc_edge_cfc_trace(const ltc_edge_cfc *cell, const ltc_edge_sequences *sequences, int32_t size)
{
    return set_for(sequences->batch, (size_t)size)->cfc->trace(cell, sequences, size);
}

int32_t ltc_edge_cfc_forward_f32(const ltc_edge_cfc *cell, const void *const *parameters,
                                 const ltc_edge_sequences *sequences, int32_t threads)
{
    return set_for(sequences->batch, sizeof(float))->cfc->forward_f32(cell, parameters, sequences, threads);
}

int32_t ltc_edge_cfc_forward_f64(const ltc_edge_cfc *cell, const void *const *parameters,
                                 const ltc_edge_sequences *sequences, int32_t threads)
{
    return set_for(sequences->batch, sizeof(double))->cfc->forward_f64(cell, parameters, sequences, threads);
}

int32_t ltc_edge_cfc_backward_f32(const ltc_edge_cfc *cell, const void *const *parameters,
                                  const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                                  void *const *parameter_gradients, int32_t threads)
{
    return set_for(sequences->batch, sizeof(float))
        ->cfc->backward_f32(cell, parameters, sequences, gradients, parameter_gradients, threads);
}

int32_t ltc_edge_cfc_backward_f64(const ltc_edge_cfc *cell, const void *const *parameters,
                                  const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                                  void *const *parameter_gradients, int32_t threads)
{
    return set_for(sequences->batch, sizeof(double))
        ->cfc->backward_f64(cell, parameters, sequences, gradients, parameter_gradients, threads);
}
