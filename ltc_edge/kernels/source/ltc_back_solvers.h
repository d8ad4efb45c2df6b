/* ltc_back_solvers.h: back-propagation through the sub-steps of a step. A template, as ltc_tile.h.
 *
 * With g the gradient of a sub-step's result, N and D its numerator and denominator without the capacity's share:
 *
 *     fused         dN = g / (D + c),  dD = -dN v',           du = c dN,       dc = dN (u - v')
 *     exponential   dN = g phi,        dD = g (I phi' - phi u),  du = g alpha,  dk = g I alpha
 *     euler, rk4    dN = g k,          dD = -dN u,             du = g - D dN,   dk = g I
 *
 * where c = cm L / dt and k = dt / (L cm) are what the forward pass calls capacity, I = N - D u, alpha = exp(-k D),
 * phi = k psi(k D); du comes past the synapses, whose share ltc_gradients.h adds.
 */

/* A fused sub-step from the state `u`, with room for the gradients of its numerators and denominators. */
typedef struct {
    const V *u;
    V *numerator, *denominator;
} TILE(sub_step);

/* Of neuron j, from the gradient g of the state after the sub-step. */
ALWAYS_INLINE void TILE(back_quotient)(const TILE(sub_step) * own, int64_t j, const V g[BLOCKS], const V *inverse,
                                       const V after[BLOCKS])
{
    V n[BLOCKS];
    EACH_BLOCK(k) n[k] = g[k] * inverse[j * BLOCKS + k];
    EACH_BLOCK(k) own->numerator[j * BLOCKS + k] = n[k];
    EACH_BLOCK(k) own->denominator[j * BLOCKS + k] = -n[k] * after[k];
}

/* Neurons first to last - 1 at a fused sub-step. */
typedef struct {
    int64_t first, last;
    const V *inverse; /* 1 / denominator of the sub-step before; of neurons without synapses, of the step */
    int64_t apart;    /* vectors from there back to the one before that */
} TILE(rows);

/* Back through the synapses of some neurons at a fused sub-step, to their quotients of the one before, if any. */
ALWAYS_INLINE void TILE(back_rows)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                   const TILE(sub_step) * own, const TILE(sub_step) * before, TILE(rows) rows,
                                   const int bounded, TILE(way_back) * way)
{
    for (int64_t j = rows.first; j < rows.last; j++) {
        /* From memory that is long out of the cache. */
        __builtin_prefetch(own->u - 2 * task->layout.stride + j * BLOCKS);
        __builtin_prefetch(rows.inverse - rows.apart + j * BLOCKS);
        V g[BLOCKS];
        EACH_BLOCK(k) g[k] = own->numerator[j * BLOCKS + k] * step->capacity[j * BLOCKS + k];
        TILE(back_row)(&task->network->by_source, j, own->u, own->numerator, own->denominator, bounded, way, g);
        if (before != NULL) {
            TILE(back_quotient)(before, j, g, rows.inverse, own->u + j * BLOCKS);
        } else {
            EACH_BLOCK(k) back->state[j * BLOCKS + k] = g[k];
        }
    }
}

/* Back through a fused sub-step to the quotients of the one before, if there is one. */
ALWAYS_INLINE void TILE(back_sub_step)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                       const TILE(sub_step) * own, const TILE(sub_step) * before, const V *constant,
                                       const int bounded)
{
    const NAME(network) *const network = task->network;
    const int64_t units = network->circuit->units, stride = task->layout.stride;
    const TILE(rows) driven = {0, network->driven, own->u - stride + units * BLOCKS, stride};
    const TILE(rows) others = {network->driven, units, constant, task->layout.step};
    TILE(way_back) way = {.sums = back->synapse};
    TILE(fill)(&network->by_source, own->u, bounded, &way.pipeline);
    TILE(back_rows)(task, step, back, own, before, driven, bounded, &way);
    TILE(back_rows)(task, step, back, own, before, others, bounded, &way);
}

