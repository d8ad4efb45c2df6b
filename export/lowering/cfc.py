"""A CfC as vector operations: Hasani et al., Nature Machine Intelligence 2022, arXiv 2106.13898."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.cells.spec import CfCSpec
from ltc_edge.export.program import Affine, Array, ProgramBuilder, Range, Signal

FRACTION = Range(-1.0, 1.0)
SHARE = Range(0.0, 1.0)
LECUN_OUT, LECUN_IN = 1.7159, 0.666


def lower_cfc(
    builder: ProgramBuilder,
    spec: CfCSpec,
    p: Mapping[str, Array],
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine | None,
) -> tuple[Signal, Signal]:
    """One step of a CfC; returns its outputs and its next state.

    In the unit form those of a wired one are in the coordinates ``unit`` of the next state, which behind a
    memory are not those of ``state``. All others are natural values.
    """
    if spec.wiring is None:
        with builder.stage("cell"):
            following = Signal.natural(
                _cell(builder, spec, p, "", _backbone(builder, spec, p, (z, state)), t), spec.units
            )
        return following, following
    parts, start = [], 0
    feed = z
    for index, layer in enumerate(spec.layers()):
        with builder.stage(("inter", "command", "motor")[index]):
            stop = start + layer.units
            own = builder.part("own_state", state, start, stop)
            feed = Signal.natural(_cell(builder, spec, p, f"layer_{index}_", (feed, own), t), layer.units)
            if unit is not None:
                # The next layer joins it with its own state, and one format then serves both.
                wanted = Affine(unit.center[start:stop], unit.span[start:stop])
                feed = Signal(builder.in_coordinates("fraction", feed, wanted), wanted.center, wanted.span)
            parts.append(feed.tensor)
            start = stop
    layers = builder.concat("layers", tuple(parts))
    return feed, Signal.natural(layers, spec.units) if unit is None else Signal(
        layers, unit.center, unit.span
    )


def _backbone(
    builder: ProgramBuilder, spec: CfCSpec, p: Mapping[str, Array], signals: tuple[Signal, ...]
) -> tuple[Signal, ...]:
    for index in range(len(spec.backbone_shapes()) // 2):
        with builder.stage(f"backbone_{index}"):
            weight, bias = p[f"backbone_{index}_weight"], p[f"backbone_{index}_bias"]
            signals = (_activated(builder, spec.activation, signals, weight, bias),)
    return signals


def _activated(
    builder: ProgramBuilder, activation: str, signals: tuple[Signal, ...], weight: Array, bias: Array
) -> Signal:
    n = len(bias)
    if activation == "lecun_tanh":
        # The inner factor goes into this layer's weights, the outer one into those of the next.
        a = builder.dense("pre_activation", signals, LECUN_IN * weight, LECUN_IN * bias)
        return Signal(builder.map("tanh", "features", a, FRACTION), np.zeros(n), np.full(n, LECUN_OUT))
    a = builder.dense("pre_activation", signals, weight, bias)
    if activation == "silu":
        gate = builder.map("sigmoid", "gate", a, SHARE)
        return Signal.natural(builder.binary("mul", "features", a, gate), n)
    if activation == "tanh":
        return Signal.natural(builder.map("tanh", "features", a, FRACTION), n)
    assert activation in ("relu", "gelu")
    return Signal.natural(builder.map("relu" if activation == "relu" else "gelu", "features", a), n)


def _cell(
    builder: ProgramBuilder,
    spec: CfCSpec,
    p: Mapping[str, Array],
    prefix: str,
    signals: tuple[Signal, ...],
    t: Signal,
) -> str:
    def head(name: str, gain: float = 1.0) -> str:
        return builder.dense(
            name, signals, gain * p[f"{prefix}{name}_weight"], gain * p[f"{prefix}{name}_bias"]
        )

    if len(signals) > 1:
        signals = (builder.joined("features", signals),)
    if spec.mode == "pure":
        return _pure(builder, head("ff1"), p[f"{prefix}w_tau"], p[f"{prefix}A"], t)
    f1 = builder.map("tanh", "first", head("ff1"), FRACTION)
    f2 = builder.map("tanh", "second", head("ff2"), FRACTION)
    # The span of t goes into the weights of the head that it multiplies.
    elapsed = builder.binary("mul", "elapsed", head("time_a", float(t.span[0])), t.tensor)
    gate = builder.map(
        "sigmoid", "gate", builder.binary("add", "gate_pre_activation", elapsed, head("time_b")), SHARE
    )
    if spec.mode == "no_gate":
        return builder.binary(
            "add", "state", f1, builder.binary("mul", "second_gated", gate, f2, FRACTION), Range(-2.0, 2.0)
        )
    apart = builder.binary("sub", "apart", f2, f1, Range(-2.0, 2.0))
    return builder.binary(
        "add", "state", f1, builder.binary("mul", "towards", gate, apart, Range(-2.0, 2.0)), FRACTION
    )


def _pure(builder: ProgramBuilder, f1: str, w_tau: Array, end: Array, t: Signal) -> str:
    """The solution itself, without gates: ``A − A·f1·exp(−t·(|w_tau| + |f1|))``."""
    size = builder.map("abs", "size", f1)
    rate = builder.binary("add", "rate", size, builder.constant("w_tau", np.abs(w_tau)))
    elapsed = builder.binary("mul", "elapsed", rate, t.tensor)
    exponent = builder.binary("mul", "exponent", elapsed, builder.constant("minus", -t.span))
    left = builder.binary("mul", "left", builder.map("exp", "decay", exponent, SHARE), f1)
    a = builder.constant("A", end)
    return builder.binary("sub", "state", a, builder.binary("mul", "pulled", left, a))
