"""A step of an LTC over boxes. MATH: Hasani et al., AAAI 2021, arXiv 2006.04439.

The potential that a neuron is drawn to is N/D with N = Σ g e, D = Σ g, and all conductances g stand in both.
So for any number q, such as N/D at the centre of the box, N/D = q + Σ g (e − q) / D is used: what remains of
the fraction is small, and so is what is lost by taking its two halves for independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ltc_edge.cells.spec import LTCSpec
from ltc_edge.evaluation.lipschitz.balls import ROUNDING, Array, Ball
from ltc_edge.evaluation.lipschitz.functions import EXPM1, LOGISTIC
from ltc_edge.evaluation.lipschitz.jets import Jet, one_after_another
from ltc_edge.export.ltc_bounds import EPSILON, effective_parameters

if TYPE_CHECKING:
    from ltc_edge.evaluation.lipschitz.cells import JetStep


@dataclass(frozen=True, eq=False)
class _Synapses:
    """All synapses into the neurons, sensory ones first: ``conductance`` ``(N, K)``, ``erev`` ``(K,)``."""

    conductance: Array
    erev: Array


def ltc_step(spec: LTCSpec, parameters: Mapping[str, Array]) -> JetStep:
    """One step of the LTC ``spec``, with any of its solvers."""
    p = {name: a.astype(np.float64) for name, a in effective_parameters(spec, parameters).items()}
    sensory, inner = spec.wiring.sensory_synapses, spec.wiring.synapses
    target = np.concatenate([sensory[:, 1], inner[:, 1]])
    conductance = np.zeros((spec.units, len(target)))
    conductance[target, np.arange(len(target))] = np.concatenate([p["sensory_w"], p["w"]])
    synapses = _Synapses(conductance, np.concatenate([p["sensory_erev"], p["erev"]]))
    method = _SOLVERS[spec.solver]

    def activation(prefix: str, source: Jet) -> Jet:
        sigma, mu = p[f"{prefix}sigma"], p[f"{prefix}mu"]
        return source.linear(sigma, -sigma * mu).apply(LOGISTIC)

    def step(x: Jet, v: Jet, timespan: Array) -> tuple[Jet, Jet]:
        if spec.affine:
            x = x.linear(p["input_w"], p["input_b"])
        heard = activation("sensory_", x[sensory[:, 0]])
        h = (timespan / spec.unfolds)[:, None]

        def active(v: Jet) -> Jet:
            return one_after_another([heard, activation("", v[inner[:, 0]])])

        for _ in range(spec.unfolds):
            v = method(p, synapses, active, v, h)
        y = v[slice(spec.outputs)]
        return (y.linear(p["output_w"], p["output_b"]) if spec.affine else y), v

    return step


Parameters = Mapping[str, Array]
Active = Callable[[Jet], Jet]


def _fused(p: Parameters, synapses: _Synapses, active: Active, v: Jet, h: Array) -> Jet:
    s, c = active(v), p["cm"] / h
    towards = _weighted(p, synapses, s, c, _centre(v))
    pull = _pull(p, synapses, s, towards) + v.linear(c, _product(-c, towards))
    total = s.mixed(synapses.conductance, c + p["gleak"] + EPSILON)
    return (pull / total).linear(1.0, Ball.exactly(towards)).refined()


def _exponential(p: Parameters, synapses: _Synapses, active: Active, v: Jet, h: Array) -> Jet:
    s = active(v)
    towards = _weighted(p, synapses, s, np.zeros_like(h), _centre(v))
    total = s.mixed(synapses.conductance, p["gleak"] + EPSILON)
    drawn = (_pull(p, synapses, s, towards) / total).linear(1.0, Ball.exactly(towards)).refined()
    return (v - total.linear(-h / p["cm"]).apply(EXPM1) * (drawn - v)).refined()


def _euler(p: Parameters, synapses: _Synapses, active: Active, v: Jet, h: Array) -> Jet:
    return (v + _derivative(p, synapses, active, v).linear(h)).refined()


def _rk4(p: Parameters, synapses: _Synapses, active: Active, v: Jet, h: Array) -> Jet:
    k1 = _derivative(p, synapses, active, v)
    k2 = _derivative(p, synapses, active, (v + k1.linear(h / 2)).refined())
    k3 = _derivative(p, synapses, active, (v + k2.linear(h / 2)).refined())
    k4 = _derivative(p, synapses, active, (v + k3.linear(h)).refined())
    return (v + (k1 + (k2 + k3).linear(2.0) + k4).linear(h / 6)).refined()


_SOLVERS = {"fused": _fused, "exponential": _exponential, "euler": _euler, "rk4": _rk4}


def _derivative(p: Parameters, synapses: _Synapses, active: Active, v: Jet) -> Jet:
    """dv/dt = (g_leak (v_leak − v) + Σ g (e − v)) / cm."""
    s, around = active(v), _centre(v)
    pull = _pull(p, synapses, s, around, epsilon=0.0)
    total = s.mixed(synapses.conductance, p["gleak"])
    return (pull - total * v.linear(1.0, Ball.exactly(-around))).linear(1.0 / p["cm"])


def _pull(p: Parameters, synapses: _Synapses, s: Jet, towards: Array, epsilon: float = EPSILON) -> Jet:
    """Σ g (e − q) of leak, synapses and epsilon, for ``q = towards`` ``(B, N)``."""
    leak = p["gleak"] * (p["vleak"] - towards) - epsilon * towards
    size = p["gleak"] * (np.abs(p["vleak"]) + np.abs(towards)) + np.abs(towards)
    weights = synapses.conductance * (synapses.erev - towards[:, :, None])
    return s.mixed(weights, Ball(leak, ROUNDING * size))


def _weighted(p: Parameters, synapses: _Synapses, s: Jet, c: Array, v: Array) -> Array:
    """(c v + N) / (c + D) at the centre, ``(B, N)``, for ``v`` there; any number near it serves as well."""
    at = _centre(s)
    n = p["gleak"] * p["vleak"] + at @ (synapses.conductance * synapses.erev).T
    d = p["gleak"] + EPSILON + at @ synapses.conductance.T
    result: Array = (c * v + n) / (c + d)
    return result


def _centre(jet: Jet) -> Array:
    return jet.value.mid if jet.centre is None else jet.centre.value.mid


def _product(one: Array, other: Array) -> Ball:
    return Ball(one * other, ROUNDING * np.abs(one * other))
