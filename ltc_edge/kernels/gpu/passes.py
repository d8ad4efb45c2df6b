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
def forward(
    drive_ptr, state_ptr, spans_ptr, forced_ptr, cm_ptr,
    slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr,
    states_ptr, trace_ptr,
    batch, length, units,
    solver: tl.constexpr, unfolds: tl.constexpr, is_forced: tl.constexpr, traced: tl.constexpr,
    padded: tl.constexpr, width: tl.constexpr,
):  # fmt: skip
    """Write ``states`` ``(B, T, N)`` after each step, and the trace."""
    neuron = tl.arange(0, padded)
    real = neuron < units
    rows = _load_rows(
        slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr, padded * width
    )
    cm = tl.load(cm_ptr + neuron, mask=real, other=1.0)
    evaluations: tl.constexpr = unfolds * 4 if solver == RK4 else unfolds
    for sequence in range(tl.program_id(0), batch, tl.num_programs(0)):
        first = tl.cast(sequence, tl.int64) * length
        trace = trace_ptr + first * (evaluations * KEPT * units)
        drive = drive_ptr + first * (2 * units) + neuron
        v = tl.load(state_ptr + tl.cast(sequence, tl.int64) * units + neuron, mask=real, other=0.0)
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
            for _sub_step in range(unfolds):
                v, trace = _advance(
                    v, n_in, d_in, h, cm, rows, trace, units, neuron, real, solver, traced, padded, width
                )
            at = (first + t) * units + neuron
            if is_forced:
                v = tl.load(forced_ptr + at, mask=real, other=0.0)
            tl.store(states_ptr + at, v, mask=real)


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
def backward(
    states_gradient_ptr, spans_ptr, cm_ptr, trace_ptr,
    slots_ptr, ends_ptr, slope_ptr, shift_ptr, numerator_ptr, denominator_ptr,
    drive_gradient_ptr, state_gradient_ptr, spans_gradient_ptr, cm_sums_ptr, synapse_sums_ptr,
    batch, length, units, synapses,
    solver: tl.constexpr, unfolds: tl.constexpr, padded: tl.constexpr, width: tl.constexpr,
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
    sums = (nothing, nothing, nothing, nothing)
    evaluations: tl.constexpr = unfolds * 4 if solver == RK4 else unfolds
    for sequence in range(tl.program_id(0), batch, tl.num_programs(0)):
        first = tl.cast(sequence, tl.int64) * length
        trace = trace_ptr + first * (evaluations * KEPT * units)
        e = length * evaluations - 1
        # What was kept of an evaluation is asked for an evaluation before it is needed.
        kept = _recall(trace, e, units, neuron, real)
        g = cm * 0.0
        for step in range(length):
            t = length - 1 - step
            g += tl.load(states_gradient_ptr + (first + t) * units + neuron, mask=real, other=0.0)
            span = tl.load(spans_ptr + first + t)
            h = span / unfolds
            n_in, d_in, rate = cm * 0.0, cm * 0.0, cm * 0.0
            for _sub_step in range(unfolds):
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
                    g = along
                else:
                    v = kept[0]
                    dn, dd, along, of_rate = _retreat(kept, g, h, cm, solver)
                    e -= 1
                    kept = _recall(trace, e, units, neuron, real)
                    dv, sums = _through(v, dn, dd, rows, sums, padded, width)
                    n_in += dn
                    d_in += dd
                    rate += of_rate
                    g = along + dv
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
        tl.store(state_gradient_ptr + tl.cast(sequence, tl.int64) * units + neuron, g, mask=real)
    program = tl.cast(tl.program_id(0), tl.int64)
    tl.store(cm_sums_ptr + program * units + neuron, cm_sum, mask=real)
    place = synapse_sums_ptr + program * 4 * synapses + rows[0]
    for i in tl.static_range(4):
        tl.store(place + i * synapses, sums[i], mask=rows[1])
