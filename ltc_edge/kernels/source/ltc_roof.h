/* ltc_roof.h: what a synapse costs where nothing else is done, to measure the kernel against.
 *
 * A template over REAL, for tiles of two vectors. Rows of ROOF_SYNAPSES synapses, all of whose data stay in the
 * first-level cache: the loops are those of the kernel, without time steps, neurons and solver around them.
 */

enum { NAME(ROOF_SYNAPSES) = 64 };

typedef struct {
    NAME(vector) u[2 * NAME(ROOF_SYNAPSES)], numerator[2 * NAME(ROOF_SYNAPSES)], denominator[2 * NAME(ROOF_SYNAPSES)];
    NAME(vector) gradient[2];
    NAME(synapse_sums_2) sums[NAME(ROOF_SYNAPSES)];
} NAME(roof_data);

static double NAME(roof_seconds)(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Evaluate synapses, forwards or with their gradients. Returns a sum, so that nothing is left out. */
static double NAME(roof)(int32_t backward, int64_t evaluations, double *seconds)
{
    NAME(roof_data) *const data = aligned_alloc(sizeof(V), sizeof *data);
    if (data == NULL) {
        return NAN;
    }
    int32_t start[] = {0, NAME(ROOF_SYNAPSES)}, order[] = {0}, other[NAME(ROOF_SYNAPSES)];
    NAME(synapse) synapse[NAME(ROOF_SYNAPSES)];
    memset(data, 0, sizeof *data);
    for (int32_t s = 0; s < NAME(ROOF_SYNAPSES); s++) {
        other[s] = s;
        synapse[s] = (NAME(synapse)){-5, (REAL)s / 64, (REAL)0.5, s % 3 ? (REAL)0.5 : (REAL)-0.5};
        for (int k = 0; k < 2; k++) {
            data->u[2 * s + k] = NAME(all)((REAL)(s - 32) / 64);
            data->numerator[2 * s + k] = data->denominator[2 * s + k] = NAME(all)((REAL)1e-3);
        }
    }
    const NAME(lists) lists = {start, order, other, synapse};
    const int64_t rows = (evaluations + 2 * LANES * NAME(ROOF_SYNAPSES) - 1) / (2 * LANES * NAME(ROOF_SYNAPSES));
    const double begin = NAME(roof_seconds)();
    for (int64_t row = 0; row < rows; row++) {
        if (backward) {
            NAME(back_source_2)(&lists, 0, data->u, data->numerator, data->denominator, data->sums, data->gradient, 1);
        } else {
            NAME(add_synapses_2)(&lists, 0, data->u, data->numerator, data->denominator, 1);
        }
    }
    const double ratio = (double)evaluations / ((double)rows * (double)(2 * LANES * NAME(ROOF_SYNAPSES)));
    *seconds = (NAME(roof_seconds)() - begin) * ratio;
    const double sum = (double)NAME(sum)(data->gradient[0] + data->numerator[0] + data->sums[0].pre);
    free(data);
    return sum;
}
