"""The forward and the backward pass of an LTC's recurrent part, in Triton.

A program takes one sequence after the other through all its steps. Neurons are a vector of ``padded`` places;
synapses lie in rows of ``width`` places (`ltc_edge.kernels.gpu.rows`), flat, so that what belongs to one stays in
the registers of one thread from the first step to the last. Rows are those of targets forwards and of sources
backwards: either way what a neuron sums is its own row, and no two threads add to one number. The equations are
those of ``docs/kernels.md``; psi(y) = (1 − e^−y) / y.

Sequences are ``(B, T, …)``. The trace is ``(B, T, E, 3, N)``, E evaluations a step: of each the state, D, and for
the fused solver the state after it, for others the current I.
"""

from __future__ import annotations

import triton
import triton.language as tl

EXPONENTIAL, EULER, RK4 = tl.constexpr(1), tl.constexpr(2), tl.constexpr(3)
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
def _keep(trace, neuron, real, units, v, denominator, third, traced: tl.constexpr):
    """Write an evaluation; returns where the next one goes."""
    if traced:
        tl.store(trace + neuron, v, mask=real)
        tl.store(trace + units + neuron, denominator, mask=real)
        tl.store(trace + 2 * units + neuron, third, mask=real)
    return trace + KEPT * units


@triton.jit
def _current(v, n_in, d_in, rows, padded: tl.constexpr, width: tl.constexpr):
    numerator, denominator = _sums(v, rows, padded, width)
    denominator += d_in
    return n_in + numerator - denominator * v, denominator


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
            k = h / cm
            c = cm / h
            for sub_step in range(unfolds):
                if solver == RK4:
                    i_1, d = _current(v, n_in, d_in, rows, padded, width)
                    trace = _keep(trace, neuron, real, units, v, d, i_1, traced)
                    v_2 = v + 0.5 * k * i_1
                    i_2, d = _current(v_2, n_in, d_in, rows, padded, width)
                    trace = _keep(trace, neuron, real, units, v_2, d, i_2, traced)
                    v_3 = v + 0.5 * k * i_2
                    i_3, d = _current(v_3, n_in, d_in, rows, padded, width)
                    trace = _keep(trace, neuron, real, units, v_3, d, i_3, traced)
                    v_4 = v + k * i_3
                    i_4, d = _current(v_4, n_in, d_in, rows, padded, width)
                    trace = _keep(trace, neuron, real, units, v_4, d, i_4, traced)
                    v += k / 6.0 * (i_1 + 2.0 * i_2 + 2.0 * i_3 + i_4)
                elif solver == EULER:
                    i, d = _current(v, n_in, d_in, rows, padded, width)
                    trace = _keep(trace, neuron, real, units, v, d, i, traced)
                    v += k * i
                elif solver == EXPONENTIAL:
                    i, d = _current(v, n_in, d_in + EPSILON, rows, padded, width)
                    trace = _keep(trace, neuron, real, units, v, d, i, traced)
                    psi, _ = _psi(k * d)
                    v += k * psi * i
                else:
                    numerator, d = _sums(v, rows, padded, width)
                    d += d_in + c + EPSILON
                    after = (c * v + n_in + numerator) / d
                    trace = _keep(trace, neuron, real, units, v, d, after, traced)
                    v = after
            at = (first + t) * units + neuron
            if is_forced:
                v = tl.load(forced_ptr + at, mask=real, other=0.0)
            tl.store(states_ptr + at, v, mask=real)


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
def _recall(trace, evaluation, neuron, real, units):
    """Read an evaluation; of what lies before the first one, the first."""
    at = trace + tl.cast(tl.maximum(evaluation, 0), tl.int64) * (KEPT * units) + neuron
    v = tl.load(at, mask=real, other=0.0)
    denominator = tl.load(at + units, mask=real, other=1.0)
    return v, denominator, tl.load(at + 2 * units, mask=real, other=0.0)


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
    slot, there, _, zero, _, _, _ = rows
    zero = zero * 0.0
    sums = (zero, zero, zero, zero)
    cm = tl.load(cm_ptr + neuron, mask=real, other=1.0)
    cm_sum = cm * 0.0
    evaluations: tl.constexpr = unfolds * 4 if solver == RK4 else unfolds
    for sequence in range(tl.program_id(0), batch, tl.num_programs(0)):
        first = tl.cast(sequence, tl.int64) * length
        trace = trace_ptr + first * (evaluations * KEPT * units)
        e = length * evaluations - 1
        # What was kept of an evaluation is asked for an evaluation before it is needed.
        kept = _recall(trace, e, neuron, real, units)
        g = cm * 0.0
        for step in range(length):
            t = length - 1 - step
            at = (first + t) * units + neuron
            g += tl.load(states_gradient_ptr + at, mask=real, other=0.0)
            span = tl.load(spans_ptr + first + t)
            h = span / unfolds
            k = h / cm
            c = cm / h
            n_in, d_in, rate = cm * 0.0, cm * 0.0, cm * 0.0
            for sub_step in range(unfolds):
                v, d, x = kept
                e -= 1
                kept = _recall(trace, e, neuron, real, units)
                if solver == RK4:
                    # Stages from the fourth to the first; v and d, x are a stage's state, D and current.
                    along = g
                    weight = g * k / 6.0
                    rate += g * x / 6.0
                    dv, sums = _through(v, weight, -weight * v, rows, sums, padded, width)
                    n_in += weight
                    d_in -= weight * v
                    dv -= d * weight
                    along += dv
                    v, d, x = kept
                    e -= 1
                    kept = _recall(trace, e, neuron, real, units)
                    weight = g * k / 3.0 + k * dv
                    rate += (g / 3.0 + dv) * x
                    dv, sums = _through(v, weight, -weight * v, rows, sums, padded, width)
                    n_in += weight
                    d_in -= weight * v
                    dv -= d * weight
                    along += dv
                    v, d, x = kept
                    e -= 1
                    kept = _recall(trace, e, neuron, real, units)
                    weight = g * k / 3.0 + 0.5 * k * dv
                    rate += (g / 3.0 + 0.5 * dv) * x
                    dv, sums = _through(v, weight, -weight * v, rows, sums, padded, width)
                    n_in += weight
                    d_in -= weight * v
                    dv -= d * weight
                    along += dv
                    v, d, x = kept
                    e -= 1
                    kept = _recall(trace, e, neuron, real, units)
                    weight = g * k / 6.0 + 0.5 * k * dv
                    rate += (g / 6.0 + 0.5 * dv) * x
                    dv, sums = _through(v, weight, -weight * v, rows, sums, padded, width)
                    n_in += weight
                    d_in -= weight * v
                    g = along + dv - d * weight
                else:
                    if solver == EULER:
                        dn = g * k
                        dd = -dn * v
                        rate += g * x
                        along = g - d * dn
                    elif solver == EXPONENTIAL:
                        psi, slope = _psi(k * d)
                        alpha = tl.exp(-k * d)
                        dn = g * k * psi
                        dd = g * (x * k * k * slope - k * psi * v)
                        rate += g * x * alpha
                        along = g * alpha
                    else:
                        dn = g / d
                        dd = -dn * x
                        rate += dn * (v - x)
                        along = c * dn
                    n_in += dn
                    d_in += dd
                    dv, sums = _through(v, dn, dd, rows, sums, padded, width)
                    g = along + dv
            # rate is the gradient of k, or with the fused solver of c, which goes as 1 / k.
            if solver == 0:
                cm_sum += rate / h
                of_span = -rate * c / span
            else:
                cm_sum -= rate * k / cm
                of_span = rate * k / span
            drive = drive_gradient_ptr + (first + t) * (2 * units) + neuron
            tl.store(drive, n_in, mask=real)
            tl.store(drive + units, d_in, mask=real)
            tl.store(spans_gradient_ptr + first + t, tl.sum(tl.where(real, of_span, 0.0)))
        tl.store(state_gradient_ptr + tl.cast(sequence, tl.int64) * units + neuron, g, mask=real)
    program = tl.cast(tl.program_id(0), tl.int64)
    tl.store(cm_sums_ptr + program * units + neuron, cm_sum, mask=real)
    to_n, to_d, to_slope, to_shift = sums
    place = synapse_sums_ptr + program * 4 * synapses + slot
    tl.store(place, to_n, mask=there)
    tl.store(place + synapses, to_d, mask=there)
    tl.store(place + 2 * synapses, to_slope, mask=there)
    tl.store(place + 3 * synapses, to_shift, mask=there)
