"""The forward and the backward pass of an LTC's recurrent part, in Triton.

A program takes one sequence after the other through all its steps. Neurons are a vector of ``padded``
places; synapses lie in rows of ``width`` places (`ltc_edge.kernels.gpu.rows`), flat, so that what belongs to
one stays in the registers of one thread from the first step to the last. Rows are those of targets forwards
and of sources backwards: either way what a neuron sums is its own row, and no two threads add to one number.
The equations are those of ``docs/kernels.md``; psi(y) = (1 − e^−y) / y.

Sequences are ``(B, T, …)``. The trace is ``(B, T, E, 3, N)``, E evaluations a step: of each the state, D,
and for the fused solver the state after it, for others the current I.
"""

from __future__ import annotations

import triton
import triton.language as tl

FUSED, EXPONENTIAL, EULER, RK4 = (tl.constexpr(number) for number in range(4))
EPSILON = tl.constexpr(1e-8)
KEPT = tl.constexpr(3)


@triton.jit
def _psi(y):
    """psi and its derivative at y ≥ 0; by their series where the formulas cancel."""
    terms: tl.constexpr = 14 if y.dtype == tl.float64 else 8
    small = y < 0.5
    z = tl.where(small, -y, 0.0)
    series, slope = z * 0.0 + 1.0, z * 0.0
    for i in tl.static_range(terms):
        # A number alone would be one of float32.
        factor = tl.full((), 1.0 / (terms + 1 - i), tl.float64).to(y.dtype)
        slope = (series + z * slope) * factor
        series = 1.0 + z * series * factor
    y = tl.where(small, 1.0, y)
    alpha = tl.exp(-y)
    psi = tl.where(small, series, (1.0 - alpha) / y)
    return psi, tl.where(small, -slope, (alpha * (1.0 + y) - 1.0) / (y * y))


@triton.jit
def _load_rows(
    slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr, places: tl.constexpr
):
    """Of each place in the rows: its synapse, whether there is one, its other end, its four parameters."""
    place = tl.arange(0, places)
    slot, end = tl.load(slots_ptr + place), tl.load(ends_ptr + place)
    there = slot >= 0
    slope = tl.load(slope_ptr + slot, mask=there, other=0.0)
    shift = tl.load(shift_ptr + slot, mask=there, other=0.0)
    to_numerator = tl.load(numerator_ptr + slot, mask=there, other=0.0)
    to_denominator = tl.load(denominator_ptr + slot, mask=there, other=0.0)
    return slot, there, end, slope, shift, to_numerator, to_denominator


@triton.jit
def _sums(v, rows, padded: tl.constexpr, width: tl.constexpr):
    """What each neuron hears of the others at the states ``v``: its shares of N and D."""
    _, _, end, slope, shift, to_numerator, to_denominator = rows
    s = 1.0 / (1.0 + tl.exp(-(slope * tl.gather(v, end, 0) + shift)))
    numerator = tl.sum(tl.reshape(to_numerator * s, (padded, width)), 1)
    return numerator, tl.sum(tl.reshape(to_denominator * s, (padded, width)), 1)


@triton.jit
def _current(v, n_in, d_in, rows, padded: tl.constexpr, width: tl.constexpr):
    """The current I, and D."""
    numerator, denominator = _sums(v, rows, padded, width)
    denominator += d_in
    return n_in + numerator - denominator * v, denominator


@triton.jit
def _share(stage: tl.constexpr):
    """How far along the current of the stage before it a stage of RK4 looks."""
    if stage == 0:
        return 0.0
    return 0.5 if stage < 3 else 1.0


@triton.jit
def _keep(trace, units, neuron, real, v, denominator, third, traced: tl.constexpr):
    """Write an evaluation; returns where the next one goes."""
    if traced:
        tl.store(trace + neuron, v, mask=real)
        tl.store(trace + units + neuron, denominator, mask=real)
        tl.store(trace + 2 * units + neuron, third, mask=real)
    return trace + KEPT * units


