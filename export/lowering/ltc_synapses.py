"""Synapses of an LTC as vector operations: what every solver and both forms begin a sub-step with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.cells.spec import LTCSpec
from ltc_edge.export.program import Array, ProgramBuilder, Range, Signal

SIGMOID_REACH = 16.0
"""Beyond it a sigmoid is 0 or 1 to within half a step of 2⁻¹⁵, so pre-activations may saturate there."""

SHARE = Range(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Constants:
    """Parameters with the positivity map applied, and the two ends of each synapse."""

    spec: LTCSpec
    p: Mapping[str, Array]

    def ends(self, prefix: str) -> tuple[np.ndarray, np.ndarray]:
        """Source and target of each synapse, ``(S,)`` each."""
        synapses = self.spec.wiring.sensory_synapses if prefix else self.spec.wiring.synapses
        return synapses[:, 0], synapses[:, 1]

    def gather(self, prefix: str, sources: int) -> tuple[Array, Array]:
        """Pre-activations as a dense map of the sources: weight ``(S, sources)``, bias ``(S,)``."""
        source, _ = self.ends(prefix)
        sigma, mu = self.p[f"{prefix}sigma"], self.p[f"{prefix}mu"]
        weight = np.zeros((len(source), sources))
        weight[np.arange(len(source)), source] = sigma
        return weight, -sigma * mu

    def scatter(self, prefix: str, center: Array | float = 0.0) -> tuple[Array, Array]:
        """Numerator and denominator sums, ``(N, S)`` each, with potentials measured from ``center``."""
        _, target = self.ends(prefix)
        w, erev = self.p[f"{prefix}w"], self.p[f"{prefix}erev"]
        numerator, denominator = np.zeros((2, self.spec.units, len(target)))
        synapse = np.arange(len(target))
        numerator[target, synapse] = w * (erev - np.broadcast_to(center, self.spec.units)[target])
        denominator[target, synapse] = w
        return numerator, denominator


def sensory(builder: ProgramBuilder, constants: Constants, z: Signal) -> Signal:
    """Sigmoids of the sensory synapses; the cell's affine map of its inputs goes into their weights."""
    p, inputs = constants.p, constants.spec.inputs
    gain, shift = p.get("input_w", np.ones(inputs)), p.get("input_b", np.zeros(inputs))
    x = Signal(z.tensor, gain * z.center + shift, gain * z.span)
    weight, bias = constants.gather("sensory_", inputs)
    return sigmoids(builder, x, weight, bias)


def sigmoids(builder: ProgramBuilder, source: Signal, weight: Array, bias: Array) -> Signal:
    """Sigmoids ``(S,)`` of the pre-activations ``weight @ source + bias``."""
    a = builder.dense("pre_activation", source, weight, bias)
    reach = _reach(builder, source, weight, bias)
    if reach is not None:
        builder.prove(a, Range(-min(reach, SIGMOID_REACH), min(reach, SIGMOID_REACH), saturates=True))
    return Signal.natural(builder.map("sigmoid", "activation", a, SHARE), len(bias))


def _reach(builder: ProgramBuilder, source: Signal, weight: Array, bias: Array) -> float | None:
    """Greatest magnitude of ``weight @ source + bias`` over the source's proved range."""
    known = builder.range_of(source.tensor)
    if known is None or len(bias) == 0:
        return None
    middle = np.abs(bias + weight @ source.center)
    return float((middle + np.abs(weight * source.span).sum(axis=1) * known.magnitude).max())
