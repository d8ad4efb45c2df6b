"""An LTC as vector operations, in two forms of the same fused solver.

With synapses listed as (source, target), every sub-step starts with ``s = σ(sigma·(v[source] − mu))``.

*Floating* (Hasani et al., AAAI 2021, arXiv 2006.04439), with ``c = cm·L/t`` taken once a step::

    v' = (c·v + n + Σ s·w·erev) / (c + d + Σ s·w)

where ``n``, ``d`` hold the leak and the sensory sums. It has the fewest operations.

*Unit*, for integers. Let ``D`` be the greatest conductance of a neuron, ``λ = t·D / (cm·L + t·D)``, and
``x`` the state as a fraction of its proved bounds. Dividing every conductance by ``D`` and shifting every
potential into those coordinates gives::

    x' = ((1 − λ)·x + λ·n̂) / ((1 − λ) + λ·d̂)      |n̂| ≤ d̂ ≤ 1,  0 ≤ λ < 1,  |x| ≤ 1

With ``D = gleak + Σ w + Σ sensory_w`` every term is a fraction at any dt and for any input, by proof and
not by measurement: 16-bit integers of scale 2⁻¹⁵ hold all of them, and nothing overflows. A smaller
``D``, the greatest that was seen, spends the bits better; a conductance beyond it saturates at 1, as if
the membrane could conduct no more, and the state keeps its bounds all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import IntArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.lowering.rates import blend_rate
from ltc_edge.export.ltc_bounds import EPSILON, effective_parameters
from ltc_edge.export.program import Affine, Array, ProgramBuilder, Range, Signal

SIGMOID_REACH = 16.0
"""Beyond it a sigmoid is 0 or 1 to within half a step of 2⁻¹⁵, so pre-activations may saturate there."""

LEAST_DENOMINATOR = 2.0**-9
"""Below it, a division of 16-bit fractions loses too much to be worth having."""

LEAST_STEPS, MOST_STEPS = 64, 127
"""An 8-bit weight of a denominator has at least as many steps as the first, so that it is precise."""

STRETCHES = 65
"""How many steps are tried for the numerators of a row."""

FRACTION = Range(-1.0, 1.0)
SHARE = Range(0.0, 1.0)
CUT_FRACTION = Range(-1.0, 1.0, saturates=True)
CUT_SHARE = Range(0.0, 1.0, saturates=True)


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
    conductance: Array | None,
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
        conductance: for the unit form, what counts as each neuron's greatest conductance, ``(N,)``.

    Returns:
        The cell's outputs, and the tensor of the next state in the coordinates asked for.

    Raises:
        FormatRefusedError: there is a list of no synapses, or the unit form is asked of an explicit solver
            or divides by too little.
    """
    if not (len(spec.wiring.synapses) and len(spec.wiring.sensory_synapses)):
        raise FormatRefusedError(
            "no-synapses", "an LTC without synapses between its neurons, or from its inputs, has no such form"
        )
    p = effective_parameters(spec, parameters)
    constants = _Constants(spec, p)
    if unit is not None and conductance is not None:
        if spec.solver != "fused":
            raise FormatRefusedError(
                "explicit-solver",
                f"an LTC with the {spec.solver} solver has no bounded integer form; only fused has",
            )
        following = _unit(builder, constants, z, t, state, unit, conductance)
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
    builder: ProgramBuilder,
    constants: _Constants,
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine,
    conductance: Array,
) -> str:
    """The unit form: see the head of this file."""
    spec, p = constants.spec, constants.p
    kappa = p["cm"] * spec.unfolds / (conductance * t.span)
    # Potentials as fractions of the bounds, conductances as shares of the greatest; ε pulls towards 0.
    leak_d = (p["gleak"] + EPSILON) / conductance
    leak_n = (p["gleak"] * (p["vleak"] - unit.center) - EPSILON * unit.center) / (unit.span * conductance)
    _refuse_small_denominators(kappa, leak_d, builder.range_of(t.tensor))
    rate = blend_rate(builder, t.tensor, kappa)
    with builder.stage("sensory"):
        shares = _shares(builder, constants, "sensory_", unit, conductance)
        active = _sensory(builder, constants, z)
        drive_n, drive_d = _sums(builder, active, shares, ("numerator", "denominator"), leak_n, leak_d)
    shares = _shares(builder, constants, "", unit, conductance)
    gather, bias = constants.gather("", spec.units)
    zero = np.zeros(spec.units)
    x = builder.in_coordinates("state_fraction", state, unit)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            s = _sigmoids(builder, Signal(x, unit.center, unit.span), gather, bias)
            n, d = _sums(builder, s, shares, ("numerator_sum", "denominator_sum"), zero, zero)
            n = builder.binary("add", "numerator_all", n, drive_n, CUT_FRACTION)
            d = builder.binary("add", "denominator_all", d, drive_d, CUT_SHARE)
            n = builder.binary("mul", "numerator_gain", rate.moved, n, FRACTION)
            d = builder.binary("mul", "denominator_gain", rate.moved, d, SHARE)
            held = builder.binary("mul", "held", rate.kept, x, FRACTION)
            n = builder.binary("add", "numerator", n, held, FRACTION)
            d = builder.binary("add", "denominator", d, rate.kept, SHARE)
            x = builder.binary("div", "state", n, d, CUT_FRACTION)
    return x


