/* ltc_backward.h: back-propagation through a tile. A template, as ltc_tile.h. */

/* Add the outputs' gradient at step t to the state's. */
static void TILE(back_outputs)(const TILE(task) * task, TILE(back) * back, TILE(lanes) lanes, int64_t t,
                               const V *state)
{
    const NAME(network) *const network = task->network;
    const int64_t outputs = network->circuit->outputs;
    const int64_t length = task->sequences->length, segment = t / TILE(SEGMENT), first = segment * TILE(SEGMENT);
    if (task->gradients->outputs == NULL) {
        return;
    }
    if (segment != back->segment) {
        TILE(gather_steps)
        (task->gradients->outputs, lanes, length, first, TILE(steps_from)(length, first), outputs, back->all_outputs);
        back->segment = segment;
    }
    const V *const own = back->all_outputs + (t - first) * outputs * BLOCKS;
    for (int64_t m = 0; m < outputs; m++) {
        TILE(output_sums) sums = back->output[m];
        EACH_BLOCK(k)
        {
            const V g = own[m * BLOCKS + k];
            back->state[m * BLOCKS + k] += g * network->output_w[m];
            sums.weight += g * state[m * BLOCKS + k];
            sums.bias += g;
        }
        back->output[m] = sums;
    }
}

/* From the sums over a step's evaluations to the inputs, the elapsed time, and the neurons' parameters. */
static void TILE(back_drive)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, TILE(lanes) lanes,
                             int64_t t)
{
    const NAME(network) *const network = task->network;
    const ltc_edge_circuit *const circuit = network->circuit;
    const ltc_edge_gradients *const gradients = task->gradients;
    const int64_t length = task->sequences->length, first = t / TILE(SEGMENT) * TILE(SEGMENT);
    const int fused = circuit->solver == LTC_EDGE_FUSED;
    V *const inputs = back->all_inputs + (t - first) * circuit->inputs * BLOCKS;
    V *const span = back->all_spans + (t - first) * BLOCKS;
    V rate[BLOCKS], elapsed[BLOCKS];
    EACH_BLOCK(k) rate[k] = (REAL)circuit->unfolds / step->span[k];
    EACH_BLOCK(k) elapsed[k] = (V){0};
    for (int64_t i = 0; i < circuit->units; i++) {
        TILE(neuron_sums) sums = back->neuron[i];
        EACH_BLOCK(k)
        {
            const int64_t own = i * BLOCKS + k;
            const V gradient = back->capacity_sum[own], relative = gradient * step->capacity[own];
            sums.drive += back->numerator_sum[own];
            sums.leak += back->denominator_sum[own];
            /* The capacity is cm L / dt, with cm perhaps 0, or dt / (L cm). */
            sums.capacity += fused ? gradient * rate[k] : -relative;
            elapsed[k] += fused ? -relative : relative;
        }
        back->neuron[i] = sums;
    }
    EACH_BLOCK(k) span[k] = elapsed[k] / step->span[k];
    TILE(clear)(inputs, circuit->inputs * BLOCKS);
    TILE(back_synapses)
    (&network->sensory_by_source, circuit->inputs, step->inputs, back->numerator_sum, back->denominator_sum,
     back->sensory, inputs, 0);
    if (t == first && gradients->inputs != NULL) {
        TILE(scatter_steps)
        (gradients->inputs, lanes, length, first, TILE(steps_from)(length, first), circuit->inputs, back->all_inputs);
    }
    if (t == first && gradients->timespans != NULL) {
        TILE(scatter_steps)
        (gradients->timespans, lanes, length, first, TILE(steps_from)(length, first), 1, back->all_spans);
    }
}