/* Add up dN, dD = -dN v' and dc = dN (u - v') over the fused sub-steps of a step, which ended with `after`. */
static void TILE(add_sub_steps)(const TILE(task) * task, TILE(back) * back, const V *slots, const V *after)
{
    const ltc_edge_circuit *const circuit = task->network->circuit;
    const int64_t neurons = circuit->units * BLOCKS, stride = task->layout.stride, unfolds = circuit->unfolds;
    for (int64_t i = 0; i < neurons; i += BLOCKS) {
        V numerator[BLOCKS] = {0}, denominator[BLOCKS] = {0}, capacity[BLOCKS] = {0}, next[BLOCKS];
        const V *u = slots + (unfolds - 1) * stride + i, *n = back->numerator + (unfolds - 1) * back->stride + i;
        EACH_BLOCK(k) next[k] = after[i + k];
        for (int64_t l = 0; l < unfolds; l++, u -= stride, n -= back->stride) {
            EACH_BLOCK(k)
            {
                numerator[k] += n[k];
                denominator[k] -= n[k] * next[k];
                capacity[k] += n[k] * (u[k] - next[k]);
                next[k] = u[k];
            }
        }
        EACH_BLOCK(k) back->numerator_sum[i + k] = numerator[k];
        EACH_BLOCK(k) back->denominator_sum[i + k] = denominator[k];
        EACH_BLOCK(k) back->capacity_sum[i + k] = capacity[k];
    }
}

/* All fused sub-steps of a step: back->state is the gradient of the state after them and becomes that of the state
 * before. A neuron goes on to the sub-step before as soon as its gradient is complete. */
ALWAYS_INLINE void TILE(back_fused)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                    const V *slots, const int bounded)
{
    const int64_t units = task->network->circuit->units, neurons = units * BLOCKS, stride = task->layout.stride;
    const int64_t last = task->network->circuit->unfolds - 1;
    const V *const constant = slots + neurons, *const u = slots + last * stride;
    const V *const after = u + (task->layout.arrays == 3 ? 2 * neurons : stride);
    TILE(sub_step) own = {u, back->numerator + last * back->stride, back->denominator};
    TILE(sub_step) before = {u - stride, own.numerator - back->stride, back->denominator_before};
    for (int64_t j = 0; j < units; j++) {
        TILE(back_quotient)
        (&own, j, back->state + j * BLOCKS, j < task->network->driven ? u + neurons : constant, after + j * BLOCKS);
    }
    for (int64_t l = last; l > 0; l--) {
        TILE(back_sub_step)(task, step, back, &own, &before, constant, bounded);
        V *const denominator = own.denominator;
        own = before;
        before = (TILE(sub_step)){own.u - stride, own.numerator - back->stride, denominator};
    }
    TILE(back_sub_step)(task, step, back, &own, NULL, constant, bounded);
    TILE(add_sub_steps)(task, back, slots, after);
}

/* Each of the following turns the gradient `g` of a sub-step's result into `du`, that of its u. */
ALWAYS_INLINE void TILE(back_exponential)(const NAME(network) * network, const TILE(step) * step, TILE(back) * back,
                                          const V *u, const V *g, V *du, const int bounded)
{
    const int64_t neurons = network->circuit->units * BLOCKS;
    const V *const denominator = u + neurons, *const current = denominator + neurons;
    for (int64_t i = 0; i < neurons; i++) {
        V alpha, psi, slope;
        const V k = step->capacity[i];
        TILE(relaxation)(k * denominator[i], &alpha, &psi, &slope);
        const V phi = k * psi;
        TILE(add_evaluation)
        (back, i, g[i] * phi, g[i] * (current[i] * k * k * slope - phi * u[i]), g[i] * current[i] * alpha);
        du[i] = g[i] * alpha;
    }
    TILE(back_neurons)(network, back, u, du, bounded);
}

/* The current I at u, with gradient g: adds to du. */
static void TILE(back_current)(const NAME(network) * network, TILE(back) * back, const V *u, const V *g, V *du)
{
    const int64_t neurons = network->circuit->units * BLOCKS;
    const V *const denominator = u + neurons;
    for (int64_t i = 0; i < neurons; i++) {
        TILE(add_evaluation)(back, i, g[i], -g[i] * u[i], (V){0});
        du[i] -= g[i] * denominator[i];
    }
    TILE(back_neurons)(network, back, u, du, 0);
}

