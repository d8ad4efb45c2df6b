/* ltc_memory.h: an LSTM memory in front of the cell. A template, as ltc_tile.h.
 *
 * Lechner & Hasani, arXiv 2006.04418: (h, c) = LSTM(x, (h, c)), then h = cell(x, h), with a forget bias of +1. The
 * inputs' share of the gates comes as it is; they stand in the order cell, input, forget, output.
 */

/* The memory's step: reads hidden and memory at `region`, leaves the gates' activations behind them, the cell's
 * first state behind those, and the memory after the step where the next region has it. */
static void TILE(remember)(const TILE(task) * task, V *gates, TILE(lanes) lanes, int64_t t, V *region)
{
    const int64_t units = task->network->circuit->units, neurons = units * BLOCKS;
    const REAL *const recurrent = task->sequences->recurrent;
    const V *const hidden = region, *const memory = region + neurons;
    V *const activation = region + 2 * neurons, *const state = region + 6 * neurons;
    V *const next_memory = region + task->layout.step + neurons;
    TILE(gather)(task->sequences->gates, lanes, task->sequences->length, t, 4 * units, gates);
    for (int64_t row = 0; row < 4 * units; row++) {
        V sum[BLOCKS];
        EACH_BLOCK(k)
        {
            sum[k] = gates[row * BLOCKS + k];
        }
        for (int64_t j = 0; j < units; j++) {
            const REAL weight = recurrent[row * units + j];
            EACH_BLOCK(k)
            {
                sum[k] += hidden[j * BLOCKS + k] * weight;
            }
        }
        const int64_t kind = row / units;
        EACH_BLOCK(k)
        {
            activation[row * BLOCKS + k] = kind == 0   ? NAME(tanh)(sum[k])
                                           : kind == 2 ? NAME(sigmoid)(sum[k] + (REAL)1)
                                                       : NAME(sigmoid)(sum[k]);
        }
    }
    for (int64_t i = 0; i < neurons; i++) {
        const V candidate = activation[i], input = activation[neurons + i];
        const V forget = activation[2 * neurons + i], output = activation[3 * neurons + i];
        next_memory[i] = forget * memory[i] + input * candidate;
        state[i] = output * NAME(tanh)(next_memory[i]);
    }
}

/* Back through the memory's step. `state_gradient` is that of the cell's first state and becomes that of the
 * hidden state before; `memory_gradient` is that of the memory after and becomes that before. `gates` is room for
 * 4N and holds the gradient of the gates afterwards. `recurrent_sums` [4N, N] gathers that of the weights. */
static void TILE(remember_back)(const TILE(task) * task, const V *region, V *state_gradient, V *memory_gradient,
                                V *gates, V *recurrent_sums)
{
    const int64_t units = task->network->circuit->units, neurons = units * BLOCKS;
    const REAL *const recurrent = task->sequences->recurrent;
    const V *const hidden = region, *const memory = region + neurons, *const activation = region + 2 * neurons;
    for (int64_t i = 0; i < neurons; i++) {
        const V candidate = activation[i], input = activation[neurons + i];
        const V forget = activation[2 * neurons + i], output = activation[3 * neurons + i];
        const V squashed = NAME(tanh)(forget * memory[i] + input * candidate);
        const V gradient = memory_gradient[i] + state_gradient[i] * output * ((REAL)1 - squashed * squashed);
        gates[i] = gradient * input * ((REAL)1 - candidate * candidate);
        gates[neurons + i] = gradient * candidate * input * ((REAL)1 - input);
        gates[2 * neurons + i] = gradient * memory[i] * forget * ((REAL)1 - forget);
        gates[3 * neurons + i] = state_gradient[i] * squashed * output * ((REAL)1 - output);
        memory_gradient[i] = gradient * forget;
    }
    TILE(clear)(state_gradient, neurons);
    for (int64_t row = 0; row < 4 * units; row++) {
        V *const sums = recurrent_sums + row * units;
        for (int64_t j = 0; j < units; j++) {
            const REAL weight = recurrent[row * units + j];
            V sum = sums[j];
            EACH_BLOCK(k)
            {
                const V gradient = gates[row * BLOCKS + k];
                sum += gradient * hidden[j * BLOCKS + k];
                state_gradient[j * BLOCKS + k] += gradient * weight;
            }
            sums[j] = sum;
        }
    }
}
