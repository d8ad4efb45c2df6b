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
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* not what others do meanwhile */
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Evaluate synapses, forwards or with their gradients. Returns a sum, so that nothing is left out. */
static double NAME(roof)(int32_t backward, int64_t evaluations, double *seconds)
{
    NAME(roof_data) *const data = aligned_alloc(sizeof(V), sizeof *data);
    if (data == NULL) {
        return NAN;
    }
    enum { ROOM = NAME(ROOF_SYNAPSES) + NAME(AHEAD) };
    int32_t start[] = {0, NAME(ROOF_SYNAPSES)};
    NAME(synapse) onto[ROOM] = {0}, from[ROOM] = {0};
    memset(data, 0, sizeof *data);
    for (int32_t s = 0; s < NAME(ROOF_SYNAPSES); s++) {
        const REAL erev = s % 3 ? 1 : -1;
        onto[s] = from[s] =
            (NAME(synapse)){-5, (REAL)s / 64, (REAL)0.5, (REAL)0.5 * erev, erev, (REAL)1.7, 0, 0};
        onto[s].source = from[s].target = s;
        for (int k = 0; k < 2; k++) {
            data->u[2 * s + k] = NAME(all)((REAL)(s - 32) / 64);
            data->numerator[2 * s + k] = data->denominator[2 * s + k] = NAME(all)((REAL)1e-3);
        }
    }
    const NAME(lists) by_source = {start, from}, by_target = {start, onto};
    const int64_t rows = (evaluations + 2 * LANES * NAME(ROOF_SYNAPSES) - 1) / (2 * LANES * NAME(ROOF_SYNAPSES));
    const double begin = NAME(roof_seconds)();
    for (int64_t row = 0; row < rows; row++) {
        if (backward) {
            NAME(back_synapses_2)
            (&by_source, 1, data->u, data->numerator, data->denominator, data->sums, data->gradient, 1);
        } else {
            NAME(pipeline_2) pipeline;
            NAME(fill_2)(&by_target, data->u, 1, &pipeline);
            V n[2] = {{0}}, d[2] = {{0}};
            NAME(add_synapses_2)(&by_target, 0, data->u, 1, &pipeline, n, d);
            data->gradient[0] += n[0] + d[0];
            data->gradient[1] += n[1] + d[1];
        }
    }
    const double ratio = (double)evaluations / ((double)rows * (double)(2 * LANES * NAME(ROOF_SYNAPSES)));
    *seconds = (NAME(roof_seconds)() - begin) * ratio;
    const double sum = (double)NAME(sum)(data->gradient[0] + data->numerator[0] + data->sums[0].pre);
    free(data);
    return sum;
}
