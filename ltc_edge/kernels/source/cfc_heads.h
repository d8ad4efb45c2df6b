/* cfc_heads.h: from the heads of a layer of neurons to its state, in closed form, and back. A template, as lanes.h.
 *
 *     default   h = f1 (1 - g) + g f2,  f = tanh(head),  g = sigmoid(time_a t + time_b)
 *     no_gate   h = f1 + g f2
 *     pure      h = A - A E f,  E = exp(-t (|w_tau| + |f|)),  f = head
 *
 * What is kept for the way back: f1, f2, g and, where t is given, the head time_a; in the pure mode f and E.
 */

typedef struct {
    const V *span; /* t */
    V *kept;
    int64_t kept_stride; /* from one of a neuron's kept values to the next: all neurons' of a kind are together */
    const REAL *w_tau, *a;
} TILE(closing);

ALWAYS_INLINE V TILE(magnitude)(V x)
{
    return NAME(choose)(x < (REAL)0, -x, x);
}

/* The state, from a neuron's heads, which are `stride` apart. */
ALWAYS_INLINE void TILE(close_one)(const TILE(closing) * own, int64_t i, int64_t k, const V *heads, V *state,
                                   const int mode, const int timed)
{
    const int64_t stride = own->kept_stride, place = i * BLOCKS + k;
    V *const kept = own->kept + place;
    if (mode == LTC_EDGE_CFC_PURE) {
        const V f = heads[place];
        const V rate = TILE(magnitude)(f) + (own->w_tau[i] < 0 ? -own->w_tau[i] : own->w_tau[i]);
        const V decay = NAME(exp2)(NAME(exponent)(own->span[k] * rate * (REAL)-1.44269504088896340736));
        kept[0] = f;
        kept[stride] = decay;
        state[place] = own->a[i] - own->a[i] * decay * f;
        return;
    }
    const V first = NAME(tanh)(heads[place]), second = NAME(tanh)(heads[stride + place]);
    V time = heads[2 * stride + place];
    if (timed) {
        kept[3 * stride] = time;
        time = time * own->span[k] + heads[3 * stride + place];
    }
    const V gate = NAME(sigmoid)(time);
    kept[0] = first;
    kept[stride] = second;
    kept[2 * stride] = gate;
    state[place] = (mode == LTC_EDGE_CFC_DEFAULT ? first * ((REAL)1 - gate) : first) + gate * second;
}

/* From the gradient of the state to those of the heads; adds to those of the elapsed time, w_tau and A. */
ALWAYS_INLINE void TILE(open_one)(const TILE(closing) * own, int64_t i, int64_t k, V gradient, V *heads, V *span,
                                  V *w_tau, V *a, const int mode, const int timed)
{
    const int64_t stride = own->kept_stride, place = i * BLOCKS + k;
    const V *const kept = own->kept + place;
    if (mode == LTC_EDGE_CFC_PURE) {
        const V f = kept[0], decay = kept[stride], size = TILE(magnitude)(f);
        const REAL tau = own->w_tau[i], sign = (REAL)(tau > 0) - (REAL)(tau < 0);
        const V relaxed = gradient * decay, drift = relaxed * f * own->a[i];
        heads[place] = relaxed * (own->span[k] * size - (REAL)1) * own->a[i];
        span[k] += drift * (size + tau * sign);
        *w_tau += drift * own->span[k] * sign;
        *a += gradient - relaxed * f;
        return;
    }
    const V first = kept[0], second = kept[stride], gate = kept[2 * stride];
    const int gated = mode == LTC_EDGE_CFC_DEFAULT;
    const V through = gradient * gate, slope = gate - gate * gate;
    const V time = gradient * slope * (gated ? second - first : second);
    heads[place] = (gated ? gradient - through : gradient) * ((REAL)1 - first * first);
    heads[stride + place] = through * ((REAL)1 - second * second);
    heads[2 * stride + place] = timed ? time * own->span[k] : time;
    if (timed) {
        heads[3 * stride + place] = time;
        span[k] += time * kept[3 * stride];
    }
}

