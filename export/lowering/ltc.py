"""An LTC as vector operations, in two forms of the same fused solver.

With synapses listed as (source, target), every sub-step starts with ``s = σ(sigma·(v[source] − mu))``.

*Floating* (Hasani et al., AAAI 2021, arXiv 2006.04439), with ``c = cm·L/t`` taken once a step::

    v' = (c·v + n + Σ s·w·erev) / (c + d + Σ s·w)

where ``n``, ``d`` hold the leak and the sensory sums. It has the fewest operations.

*Unit*, for integers. Let ``D = gleak + Σ w + Σ sensory_w`` be the greatest conductance a neuron can have,
``λ = t·D / (cm·L + t·D)``, and ``x`` the state as a fraction of its proved bounds. Dividing every
conductance by ``D`` and shifting every potential into those coordinates gives::

    x' = ((1 − λ)·x + λ·n̂) / ((1 − λ) + λ·d̂)      |n̂| ≤ d̂ ≤ 1,  0 ≤ λ < 1,  |x| ≤ 1

Every term is a fraction, at any dt and for any input, by proof and not by measurement: 16-bit integers
of scale 2⁻¹⁵ hold all of them, and nothing overflows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.cells.spec import LTCSpec
from ltc_edge.errors import InputError
from ltc_edge.export.lowering.rates import blend_rate
from ltc_edge.export.program import Affine, Array, ProgramBuilder, Range, Signal

EPSILON = 1e-8
"""Of the fused solver's denominator: a conductance towards zero, and part of a trained model."""

SIGMOID_REACH = 16.0
"""Beyond it a sigmoid is 0 or 1 to within half a step of 2⁻¹⁵, so pre-activations may saturate there."""

LEAST_DENOMINATOR = 2.0**-9
"""Below it, a division of 16-bit fractions loses too much to be worth having."""

