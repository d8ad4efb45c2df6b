"""One step of every cell over boxes: the equations of the reference, written with jets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.evaluation.lipschitz.balls import ROUNDING, Array, Ball
from ltc_edge.evaluation.lipschitz.functions import (
    EXPONENTIAL,
    LOGISTIC,
    MAGNITUDE,
    NORMAL,
    RELU,
    TANH,
)
from ltc_edge.evaluation.lipschitz.jets import Jet, one_after_another
from ltc_edge.evaluation.lipschitz.ltc import ltc_step
from ltc_edge.runtimes.reference import softplus

Parameters = Mapping[str, Array]
JetStep = Callable[[Jet, Jet, Array], tuple[Jet, Jet]]
"""(inputs (B, I), state (B, S), timespan (B,)) → (outputs (B, O), next state (B, S))."""


def jet_cell(spec: CellSpec, parameters: Parameters) -> JetStep:
    """One step of the cell ``spec``, with ``parameters`` in float64."""
    if isinstance(spec, MixedMemorySpec):
        return _mixed_memory(spec, parameters)
    if isinstance(spec, LTCSpec):
        return ltc_step(spec, parameters)
    if isinstance(spec, CfCSpec):
        return _cfc(spec, parameters)
    if isinstance(spec, CTRNNSpec):
        return _ctrnn(spec, parameters)
    return _lstm(spec, parameters) if spec.kind == "lstm" else _gru(parameters)


_ACTIVATIONS: dict[str, Callable[[Jet], Jet]] = {
    "lecun_tanh": lambda x: x.linear(0.666).apply(TANH).linear(1.7159),
    "tanh": lambda x: x.apply(TANH),
    "relu": lambda x: x.apply(RELU),
    "silu": lambda x: x * x.apply(LOGISTIC),
    "gelu": lambda x: x * x.apply(NORMAL),
}


def _cfc(spec: CfCSpec, parameters: Parameters) -> JetStep:
    """MATH: Hasani et al., Nature Machine Intelligence 2022, arXiv 2106.13898."""
    layers, activation = spec.layers(), _ACTIVATIONS[spec.activation]

    def head(prefix: str, name: str, z: Jet) -> Jet:
        return z.mixed(parameters[f"{prefix}{name}_weight"], parameters[f"{prefix}{name}_bias"])

    def cell(prefix: str, x: Jet, h: Jet, timespan: Array) -> Jet:
        z, t = one_after_another([x, h]), timespan[:, None]
        for index in range(len(spec.backbone_shapes()) // 2):
            z = activation(head(f"backbone_{index}", "", z)).refined()
        f1 = head(prefix, "ff1", z)
        if spec.mode == "pure":
            a, w_tau = parameters[f"{prefix}A"], parameters[f"{prefix}w_tau"]
            decay = f1.apply(MAGNITUDE).linear(-t, -t * np.abs(w_tau)).apply(EXPONENTIAL)
            return (decay * f1).linear(-a, a).refined()
        f1, f2 = f1.apply(TANH), head(prefix, "ff2", z).apply(TANH)
        g = (head(prefix, "time_a", z).linear(t) + head(prefix, "time_b", z)).apply(LOGISTIC)
        return (f1 + g * (f2 if spec.mode == "no_gate" else f2 - f1)).refined()

    def step(x: Jet, state: Jet, timespan: Array) -> tuple[Jet, Jet]:
        following, start = [], 0
        for index, layer in enumerate(layers):
            own = state[slice(start, start + layer.units)]
            x = cell("" if spec.wiring is None else f"layer_{index}_", x, own, timespan)
            following.append(x)
            start += layer.units
        return x, one_after_another(following)

    return step


def _ctrnn(spec: CTRNNSpec, parameters: Parameters) -> JetStep:
    """MATH: τ dh/dt = −h + tanh(W_in x + W_rec h + b), semi-implicit sub-steps."""
    tau = softplus(parameters["tau"])

    def step(x: Jet, h: Jet, timespan: Array) -> tuple[Jet, Jet]:
        ratio = (timespan / spec.unfolds)[:, None] / tau
        driven = x.mixed(parameters["input_weight"], parameters["bias"])
        for _ in range(spec.unfolds):
            f = (driven + h.mixed(parameters["recurrent_weight"])).apply(TANH)
            h = (h.linear(1.0 / (1.0 + ratio)) + f.linear(ratio / (1.0 + ratio))).refined()
        return h, h

    return step


def _gates(parameters: Parameters, x: Jet, timespan: Array) -> Jet:
    bias, elapsed = parameters["bias_ih"], (timespan - 1.0)[:, None] * parameters["weight_dt"]
    offset = Ball(bias + elapsed, ROUNDING * (np.abs(bias) + np.abs(elapsed)))
    return x.mixed(parameters["weight_ih"], offset)


def _split(gates: Jet, parts: int) -> list[Jet]:
    size = gates.value.mid.shape[1] // parts
    return [gates[slice(index * size, (index + 1) * size)] for index in range(parts)]


def _lstm(spec: GatedSpec, parameters: Parameters) -> JetStep:
    def step(x: Jet, state: Jet, timespan: Array) -> tuple[Jet, Jet]:
        h, c = state[slice(spec.units)], state[slice(spec.units, None)]
        gates = _gates(parameters, x, timespan) + h.mixed(parameters["weight_hh"], parameters["bias_hh"])
        i, f, g, o = _split(gates, 4)
        c = (f.apply(LOGISTIC) * c + i.apply(LOGISTIC) * g.apply(TANH)).refined()
        h = (o.apply(LOGISTIC) * c.apply(TANH)).refined()
        return h, one_after_another([h, c])

    return step


def _gru(parameters: Parameters) -> JetStep:
    def step(x: Jet, h: Jet, timespan: Array) -> tuple[Jet, Jet]:
        r_in, z_in, n_in = _split(_gates(parameters, x, timespan), 3)
        r_rec, z_rec, n_rec = _split(h.mixed(parameters["weight_hh"], parameters["bias_hh"]), 3)
        z = (z_in + z_rec).apply(LOGISTIC)
        n = (n_in + (r_in + r_rec).apply(LOGISTIC) * n_rec).refined().apply(TANH)
        h = (n + z * (h - n)).refined()
        return h, h

    return step


def _mixed_memory(spec: MixedMemorySpec, parameters: Parameters) -> JetStep:
    """MATH: Lechner & Hasani, arXiv 2006.04418; the forget gate has a bias of +1."""
    inner, units = jet_cell(spec.cell, parameters), spec.units

    def step(x: Jet, state: Jet, timespan: Array) -> tuple[Jet, Jet]:
        h, c = state[slice(units)], state[slice(units, None)]
        gates = x.mixed(parameters["memory_input_weight"], parameters["memory_bias"])
        g, i, f, o = _split(gates + h.mixed(parameters["memory_recurrent_weight"]), 4)
        kept = f.linear(1.0, np.ones(1)).apply(LOGISTIC)
        c = (c * kept + g.apply(TANH) * i.apply(LOGISTIC)).refined()
        y, h = inner(x, (c.apply(TANH) * o.apply(LOGISTIC)).refined(), timespan)
        return y, one_after_another([h, c])

    return step