ALWAYS_INLINE void TILE(close_all)(const TILE(closing) * own, int64_t units, const V *heads, V *state, const int mode,
                                   const int timed)
{
    for (int64_t i = 0; i < units; i++) {
        EACH_BLOCK(k)
        {
            TILE(close_one)(own, i, k, heads, state, mode, timed);
        }
    }
}

ALWAYS_INLINE void TILE(open_all)(const TILE(closing) * own, int64_t units, const V *gradient, V *heads, V *span,
                                  V *w_tau, V *a, const int mode, const int timed)
{
    V time[BLOCKS];
    EACH_BLOCK(k)
    {
        time[k] = span[k];
    }
    for (int64_t i = 0; i < units; i++) {
        EACH_BLOCK(k)
        {
            TILE(open_one)
            (own, i, k, gradient[i * BLOCKS + k], heads, time, w_tau + i, a + i, mode, timed);
        }
    }
    EACH_BLOCK(k)
    {
        span[k] = time[k];
    }
}

/* The states of a layer from its heads. */
static void TILE(close)(const TILE(closing) * own, int32_t mode, int timed, int64_t units, const V *heads, V *state)
{
    if (mode == LTC_EDGE_CFC_PURE) {
        TILE(close_all)(own, units, heads, state, LTC_EDGE_CFC_PURE, 1);
    } else if (mode == LTC_EDGE_CFC_NO_GATE) {
        timed ? TILE(close_all)(own, units, heads, state, LTC_EDGE_CFC_NO_GATE, 1)
              : TILE(close_all)(own, units, heads, state, LTC_EDGE_CFC_NO_GATE, 0);
    } else {
        timed ? TILE(close_all)(own, units, heads, state, LTC_EDGE_CFC_DEFAULT, 1)
              : TILE(close_all)(own, units, heads, state, LTC_EDGE_CFC_DEFAULT, 0);
    }
}

/* The gradients of the heads from those of the states; of the others it adds to what is there. */
static void TILE(open)(const TILE(closing) * own, int32_t mode, int timed, int64_t units, const V *gradient, V *heads,
                       V *span, V *w_tau, V *a)
{
    if (mode == LTC_EDGE_CFC_PURE) {
        TILE(open_all)(own, units, gradient, heads, span, w_tau, a, LTC_EDGE_CFC_PURE, 1);
    } else if (mode == LTC_EDGE_CFC_NO_GATE) {
        timed ? TILE(open_all)(own, units, gradient, heads, span, w_tau, a, LTC_EDGE_CFC_NO_GATE, 1)
              : TILE(open_all)(own, units, gradient, heads, span, w_tau, a, LTC_EDGE_CFC_NO_GATE, 0);
    } else {
        timed ? TILE(open_all)(own, units, gradient, heads, span, w_tau, a, LTC_EDGE_CFC_DEFAULT, 1)
              : TILE(open_all)(own, units, gradient, heads, span, w_tau, a, LTC_EDGE_CFC_DEFAULT, 0);
    }
}

/* A backbone's activation of `count` vectors, and its slope there. */
static void TILE(activate)(int32_t activation, int64_t count, const V *x, V *y, V *slope)
{
    switch (activation) {
    case LTC_EDGE_RELU:
        for (int64_t i = 0; i < count; i++) {
            y[i] = NAME(at_least)((V){0}, x[i]);
            slope[i] = NAME(choose)(x[i] > (REAL)0, NAME(all)(1), (V){0});
        }
        break;
    case LTC_EDGE_SILU:
        for (int64_t i = 0; i < count; i++) {
            const V own = x[i], gate = NAME(sigmoid)(own);
            y[i] = own * gate;
            slope[i] = gate + own * gate * ((REAL)1 - gate);
        }
        break;
    case LTC_EDGE_TANH:
        for (int64_t i = 0; i < count; i++) {
            const V squashed = NAME(tanh)(x[i]);
            y[i] = squashed;
            slope[i] = (REAL)1 - squashed * squashed;
        }
        break;
    default: /* LeCun's: 1.7159 tanh(0.666 x) */
        for (int64_t i = 0; i < count; i++) {
            const V squashed = NAME(tanh)(x[i] * (REAL)0.666);
            y[i] = squashed * (REAL)1.7159;
            slope[i] = ((REAL)1 - squashed * squashed) * (REAL)(1.7159 * 0.666);
        }
        break;
    }
}
