/* ltc_edge_kernels.h: whole sequences of liquid cells, forwards and backwards. A plain C ABI.
 *
 * Arrays are contiguous, in C order, of float or double after the function's suffix. B sequences of T steps,
 * I inputs, N neurons, M motor neurons (the first of the N), S synapses, R sensory synapses.
 */
#ifndef LTC_EDGE_KERNELS_H
#define LTC_EDGE_KERNELS_H

#include <stdint.h>

#define LTC_EDGE_KERNELS_ABI 2

#if defined(__GNUC__)
#define LTC_EDGE_EXPORT __attribute__((visibility("default")))
#else
#define LTC_EDGE_EXPORT
#endif

enum { LTC_EDGE_FUSED, LTC_EDGE_EXPONENTIAL, LTC_EDGE_EULER, LTC_EDGE_RK4 };
enum { LTC_EDGE_OK = 0, LTC_EDGE_NO_MEMORY = -1, LTC_EDGE_BAD_TIMESPAN = -2 };

/* The circuit and its solver. Synapses are listed source by source, as a wiring lists them. */
typedef struct {
    int32_t inputs, units, outputs, synapses, sensory_synapses;
    int32_t solver, unfolds;
    int32_t softplus; /* conductances pass through softplus; otherwise they are used as they are */
    int32_t affine;   /* inputs and motor neurons are scaled and shifted */
    const int32_t *source, *target, *sensory_source, *sensory_target;
} ltc_edge_circuit;

enum { LTC_EDGE_CFC_DEFAULT, LTC_EDGE_CFC_NO_GATE, LTC_EDGE_CFC_PURE };
enum { LTC_EDGE_LECUN_TANH, LTC_EDGE_TANH, LTC_EDGE_RELU, LTC_EDGE_SILU };

/* A closed-form cell: layers of neurons, each fed by the one before, or a backbone and one layer. Outputs are the
 * last layer's neurons. There are 32 layers at most, those of a backbone counted. */
typedef struct {
    int32_t inputs, units, outputs;
    int32_t mode;
    int32_t backbone_layers, backbone_units, activation;
    int32_t layers;
    const int32_t *layer_units; /* [layers] */
    const void *const *masks;   /* [layers], of 0 and 1 by the shape of the weights of ff1 and ff2, or NULL */
} ltc_edge_cfc;

/* Parameters, or the gradients with respect to them. input_w to output_b are NULL where not affine. */
typedef struct {
    void *gleak, *vleak, *cm;                                      /* N each */
    void *w, *sigma, *mu, *erev;                                   /* S each */
    void *sensory_w, *sensory_sigma, *sensory_mu, *sensory_erev;   /* R each */
    void *input_w, *input_b, *output_w, *output_b;                 /* I, I, M, M */
} ltc_edge_parameters;

/* A batch of sequences. What is optional may be NULL. */
typedef struct {
    int64_t batch, length;
    const void *inputs;     /* [B, T, I] */
    const void *timespans;  /* [B, T], above 0; optional: 1 */
    const void *state;      /* [B, N]; with memory [B, 2N]: neurons, then memory */
    const void *forced;     /* optional, as state with a step's axis, [B, T, N or 2N]: what steps go on from */
    const void *gates;      /* [B, T, 4N] optional: the inputs' share of an LSTM memory's gates, bias included, */
    const void *recurrent;  /* and its recurrent weights [4N, N]; gates in the order cell, input, forget, output */
    void *outputs;          /* [B, T, M], written by forward */
    void *last;             /* the state after the last step, written by forward */
    void *trace;            /* for backward: ltc_edge_ltc_trace(...) bytes, aligned to 64; optional */
    int64_t trace_bytes;
} ltc_edge_sequences;

/* Gradients of a scalar with respect to what the sequences hold. */
typedef struct {
    const void *outputs, *last; /* given, each optional: 0 */
    void *inputs, *timespans, *state, *gates, *recurrent; /* wanted, each optional */
} ltc_edge_gradients;

/* The version of this header that the library was built with. */
LTC_EDGE_EXPORT int32_t ltc_edge_kernels_abi(void);

