/* ltc_calls.h: the calls over all tiles of a batch. A template over REAL, after those over BLOCKS. */

static int NAME(is_timespan_bad)(const ltc_edge_sequences *sequences)
{
    const REAL *const timespans = sequences->timespans;
    int64_t bad = 0;
    if (timespans != NULL) {
        for (int64_t i = 0; i < sequences->batch * sequences->length; i++) {
            bad += !(timespans[i] > 0);
        }
    }
    return bad != 0;
}

/* A tile of one vector wastes the least of a small batch, one of two loads parameters half as often. The choice
 * depends on the batch alone, so that results do not depend on the number of threads. */
static int NAME(is_wide)(int64_t batch)
{
    return batch > 2 * LANES;
}

static int64_t NAME(trace_bytes)(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int full)
{
    return NAME(is_wide)(sequences->batch) ? NAME(trace_bytes_2)(circuit, sequences, full)
                                           : NAME(trace_bytes_1)(circuit, sequences, full);
}

static int64_t NAME(trace)(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences, int64_t most)
{
    const int64_t full = NAME(trace_bytes)(circuit, sequences, 1);
    return full <= most ? full : NAME(trace_bytes)(circuit, sequences, 0);
}

static int NAME(is_full)(const ltc_edge_circuit *circuit, const ltc_edge_sequences *sequences)
{
    return sequences->trace != NULL && sequences->trace_bytes == NAME(trace_bytes)(circuit, sequences, 1);
}

static int32_t NAME(forward)(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                             const ltc_edge_sequences *sequences, int32_t threads)
{
    if (NAME(is_timespan_bad)(sequences)) {
        return LTC_EDGE_BAD_TIMESPAN;
    }
    NAME(network) network = {0};
    int32_t result = LTC_EDGE_NO_MEMORY;
    if (NAME(new_network)(&network, circuit, parameters, sequences)) {
        const int full = NAME(is_full)(circuit, sequences);
        use_large_pages(sequences->trace, sequences->trace_bytes);
        result = NAME(is_wide)(sequences->batch) ? NAME(forward_tiles_2)(&network, sequences, full, threads)
                                                 : NAME(forward_tiles_1)(&network, sequences, full, threads);
    }
    NAME(free_network)(&network);
    return result;
}

/* The sums of all tiles, tile by tile. */
static void NAME(add_parts)(const REAL *parts, int64_t tiles, int64_t sums, double *total)
{
    for (int64_t tile = 0; tile < tiles; tile++) {
        for (int64_t i = 0; i < sums; i++) {
            total[i] += (double)parts[tile * sums + i];
        }
    }
}

/* Gradients of one list of synapses from its sums (see ltc_gradients.h), where u = scale * x + shift. */
static void NAME(synapse_gradients)(const ltc_edge_circuit *circuit, const double *sums, int64_t count,
                                    const REAL *w, const REAL *sigma, const REAL *mu, const int32_t *source,
                                    const REAL *scale, const REAL *shift, REAL *w_gradient, REAL *sigma_gradient,
                                    REAL *mu_gradient, REAL *erev_gradient, double *scale_gradient,
                                    double *shift_gradient)
{
    for (int64_t s = 0; s < count; s++, sums += 4) {
        const double conductance = (double)NAME(positive)(circuit, w[s]);
        const double pre_x = conductance * sums[2], pre = conductance * sums[3];
        const double a = scale == NULL ? 1 : (double)scale[source[s]], b = shift == NULL ? 0 : (double)shift[source[s]];
        w_gradient[s] = (REAL)(sums[1] * (double)NAME(positive_slope)(circuit, w[s]));
        erev_gradient[s] = (REAL)(sums[0] * conductance);
        sigma_gradient[s] = (REAL)(a * pre_x + (b - (double)mu[s]) * pre);
        mu_gradient[s] = (REAL)(-(double)sigma[s] * pre);
        if (scale_gradient != NULL) {
            scale_gradient[source[s]] += (double)sigma[s] * pre_x;
            shift_gradient[source[s]] += (double)sigma[s] * pre;
        }
    }
}