@triton.jit
def _advance(
    v, n_in, d_in, h, cm, rows, trace, units, neuron, real,
    solver: tl.constexpr, traced: tl.constexpr, padded: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """A sub-step over the time ``h``: the state after it, and where the trace goes on."""
    if solver == FUSED:
        c = cm / h
        numerator, d = _sums(v, rows, padded, width)
        d += d_in + c + EPSILON
        after = (c * v + n_in + numerator) / d
        return after, _keep(trace, units, neuron, real, v, d, after, traced)
    k = h / cm
    if solver == RK4:
        i, total = v * 0.0, v * 0.0
        for stage in tl.static_range(4):
            u = v + _share(stage) * k * i
            i, d = _current(u, n_in, d_in, rows, padded, width)
            trace = _keep(trace, units, neuron, real, u, d, i, traced)
            total += i if stage % 3 == 0 else 2.0 * i
        return v + k * total / 6.0, trace
    if solver == EXPONENTIAL:
        d_in += EPSILON
    i, d = _current(v, n_in, d_in, rows, padded, width)
    trace = _keep(trace, units, neuron, real, v, d, i, traced)
    if solver == EXPONENTIAL:
        psi, _ = _psi(k * d)
        i *= psi
    return v + k * i, trace


@triton.jit
def _tanh(x):
    return 2.0 / (1.0 + tl.exp(-2.0 * x)) - 1.0


@triton.jit
def _sigmoid(x):
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def _recurrent(weight_ptr, units, padded: tl.constexpr, transposed: tl.constexpr):
    """The recurrent weights of the memory's gates g, i, f, o, each ``(padded, padded)``."""
    row, column = tl.arange(0, padded)[:, None], tl.arange(0, padded)[None, :]
    there = (row < units) & (column < units)
    at = weight_ptr + (column * units + row if transposed else row * units + column)
    size = units * units
    g = tl.load(at, mask=there, other=0.0)
    i = tl.load(at + size, mask=there, other=0.0)
    f = tl.load(at + 2 * size, mask=there, other=0.0)
    return g, i, f, tl.load(at + 3 * size, mask=there, other=0.0)


@triton.jit
def _read_gates(gates, units, neuron, real):
    """g, i, f, o before their activations."""
    g = tl.load(gates + neuron, mask=real, other=0.0)
    i = tl.load(gates + units + neuron, mask=real, other=0.0)
    f = tl.load(gates + 2 * units + neuron, mask=real, other=0.0)
    return g, i, f, tl.load(gates + 3 * units + neuron, mask=real, other=0.0)


@triton.jit
def _write_gates(gates, units, neuron, real, g, i, f, o):
    tl.store(gates + neuron, g, mask=real)
    tl.store(gates + units + neuron, i, mask=real)
    tl.store(gates + 2 * units + neuron, f, mask=real)
    tl.store(gates + 3 * units + neuron, o, mask=real)


@triton.jit
def _remember(v, inflow, weights):
    """The gates of the memory, before their activations, for the state and memory after the last step."""
    g, i, f, o = inflow
    v = v[None, :]
    g += tl.sum(weights[0] * v, 1)
    i += tl.sum(weights[1] * v, 1)
    f += tl.sum(weights[2] * v, 1)
    return g, i, f, o + tl.sum(weights[3] * v, 1)


@triton.jit
def forward(
    drive_ptr, state_ptr, spans_ptr, forced_ptr, gates_ptr, recurrent_ptr, cm_ptr,
    slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr,
    states_ptr, trace_ptr, gates_trace_ptr,
    batch, length, units,
    solver: tl.constexpr, unfolds: tl.constexpr, is_forced: tl.constexpr, memory: tl.constexpr,
    traced: tl.constexpr, padded: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """Write ``states`` ``(B, T, N)`` after each step, with a memory ``(B, T, 2N)``, and the trace."""
    neuron = tl.arange(0, padded)
    real = neuron < units
    size = 2 * units if memory else units
    if memory:
        weights = _recurrent(recurrent_ptr, units, padded, False)
    rows = _load_rows(
        slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr, padded * width
    )
    cm = tl.load(cm_ptr + neuron, mask=real, other=1.0)
    evaluations: tl.constexpr = unfolds * 4 if solver == RK4 else unfolds
    for sequence in range(tl.program_id(0), batch, tl.num_programs(0)):
        first = tl.cast(sequence, tl.int64) * length
        trace = trace_ptr + first * (evaluations * KEPT * units)
        drive = drive_ptr + first * (2 * units) + neuron
        state = state_ptr + tl.cast(sequence, tl.int64) * size + neuron
        v = tl.load(state, mask=real, other=0.0)
        if memory:
            cell = tl.load(state + units, mask=real, other=0.0)
        # A step's inputs are asked for a step before they are needed.
        n_next = tl.load(drive, mask=real, other=0.0)
        d_next = tl.load(drive + units, mask=real, other=0.0)
        span_next = tl.load(spans_ptr + first)
        for t in range(length):
            n_in, d_in, h = n_next, d_next, span_next / unfolds
            later = tl.minimum(t + 1, length - 1)
            n_next = tl.load(drive + later * (2 * units), mask=real, other=0.0)
            d_next = tl.load(drive + later * (2 * units) + units, mask=real, other=0.0)
            span_next = tl.load(spans_ptr + first + later)
            if memory:
                inflow = _read_gates(gates_ptr + (first + t) * (4 * units), units, neuron, real)
                g, i, f, o = _remember(v, inflow, weights)
                if traced:
                    _write_gates(gates_trace_ptr + (first + t) * (4 * units), units, neuron, real, g, i, f, o)
                cell = _sigmoid(f + 1.0) * cell + _sigmoid(i) * _tanh(g)
                v = _sigmoid(o) * _tanh(cell)
            for _sub_step in range(unfolds):
                v, trace = _advance(
                    v, n_in, d_in, h, cm, rows, trace, units, neuron, real, solver, traced, padded, width
                )
            at = (first + t) * size + neuron
            if is_forced:
                v = tl.load(forced_ptr + at, mask=real, other=0.0)
                if memory:
                    cell = tl.load(forced_ptr + at + units, mask=real, other=0.0)
            tl.store(states_ptr + at, v, mask=real)
            if memory:
                tl.store(states_ptr + at + units, cell, mask=real)


@triton.jit
def _recall(trace, evaluation, units, neuron, real):
    """Read an evaluation; of what lies before the first one, the first."""
    at = trace + tl.cast(tl.maximum(evaluation, 0), tl.int64) * (KEPT * units) + neuron
    v = tl.load(at, mask=real, other=0.0)
    denominator = tl.load(at + units, mask=real, other=1.0)
    return v, denominator, tl.load(at + 2 * units, mask=real, other=0.0)


@triton.jit
def _through(v, dn, dd, rows, sums, padded: tl.constexpr, width: tl.constexpr):
    """Back through the synapses: what it gives the states they start from, and their sums so far."""
    _, _, end, slope, shift, to_numerator, to_denominator = rows
    to_n, to_d, to_slope, to_shift = sums
    own = tl.reshape(tl.broadcast_to(v[:, None], (padded, width)), (padded * width,))
    s = 1.0 / (1.0 + tl.exp(-(slope * own + shift)))
    dn, dd = tl.gather(dn, end, 0), tl.gather(dd, end, 0)
    q = (dn * to_numerator + dd * to_denominator) * (s * (1.0 - s))
    sums = (to_n + dn * s, to_d + dd * s, to_slope + q * own, to_shift + q)
    return tl.sum(tl.reshape(slope * q, (padded, width)), 1), sums


@triton.jit
def _retreat(kept, g, h, cm, solver: tl.constexpr):
    """Of an evaluation that is a whole sub-step: gradients of N, D, of the state past the synapses, the rate.

    The rate is c with the fused solver, and otherwise k.
    """
    v, d, third = kept
    if solver == FUSED:
        dn = g / d
        return dn, -dn * third, cm / h * dn, dn * (v - third)
    k = h / cm
    if solver == EXPONENTIAL:
        psi, slope = _psi(k * d)
        alpha = tl.exp(-k * d)
        return g * k * psi, g * (third * k * k * slope - k * psi * v), g * alpha, g * third * alpha
    dn = g * k
    return dn, -dn * v, g - d * dn, g * third


@triton.jit
def _undo(
    g, n_in, d_in, rate, kept, e, sums, h, cm, rows, trace, units, neuron, real,
    solver: tl.constexpr, padded: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """Back through a sub-step: the gradient of the state before it, and all that is added up or read on.

    ``kept`` is the evaluation ``e``, the sub-step's last; returned is that before its first.
    """
    if solver == RK4:
        k = h / cm
        dv, along = g * 0.0, g
        for i in tl.static_range(4):
            v, d, current = kept
            e -= 1
            kept = _recall(trace, e, units, neuron, real)
            # A stage is heard in the sub-step's sum, and by the stage after it.
            heard = (g if i % 3 == 0 else 2.0 * g) / 6.0
            if i > 0:
                heard += _share(4 - i) * dv
            rate += heard * current
            dn = k * heard
            dv, sums = _through(v, dn, -dn * v, rows, sums, padded, width)
            dv -= d * dn
            n_in += dn
            d_in -= dn * v
            along += dv
        return along, n_in, d_in, rate, kept, e, sums
    v = kept[0]
    dn, dd, along, of_rate = _retreat(kept, g, h, cm, solver)
    e -= 1
    kept = _recall(trace, e, units, neuron, real)
    dv, sums = _through(v, dn, dd, rows, sums, padded, width)
    return along + dv, n_in + dn, d_in + dd, rate + of_rate, kept, e, sums


@triton.jit
def _forget(g_state, g_cell, before, kept, weights):
    """Back through the memory: gradients of its gates, and of the state and the memory before the step.

    ``g_state`` and ``g_cell`` are those of what the memory gave, ``before`` is the memory before it.
    """
    g, i, f, o = kept
    g, i, f, o = _tanh(g), _sigmoid(i), _sigmoid(f + 1.0), _sigmoid(o)
    seen = _tanh(f * before + i * g)
    g_cell += g_state * o * (1.0 - seen * seen)
    dg = g_cell * i * (1.0 - g * g)
    di = g_cell * g * i * (1.0 - i)
    df = g_cell * before * f * (1.0 - f)
    do = g_state * seen * o * (1.0 - o)
    g_state = tl.sum(weights[0] * dg[None, :], 1) + tl.sum(weights[1] * di[None, :], 1)
    g_state += tl.sum(weights[2] * df[None, :], 1) + tl.sum(weights[3] * do[None, :], 1)
    return dg, di, df, do, g_state, g_cell * f


@triton.jit
def backward(
    states_gradient_ptr, spans_ptr, state_ptr, states_ptr, recurrent_ptr, cm_ptr, trace_ptr, gates_trace_ptr,
    slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr,
    drive_gradient_ptr, state_gradient_ptr, spans_gradient_ptr, gates_gradient_ptr,
    cm_sums_ptr, synapse_sums_ptr,
    batch, length, units, synapses,
    solver: tl.constexpr, unfolds: tl.constexpr, memory: tl.constexpr,
    padded: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """Write gradients of the sequences' values, and each program's sums for cm and the synapses.

    ``synapse_sums`` is ``(programs, 4, S)``: for the weights to N and to D, for slope and shift.
    """
    neuron = tl.arange(0, padded)
    real = neuron < units
    rows = _load_rows(
        slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr, padded * width
    )
    cm = tl.load(cm_ptr + neuron, mask=real, other=1.0)
    nothing, cm_sum = rows[3] * 0.0, cm * 0.0
    size = 2 * units if memory else units
    if memory:
        weights = _recurrent(recurrent_ptr, units, padded, True)
    sums = (nothing, nothing, nothing, nothing)
    evaluations: tl.constexpr = unfolds * 4 if solver == RK4 else unfolds
    for sequence in range(tl.program_id(0), batch, tl.num_programs(0)):
        first = tl.cast(sequence, tl.int64) * length
        trace = trace_ptr + first * (evaluations * KEPT * units)
        e = length * evaluations - 1
        # What was kept of an evaluation is asked for an evaluation before it is needed.
        kept = _recall(trace, e, units, neuron, real)
        state = state_ptr + tl.cast(sequence, tl.int64) * size + neuron
        g, g_cell = cm * 0.0, cm * 0.0
        for step in range(length):
            t = length - 1 - step
            at = (first + t) * size + neuron
            g += tl.load(states_gradient_ptr + at, mask=real, other=0.0)
            span = tl.load(spans_ptr + first + t)
            h = span / unfolds
            n_in, d_in, rate = cm * 0.0, cm * 0.0, cm * 0.0
            for _sub_step in range(unfolds):
                g, n_in, d_in, rate, kept, e, sums = _undo(
                    g, n_in, d_in, rate, kept, e, sums, h, cm, rows, trace, units, neuron, real,
                    solver, padded, width,
                )  # fmt: skip
            if solver == FUSED:
                cm_sum += rate / h
                of_span = -rate * cm / (h * span)
            else:
                cm_sum -= rate * h / (cm * cm)
                of_span = rate * h / (cm * span)
            drive = drive_gradient_ptr + (first + t) * (2 * units) + neuron
            tl.store(drive, n_in, mask=real)
            tl.store(drive + units, d_in, mask=real)
            tl.store(spans_gradient_ptr + first + t, tl.sum(tl.where(real, of_span, 0.0)))
            if memory:
                g_cell += tl.load(states_gradient_ptr + at + units, mask=real, other=0.0)
                is_first = neuron * 0 + t == 0
                before = tl.load(states_ptr + at - size + units, mask=real & ~is_first, other=0.0)
                before += tl.load(state + units, mask=real & is_first, other=0.0)
                gates = (first + t) * (4 * units)
                read = _read_gates(gates_trace_ptr + gates, units, neuron, real)
                dg, di, df, do, g, g_cell = _forget(g, g_cell, before, read, weights)
                _write_gates(gates_gradient_ptr + gates, units, neuron, real, dg, di, df, do)
        written = state_gradient_ptr + tl.cast(sequence, tl.int64) * size + neuron
        tl.store(written, g, mask=real)
        if memory:
            tl.store(written + units, g_cell, mask=real)
    program = tl.cast(tl.program_id(0), tl.int64)
    tl.store(cm_sums_ptr + program * units + neuron, cm_sum, mask=real)
    place = synapse_sums_ptr + program * 4 * synapses + rows[0]
    for i in tl.static_range(4):
        tl.store(place + i * synapses, sums[i], mask=rows[1])