/* Instruction sets that are built in and that this processor has, best first, separated by commas. */
LTC_EDGE_EXPORT const char *ltc_edge_kernels_isas(void);

/* The instruction set in use. */
LTC_EDGE_EXPORT const char *ltc_edge_kernels_isa(void);

/* Use another instruction set; returns 0, or -1 where it is not one of ltc_edge_kernels_isas(). */
LTC_EDGE_EXPORT int32_t ltc_edge_kernels_use(const char *isa);

/* Bytes of the trace that a forward pass leaves to the backward pass, whose element has `size` bytes. It is
 * kept under `most` bytes where steps can be computed again instead. */
LTC_EDGE_EXPORT int64_t ltc_edge_ltc_trace(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences,
                                           int32_t size, int64_t most);

/* Run the sequences. Returns LTC_EDGE_OK or one of the errors. The same bits for any number of threads. */
LTC_EDGE_EXPORT int32_t ltc_edge_ltc_forward_f32(const ltc_edge_circuit *circuit,
                                                 const ltc_edge_parameters *parameters,
                                                 const ltc_edge_sequences *sequences, int32_t threads);
LTC_EDGE_EXPORT int32_t ltc_edge_ltc_forward_f64(const ltc_edge_circuit *circuit,
                                                 const ltc_edge_parameters *parameters,
                                                 const ltc_edge_sequences *sequences, int32_t threads);

/* Back-propagate through the sequences, of which forward has written outputs, last and trace. */
LTC_EDGE_EXPORT int32_t ltc_edge_ltc_backward_f32(const ltc_edge_circuit *circuit,
                                                  const ltc_edge_parameters *parameters,
                                                  const ltc_edge_sequences *sequences,
                                                  const ltc_edge_gradients *gradients,
                                                  const ltc_edge_parameters *parameter_gradients, int32_t threads);
LTC_EDGE_EXPORT int32_t ltc_edge_ltc_backward_f64(const ltc_edge_circuit *circuit,
                                                  const ltc_edge_parameters *parameters,
                                                  const ltc_edge_sequences *sequences,
                                                  const ltc_edge_gradients *gradients,
                                                  const ltc_edge_parameters *parameter_gradients, int32_t threads);

/* The same for a closed-form cell. Its parameters, or their gradients, are weight [out, in] and bias of each of the
 * backbone's maps, then those of each layer's heads ff1, ff2, time_a, time_b; in the pure mode ff1, then w_tau, A.
 * A head reads [what feeds its layer, the layer's state]; with a backbone the last features alone, and the first of
 * the backbone's maps [inputs, state]. The sequences have no gates. */
LTC_EDGE_EXPORT int64_t ltc_edge_cfc_trace(const ltc_edge_cfc *cell, const ltc_edge_sequences *sequences, int32_t size);
LTC_EDGE_EXPORT int32_t ltc_edge_cfc_forward_f32(const ltc_edge_cfc *cell, const void *const *parameters,
                                                 const ltc_edge_sequences *sequences, int32_t threads);
LTC_EDGE_EXPORT int32_t ltc_edge_cfc_forward_f64(const ltc_edge_cfc *cell, const void *const *parameters,
                                                 const ltc_edge_sequences *sequences, int32_t threads);
LTC_EDGE_EXPORT int32_t ltc_edge_cfc_backward_f32(const ltc_edge_cfc *cell, const void *const *parameters,
                                                  const ltc_edge_sequences *sequences,
                                                  const ltc_edge_gradients *gradients,
                                                  void *const *parameter_gradients, int32_t threads);
LTC_EDGE_EXPORT int32_t ltc_edge_cfc_backward_f64(const ltc_edge_cfc *cell, const void *const *parameters,
                                                  const ltc_edge_sequences *sequences,
                                                  const ltc_edge_gradients *gradients,
                                                  void *const *parameter_gradients, int32_t threads);

/* Evaluate so many synapses of the LTC, forwards (0) or with their gradients (1), on data in the first-level cache
 * and with nothing around them: what bounds the kernel. Leaves the seconds it took; returns a sum of no meaning. */
LTC_EDGE_EXPORT double ltc_edge_roof_f32(int32_t backward, int64_t evaluations, double *seconds);

#endif