/* From the sums, in the order in which new_back lays them out, to the gradients of the parameters. */
static int NAME(parameter_gradients)(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                                     const double *sums, const ltc_edge_parameters *gradients, REAL *recurrent,
                                     int64_t recurrent_size)
{
    const int64_t units = circuit->units, inputs = circuit->inputs, outputs = circuit->outputs;
    const int affine = circuit->affine != 0;
    double *const affine_sums = calloc((size_t)(2 * inputs), sizeof *affine_sums);
    if (affine_sums == NULL) {
        return 0;
    }
    NAME(synapse_gradients)
    (circuit, sums, circuit->synapses, parameters->w, parameters->sigma, parameters->mu, circuit->source, NULL, NULL, gradients->w, gradients->sigma, gradients->mu, gradients->erev, NULL, NULL);
    sums += 4 * (int64_t)circuit->synapses;
    NAME(synapse_gradients)
    (circuit, sums, circuit->sensory_synapses, parameters->sensory_w, parameters->sensory_sigma, parameters->sensory_mu,
     circuit->sensory_source, affine ? parameters->input_w : NULL,
     affine ? parameters->input_b : NULL, gradients->sensory_w, gradients->sensory_sigma, gradients->sensory_mu,
     gradients->sensory_erev, affine_sums, affine_sums + inputs);
    sums += 4 * (int64_t)circuit->sensory_synapses;
    const REAL *const cm = parameters->cm, *const gleak = parameters->gleak, *const vleak = parameters->vleak;
    REAL *const cm_gradient = gradients->cm, *const gleak_gradient = gradients->gleak;
    REAL *const vleak_gradient = gradients->vleak;
    for (int64_t i = 0; i < units; i++, sums += 3) {
        const double c = circuit->solver == LTC_EDGE_FUSED ? 1 : (double)NAME(positive)(circuit, cm[i]);
        cm_gradient[i] = (REAL)(sums[2] / c * (double)NAME(positive_slope)(circuit, cm[i]));
        gleak_gradient[i] =
            (REAL)((sums[0] * (double)vleak[i] + sums[1]) * (double)NAME(positive_slope)(circuit, gleak[i]));
        vleak_gradient[i] = (REAL)(sums[0] * (double)NAME(positive)(circuit, gleak[i]));
    }
    if (affine) {
        REAL *const input_w = gradients->input_w, *const input_b = gradients->input_b;
        REAL *const output_w = gradients->output_w, *const output_b = gradients->output_b;
        for (int64_t j = 0; j < inputs; j++) {
            input_w[j] = (REAL)affine_sums[j];
            input_b[j] = (REAL)affine_sums[inputs + j];
        }
        for (int64_t m = 0; m < outputs; m++) {
            output_w[m] = (REAL)sums[2 * m];
            output_b[m] = (REAL)sums[2 * m + 1];
        }
    }
    sums += 2 * outputs;
    for (int64_t i = 0; i < recurrent_size && recurrent != NULL; i++) {
        recurrent[i] = (REAL)sums[i];
    }
    free(affine_sums);
    return 1;
}

static int32_t NAME(backward)(const ltc_edge_circuit *circuit, const ltc_edge_parameters *parameters,
                              const ltc_edge_sequences *sequences, const ltc_edge_gradients *gradients,
                              const ltc_edge_parameters *parameter_gradients, int32_t threads)
{
    const int64_t units = circuit->units, recurrent = sequences->gates != NULL ? 4 * units * units : 0;
    const int64_t sums = 4 * ((int64_t)circuit->synapses + circuit->sensory_synapses) + 3 * units +
                         2 * (int64_t)circuit->outputs + recurrent;
    const int wide = NAME(is_wide)(sequences->batch);
    const int64_t width = (wide ? 2 : 1) * LANES, tiles = (sequences->batch + width - 1) / width;
    NAME(network) network = {0};
    REAL *const parts = calloc((size_t)(tiles * sums + 1), sizeof *parts);
    double *const total = calloc((size_t)sums, sizeof *total);
    int32_t result = LTC_EDGE_NO_MEMORY;
    if (parts != NULL && total != NULL && NAME(new_network)(&network, circuit, parameters, sequences)) {
        const int full = NAME(is_full)(circuit, sequences);
        result = wide ? NAME(backward_tiles_2)(&network, sequences, gradients, full, parts, sums, threads)
                      : NAME(backward_tiles_1)(&network, sequences, gradients, full, parts, sums, threads);
        if (result == LTC_EDGE_OK) {
            NAME(add_parts)(parts, tiles, sums, total);
            if (!NAME(parameter_gradients)(circuit, parameters, total, parameter_gradients, gradients->recurrent,
                                           recurrent)) {
                result = LTC_EDGE_NO_MEMORY;
            }
        }
    }
    NAME(free_network)(&network);
    free(parts);
    free(total);
    return result;
}