/* next = u + factor * capacity * I, with gradient g: adds to the gradient of I and of the capacity. */
static void TILE(back_advance)(const TILE(step) * step, TILE(back) * back, int64_t neurons, REAL factor, const V *g,
                               const V *current, V *to)
{
    for (int64_t i = 0; i < neurons; i++) {
        to[i] += g[i] * step->capacity[i] * factor;
        back->capacity_sum[i] += g[i] * current[i] * factor;
    }
}

static void TILE(back_euler)(const NAME(network) * network, const TILE(step) * step, TILE(back) * back, const V *u,
                             const V *g, V *du)
{
    const int64_t neurons = network->circuit->units * BLOCKS;
    TILE(clear)(back->stage, neurons);
    TILE(back_advance)(step, back, neurons, 1, g, u + 2 * neurons, back->stage);
    TILE(copy)(du, g, neurons);
    TILE(back_current)(network, back, u, back->stage, du);
}

/* The classical method, its four evaluations from the last to the first. */
static void TILE(back_rk4)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, const V *u, const V *g,
                           V *du)
{
    static const REAL weight[] = {(REAL)(1.0 / 6), (REAL)(1.0 / 3), (REAL)(1.0 / 3), (REAL)(1.0 / 6)};
    static const REAL reach[] = {(REAL)0.5, (REAL)0.5, 1}; /* of the stage after, along this one's current */
    const NAME(network) *const network = task->network;
    const int64_t neurons = network->circuit->units * BLOCKS, stride = task->layout.stride;
    TILE(copy)(du, g, neurons);
    for (int stage = 3; stage >= 0; stage--) {
        const V *const own = u + stage * stride, *const current = own + 2 * neurons;
        TILE(clear)(back->stage, neurons);
        TILE(back_advance)(step, back, neurons, weight[stage], g, current, back->stage);
        if (stage < 3) {
            TILE(back_advance)(step, back, neurons, reach[stage], back->stage_next, current, back->stage);
        }
        TILE(clear)(back->stage_next, neurons);
        TILE(back_current)(network, back, own, back->stage, back->stage_next);
        for (int64_t i = 0; i < neurons; i++) {
            du[i] += back->stage_next[i];
        }
    }
}

/* All sub-steps of a step, from the last to the first: back->state is the gradient of the state after them and
 * becomes that of the state before. */
ALWAYS_INLINE void TILE(back_solve)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, const V *slots,
                                    const int bounded)
{
    const NAME(network) *const network = task->network;
    const int64_t neurons = network->circuit->units * BLOCKS, stride = task->layout.stride;
    const int64_t stages = network->circuit->solver == LTC_EDGE_RK4 ? 4 : 1;
    if (network->circuit->solver == LTC_EDGE_FUSED) {
        TILE(back_fused)(task, step, back, slots, bounded);
        return;
    }
    TILE(clear)(back->numerator_sum, 3 * neurons); /* and the denominators', and the capacities' */
    for (int64_t l = network->circuit->unfolds - 1; l >= 0; l--) {
        const V *const u = slots + l * stages * stride, *const g = back->state;
        V *const du = back->state_next;
        switch (network->circuit->solver) {
        case LTC_EDGE_EXPONENTIAL:
            TILE(back_exponential)(network, step, back, u, g, du, bounded);
            break;
        case LTC_EDGE_EULER:
            TILE(back_euler)(network, step, back, u, g, du);
            break;
        default:
            TILE(back_rk4)(task, step, back, u, g, du);
            break;
        }
        back->state_next = back->state;
        back->state = du;
    }
}

static void TILE(back_solve_bounded)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back,
                                     const V *slots)
{
    TILE(back_solve)(task, step, back, slots, 1);
}

static void TILE(back_solve_any)(const TILE(task) * task, const TILE(step) * step, TILE(back) * back, const V *slots)
{
    TILE(back_solve)(task, step, back, slots, 0);
}