@dataclass(frozen=True, eq=False)
class _Shares:
    """Synapses as a gain each and two matrices of small integers, a step a row.

    A synapse's conductance, as a share of its neuron's greatest, is ``gain · σ``; its denominator weight
    and its numerator weight are then integers times the row's step: see `_integer_pairs`.
    """

    gain: str
    numerator: Array
    denominator: Array
    numerator_step: Array
    denominator_step: Array


def _shares(
    builder: ProgramBuilder, constants: _Constants, prefix: str, unit: Affine, conductance: Array
) -> _Shares:
    numerator, denominator = constants.scatter(prefix, unit.center)
    numerator /= (unit.span * conductance)[:, None]
    denominator /= conductance[:, None]
    _, target = constants.ends(prefix)
    synapse = np.arange(len(target))
    n, d = numerator[target, synapse], denominator[target, synapse]
    gain, n_step, d_step = _integer_pairs(n, d, target, constants.spec.units)
    safe = np.where(gain > 0, gain, 1.0)
    numerator[target, synapse] = n / safe
    denominator[target, synapse] = d / safe
    return _Shares(builder.constant(f"{prefix}gain", gain), numerator, denominator, n_step, d_step)


def _integer_pairs(n: Array, d: Array, target: IntArray, units: int) -> tuple[Array, Array, Array]:
    """A gain for each synapse that makes both of its weights nearly whole multiples of their row's step.

    With 8-bit weights alone, a numerator ``d·e`` and a denominator ``d`` are each off by up to half a
    step, and their quotient, the potential ``e``, with them. One 16-bit gain a synapse is free: it can
    make ``d / gain`` exactly ``q`` steps for any whole ``q``, and among the ``q`` from 64 to 127 there is
    one for which ``e·q`` is very nearly whole too.

    Args:
        n, d: weights, ``(S,)``, with ``|n| ≤ d``.
        target: row of each, ``(S,)``.
        units: number of rows.

    Returns:
        Gains in (0, 1], or 0 where a synapse conducts nothing, ``(S,)``; steps of the numerator's and the
        denominator's rows, ``(units,)``.
    """
    greatest, reach = np.zeros((2, units))
    np.maximum.at(greatest, target, d)
    potential = np.divide(n, d, out=np.zeros_like(n), where=d > 0)
    np.maximum.at(reach, target, np.abs(potential))
    reach[reach == 0] = 1.0
    steps = np.arange(LEAST_STEPS, MOST_STEPS + 1)
    chosen = np.full(len(n), MOST_STEPS)
    n_step = reach.copy()
    least = np.full(units, np.inf)
    for stretch in np.linspace(1.0, 2.0, STRETCHES):
        # A row's own step is free as well: take the one that serves its heavier synapses best.
        wanted = potential[:, None] / (stretch * reach[target, None]) * steps
        off = np.abs(wanted - np.rint(wanted)) / steps
        best = off.argmin(axis=1)
        error = np.zeros(units)
        np.add.at(error, target, (d * stretch * off[np.arange(len(n)), best]) ** 2)
        better = error < least
        least = np.where(better, error, least)
        n_step = np.where(better, stretch * reach, n_step)
        chosen = np.where(better[target], steps[best], chosen)
    d_step = np.where(greatest > 0, greatest, 1.0) / LEAST_STEPS
    return d / (d_step[target] * chosen), d_step * n_step, d_step


def _sums(
    builder: ProgramBuilder,
    sigmoids: Signal,
    shares: _Shares,
    names: tuple[str, str],
    numerator_bias: Array,
    denominator_bias: Array,
) -> tuple[str, str]:
    """Numerator and denominator over the synapses, ``(N,)`` each; they saturate where the membrane does."""
    conductance = builder.binary("mul", "conductance", sigmoids.tensor, shares.gain, SHARE)
    source = Signal.natural(conductance, len(sigmoids.span))
    return (
        builder.dense(
            names[0], source, shares.numerator, numerator_bias, CUT_FRACTION, shares.numerator_step
        ),
        builder.dense(
            names[1], source, shares.denominator, denominator_bias, CUT_SHARE, shares.denominator_step
        ),
    )


def _refuse_small_denominators(kappa: Array, leak: Array, t: Range | None) -> None:
    """The least denominator, at the longest dt with every synapse silent, must be worth dividing by."""
    assert t is not None
    moved = t.high / (t.high + kappa)
    least = (1.0 - moved) + moved * leak
    if (least < LEAST_DENOMINATOR).any():
        neuron = int(least.argmin())
        raise FormatRefusedError(
            "ill-conditioned",
            f"neuron {neuron} would be divided by {least.min():.2g} at the longest dt, too little for 16 "
            "bits; allow a shorter dt_max or raise its gleak or cm",
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