FRACTION = Range(-1.0, 1.0)
SHARE = Range(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class _Constants:
    """Parameters with the positivity map applied, and the two ends of each synapse."""

    spec: LTCSpec
    p: Mapping[str, Array]

    def ends(self, prefix: str) -> tuple[np.ndarray, np.ndarray]:
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


def lower_ltc(
    builder: ProgramBuilder,
    spec: LTCSpec,
    parameters: Mapping[str, Array],
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine | None,
) -> tuple[Signal, str]:
    """One step of an LTC.

    Args:
        builder: collects the operations.
        spec: the cell.
        parameters: its parameters, in float64.
        z: normalised inputs ``(I,)``.
        t: elapsed time in the cell's units ``(1,)``.
        state: the state ``(N,)``.
        unit: coordinates of the next state for the unit form, or None for the floating form.

    Returns:
        The cell's outputs, and the tensor of the next state in the coordinates asked for.

    Raises:
        InputError: the unit form is asked of an explicit solver, or divides by too little.
    """
    p = _effective(spec, parameters)
    constants = _Constants(spec, p)
    if unit is not None:
        following = _unit(builder, constants, z, t, state, unit)
    elif spec.solver == "fused":
        following = _floating(builder, constants, z, t, state)
    else:
        following = _explicit(builder, constants, z, t, state)
    center, span = (np.zeros(spec.units), np.ones(spec.units)) if unit is None else (unit.center, unit.span)
    with builder.stage("output"):
        motor = (
            following if spec.outputs == spec.units else builder.slice("motor", following, 0, spec.outputs)
        )
    gain, shift = p.get("output_w", np.ones(spec.outputs)), p.get("output_b", np.zeros(spec.outputs))
    outputs = Signal(motor, gain * center[: spec.outputs] + shift, gain * span[: spec.outputs])
    return outputs, following


def _effective(spec: LTCSpec, parameters: Mapping[str, Array]) -> dict[str, Array]:
    p = dict(parameters)
    if spec.positivity == "softplus":
        for name in ("w", "sensory_w", "cm", "gleak"):
            p[name] = np.logaddexp(0.0, p[name])
    return p


def _sensory(builder: ProgramBuilder, constants: _Constants, z: Signal) -> Signal:
    """Sigmoids of the sensory synapses; the cell's affine map of its inputs goes into their weights."""
    p, inputs = constants.p, constants.spec.inputs
    gain, shift = p.get("input_w", np.ones(inputs)), p.get("input_b", np.zeros(inputs))
    x = Signal(z.tensor, gain * z.center + shift, gain * z.span)
    weight, bias = constants.gather("sensory_", inputs)
    return _sigmoids(builder, x, weight, bias)


def _sigmoids(builder: ProgramBuilder, source: Signal, weight: Array, bias: Array) -> Signal:
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


def _floating(builder: ProgramBuilder, constants: _Constants, z: Signal, t: Signal, v: Signal) -> str:
    spec, p = constants.spec, constants.p
    with builder.stage("sensory"):
        active = _sensory(builder, constants, z)
        numerator, denominator = constants.scatter("sensory_")
        numerator_in = builder.dense("numerator", active, numerator, p["gleak"] * p["vleak"])
        denominator_in = builder.dense("denominator", active, denominator, p["gleak"] + EPSILON)
    with builder.stage("charge"):
        assert (t.center == 0.0).all()
        charge = builder.constant("cm_unfolds", p["cm"] * spec.unfolds / t.span)
        c = builder.binary("div", "c", charge, t.tensor)
        denominator_in = builder.binary("add", "denominator", denominator_in, c)
    gather, bias = constants.gather("", spec.units)
    numerator, denominator = constants.scatter("")
    zero = np.zeros(spec.units)
    state = builder.natural(v)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            held = builder.binary("add", "held", builder.binary("mul", "charge", c, state), numerator_in)
            s = _sigmoids(builder, Signal.natural(state, spec.units), gather, bias)
            n = builder.dense("numerator_sum", s, numerator, zero)
            d = builder.dense("denominator_sum", s, denominator, zero)
            n = builder.binary("add", "numerator", n, held)
            d = builder.binary("add", "denominator", d, denominator_in)
            state = builder.binary("div", "state", n, d)
    return state


def _unit(
    builder: ProgramBuilder, constants: _Constants, z: Signal, t: Signal, state: Signal, unit: Affine
) -> str:
    spec, p = constants.spec, constants.p
    if spec.solver != "fused":
        raise InputError(
            f"an LTC with the {spec.solver} solver has no bounded integer form; train with --solver fused"
        )
    greatest = p["gleak"] + EPSILON
    for prefix in ("", "sensory_"):
        np.add.at(greatest, constants.ends(prefix)[1], p[f"{prefix}w"])
    kappa = p["cm"] * spec.unfolds / (greatest * t.span)
    _refuse_small_denominators(kappa, (p["gleak"] + EPSILON) / greatest, builder.range_of(t.tensor))
    rate = blend_rate(builder, t.tensor, kappa)
    # Potentials as fractions of the bounds, conductances as shares of the greatest; ε pulls towards 0.
    scale = 1.0 / (unit.span * greatest)
    leak = (p["gleak"] * (p["vleak"] - unit.center) - EPSILON * unit.center) * scale
    with builder.stage("sensory"):
        active = _sensory(builder, constants, z)
        numerator, denominator = constants.scatter("sensory_", unit.center)
        drive_n = builder.dense("numerator", active, numerator * scale[:, None], leak, FRACTION)
        drive_d = builder.dense(
            "denominator", active, denominator / greatest[:, None], (p["gleak"] + EPSILON) / greatest, SHARE
        )
    gather, bias = constants.gather("", spec.units)
    numerator, denominator = constants.scatter("", unit.center)
    numerator, denominator = numerator * scale[:, None], denominator / greatest[:, None]
    zero = np.zeros(spec.units)
    x = builder.in_coordinates("state_fraction", state, unit, FRACTION)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            s = _sigmoids(builder, Signal(x, unit.center, unit.span), gather, bias)
            n = builder.dense("numerator_sum", s, numerator, zero, FRACTION)
            d = builder.dense("denominator_sum", s, denominator, zero, SHARE)
            n = builder.binary("add", "numerator_all", n, drive_n, FRACTION)
            d = builder.binary("add", "denominator_all", d, drive_d, SHARE)
            n = builder.binary("mul", "numerator_gain", rate.moved, n, FRACTION)
            d = builder.binary("mul", "denominator_gain", rate.moved, d, SHARE)
            held = builder.binary("mul", "held", rate.kept, x, FRACTION)
            n = builder.binary("add", "numerator", n, held, FRACTION)
            d = builder.binary("add", "denominator", d, rate.kept, SHARE)
            x = builder.binary("div", "state", n, d, FRACTION)
    return x


def _refuse_small_denominators(kappa: Array, leak: Array, t: Range | None) -> None:
    """The least denominator, at the longest dt with every synapse silent, must be worth dividing by."""
    assert t is not None
    moved = t.high / (t.high + kappa)
    least = (1.0 - moved) + moved * leak
    if (least < LEAST_DENOMINATOR).any():
        neuron = int(least.argmin())
        raise InputError(
            f"neuron {neuron} would be divided by {least.min():.2g} at the longest dt, too little for 16 "
            "bits; allow a shorter dt_max or raise its gleak or cm"
        )


def _explicit(builder: ProgramBuilder, constants: _Constants, z: Signal, t: Signal, v: Signal) -> str:
    """Explicit Euler and the classical Runge-Kutta method of fourth order."""
    spec, p = constants.spec, constants.p
    with builder.stage("sensory"):
        active = _sensory(builder, constants, z)
        numerator, denominator = constants.scatter("sensory_")
        numerator_in = builder.dense("numerator", active, numerator, p["gleak"] * p["vleak"])
        denominator_in = builder.dense("denominator", active, denominator, p["gleak"])
    h = builder.binary("mul", "h", t.tensor, builder.constant("per_cm", t.span / (spec.unfolds * p["cm"])))
    gather, bias = constants.gather("", spec.units)
    numerator, denominator = constants.scatter("")
    zero = np.zeros(spec.units)

    def slope(name: str, state: str) -> str:
        """h·dv/dt."""
        with builder.stage(name):
            s = _sigmoids(builder, Signal.natural(state, spec.units), gather, bias)
            n = builder.binary("add", "numerator", builder.dense("n", s, numerator, zero), numerator_in)
            d = builder.binary("add", "denominator", builder.dense("d", s, denominator, zero), denominator_in)
            current = builder.binary("sub", "current", n, builder.binary("mul", "leak", d, state))
            return builder.binary("mul", "change", h, current)

    state = builder.natural(v)
    half, sixth = builder.constant("half", np.full(1, 0.5)), builder.constant("sixth", np.full(1, 1 / 6))
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            k1 = slope("k1", state)
            if spec.solver == "euler":
                state = builder.binary("add", "state", state, k1)
                continue
            k2 = slope("k2", builder.binary("add", "v2", state, builder.binary("mul", "half_k1", k1, half)))
            k3 = slope("k3", builder.binary("add", "v3", state, builder.binary("mul", "half_k2", k2, half)))
            k4 = slope("k4", builder.binary("add", "v4", state, k3))
            inner = builder.binary("add", "inner", k2, k3)
            total = builder.binary(
                "add",
                "outer",
                builder.binary("add", "ends", k1, k4),
                builder.binary("add", "twice", inner, inner),
            )
            state = builder.binary("add", "state", state, builder.binary("mul", "sixth_part", total, sixth))
    return state
