"""CT-RNN, LSTM, GRU and the mixed memory as vector operations; the formulas are in the reference runtime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.cells.spec import CTRNNSpec, GatedSpec
from ltc_edge.export.lowering.rates import blend_rate
from ltc_edge.export.program import Array, ProgramBuilder, Range, Signal

FRACTION = Range(-1.0, 1.0)
SHARE = Range(0.0, 1.0)


def lower_ctrnn(
    builder: ProgramBuilder, spec: CTRNNSpec, p: Mapping[str, Array], z: Signal, t: Signal, state: Signal
) -> Signal:
    """One step: each sub-step is the mix ``(1 − λ)·h + λ·tanh(…)``."""
    rate = blend_rate(builder, t.tensor, np.logaddexp(0.0, p["tau"]) * spec.unfolds / t.span)
    drive = builder.dense("drive", z, p["input_weight"], p["bias"])
    h = builder.natural(state)
    bound = builder.range_of(h)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            recurrent = builder.dense(
                "recurrent", Signal.natural(h, spec.units), p["recurrent_weight"], np.zeros(spec.units)
            )
            f = builder.map(
                "tanh", "target", builder.binary("add", "pre_activation", recurrent, drive), FRACTION
            )
            kept = builder.binary("mul", "held", rate.kept, h, bound)
            h = builder.binary(
                "add", "state", kept, builder.binary("mul", "moved", rate.moved, f, FRACTION), bound
            )
    return Signal.natural(h, spec.units)


def lower_lstm(
    builder: ProgramBuilder,
    spec: GatedSpec,
    p: Mapping[str, Array],
    z: Signal,
    t: Signal,
    h: Signal,
    c: Signal,
) -> tuple[Signal, Signal]:
    """One step; returns h and c."""
    weight = np.concatenate([p["weight_ih"], p["weight_dt"][:, None], p["weight_hh"]], axis=1)
    # Zero at the nominal period: the elapsed time enters as t − 1.
    bias = p["bias_ih"] + p["bias_hh"] - p["weight_dt"]
    pieces = _gates(builder, (z, t, h), weight, bias, ("input", "forget", "cell", "output"))
    return _memory(builder, spec.units, pieces, c)


def lower_memory(
    builder: ProgramBuilder, units: int, p: Mapping[str, Array], z: Signal, h: Signal, c: Signal
) -> tuple[Signal, Signal]:
    """The LSTM memory before a liquid cell (arXiv 2006.04418); returns what it hands over, and c."""
    weight = np.concatenate([p["memory_input_weight"], p["memory_recurrent_weight"]], axis=1)
    bias = p["memory_bias"] + np.repeat([0.0, 0.0, 1.0, 0.0], units)  # the forget gate's +1
    pieces = _gates(builder, (z, h), weight, bias, ("cell", "input", "forget", "output"))
    return _memory(builder, units, pieces, c)


def _gates(
    builder: ProgramBuilder, signals: tuple[Signal, ...], weight: Array, bias: Array, order: tuple[str, ...]
) -> dict[str, str]:
    """Each gate's activation, by name."""
    source, units = builder.joined("features", signals), len(bias) // len(order)
    gates = {}
    for index, gate in enumerate(order):
        rows = slice(index * units, (index + 1) * units)
        a = builder.dense(f"{gate}_pre_activation", source, weight[rows], bias[rows])
        kind, bound = ("tanh", FRACTION) if gate == "cell" else ("sigmoid", SHARE)
        gates[gate] = builder.map("tanh" if kind == "tanh" else "sigmoid", gate, a, bound)
    return gates


def _memory(
    builder: ProgramBuilder, units: int, gates: Mapping[str, str], c: Signal
) -> tuple[Signal, Signal]:
    before = builder.natural(c)
    bound = builder.range_of(before)
    # What is remembered grows by up to 1 a step: its bound is a measured one, at which it saturates.
    cut = None if bound is None else Range(bound.low, bound.high, saturates=True)
    remembered = builder.binary("mul", "remembered", gates["forget"], before, bound)
    written = builder.binary("mul", "written", gates["input"], gates["cell"], FRACTION)
    after = builder.binary("add", "memory", remembered, written, cut)
    shown = builder.map("tanh", "shown", after, FRACTION)
    h = builder.binary("mul", "hidden", gates["output"], shown, FRACTION)
    return Signal.natural(h, units), Signal.natural(after, units)


def lower_gru(
    builder: ProgramBuilder, spec: GatedSpec, p: Mapping[str, Array], z: Signal, t: Signal, h: Signal
) -> Signal:
    """One step: ``h' = n + z·(h − n)``."""
    n = spec.units
    rows = slice(0, 2 * n)
    weight = np.concatenate([p["weight_ih"], p["weight_dt"][:, None]], axis=1)
    bias = p["bias_ih"] - p["weight_dt"]
    both = np.concatenate([weight[rows], p["weight_hh"][rows]], axis=1)
    gates = _gates(builder, (z, t, h), both, bias[rows] + p["bias_hh"][rows], ("reset", "update"))
    inner = builder.dense("new_input", (z, t), weight[2 * n :], bias[2 * n :])
    recurrent = builder.dense("new_recurrent", h, p["weight_hh"][2 * n :], p["bias_hh"][2 * n :])
    gated = builder.binary("mul", "new_gated", gates["reset"], recurrent)
    new = builder.map("tanh", "new", builder.binary("add", "new_pre_activation", inner, gated), FRACTION)
    before = builder.natural(h)
    bound = builder.range_of(before)
    apart = builder.binary(
        "sub", "apart", before, new, None if bound is None else Range(bound.low - 1, bound.high + 1)
    )
    held = builder.binary("mul", "held", gates["update"], apart, builder.range_of(apart))
    return Signal.natural(builder.binary("add", "state", new, held, bound), n)