/* Back through steps first to last - 1, whose regions begin at `trace`. */
static void TILE(back_steps)(const TILE(task) * task, TILE(step) * step, TILE(back) * back, TILE(lanes) lanes,
                             int64_t first, int64_t last, const V *trace)
{
    const TILE(layout) *const layout = &task->layout;
    const int64_t units = task->network->circuit->units, neurons = units * BLOCKS;
    for (int64_t t = last - 1; t >= first; t--) {
        const V *const region = trace + (t - first) * layout->step;
        TILE(back_outputs)(task, back, lanes, t, region + layout->step);
        TILE(read_step)(task, step, lanes, t);
        (task->network->bounded ? TILE(back_solve_bounded) : TILE(back_solve_any))(task, step, back,
                                                                                  region + layout->memory * neurons);
        TILE(back_drive)(task, step, back, lanes, t);
        if (layout->memory != 0) {
            TILE(remember_back)(task, region, back->state, back->cell_memory, back->gates, back->recurrent);
            if (task->gradients->gates != NULL) {
                TILE(scatter)(task->gradients->gates, lanes, task->sequences->length, t, 4 * units, back->gates);
            }
        }
    }
}

/* The sums of a tile as numbers, in the order of ltc_edge_parameters. */
static void TILE(write_sums)(const TILE(task) * task, const TILE(back) * back, REAL *parts)
{
    const ltc_edge_circuit *const circuit = task->network->circuit;
    const int64_t vectors = 4 * ((int64_t)circuit->synapses + circuit->sensory_synapses) + 3 * (int64_t)circuit->units +
                            2 * (int64_t)circuit->outputs +
                            (task->layout.memory != 0 ? 4 * (int64_t)circuit->units * circuit->units : 0);
    /* new_back laid them out one behind the other. */
    const V *const sums = (const V *)back->synapse;
    for (int64_t i = 0; i < vectors; i++) {
        parts[i] = NAME(sum)(sums[i]);
    }
}

/* The backward pass of a tile, as work of ltc_edge_tiles. */
static void TILE(backward_tile)(void *context, int64_t turn, int32_t thread)
{
    (void)thread;
    TILE(task) *const task = context;
    const ltc_edge_sequences *const sequences = task->sequences;
    const TILE(layout) *const layout = &task->layout;
    /* The last one first: some of its trace is still in the cache. */
    const int64_t tile = layout->tiles - 1 - turn;
    const int64_t length = sequences->length, neurons = task->network->circuit->units * BLOCKS;
    const TILE(lanes) lanes = TILE(lanes_of)(sequences->batch, tile);
    TILE(step) step;
    TILE(back) back;
    if (!TILE(new_step)(&step, task)) {
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    if (!TILE(new_back)(&back, task)) {
        free(step.memory);
        atomic_store(&task->out_of_memory, 1);
        return;
    }
    const V *const trace = (const V *)sequences->trace + tile * layout->trace;
    if (task->gradients->last != NULL) {
        /* The room of stage and stage_next takes neurons and memory one behind the other. */
        TILE(gather)(task->gradients->last, lanes, 1, 0, layout->state / BLOCKS, back.stage);
        TILE(copy)(back.state, back.stage, neurons);
        TILE(copy)(back.cell_memory, back.stage_next, layout->state - neurons);
    }
    for (int64_t last = length; last > 0;) {
        const int64_t first = layout->full ? 0 : (last - 1) / layout->segment * layout->segment;
        const V *regions = trace;
        if (!layout->full) {
            V *region = back.trace;
            TILE(clear)(region, layout->state);
            TILE(copy)(region, trace + first / layout->segment * layout->state, layout->state);
            for (int64_t t = first; t < last; t++, region += layout->step) {
                TILE(advance_step)(task, &step, lanes, t, region);
            }
            regions = back.trace;
        }
        TILE(back_steps)(task, &step, &back, lanes, first, last, regions);
        last = first;
    }
    if (task->gradients->state != NULL) {
        TILE(copy)(back.stage, back.state, neurons);
        TILE(copy)(back.stage_next, back.cell_memory, layout->state - neurons);
        TILE(scatter)(task->gradients->state, lanes, 1, 0, layout->state / BLOCKS, back.stage);
    }
    TILE(write_sums)(task, &back, task->parts + tile * task->sums);
    free(back.memory);
    free(step.memory);
}
