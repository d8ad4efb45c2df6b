"""An LTC in unit coordinates, for integers: the fused solver and exponential Euler in one form.

Let ``D`` be a unit of conductance of each neuron, ``r = t·D / (cm·L)``, ``λ = r / (1 + r)``, and ``x`` the
state as a fraction of its proved bounds. Dividing every conductance by ``D`` and shifting every potential
into those coordinates gives, for the fused solver::

    x' = ((1 − λ)·x + λ·n̂) / ((1 − λ) + λ·d̂)      |n̂| ≤ 1,  0 < d̂ ≤ 2,  0 ≤ λ < 1,  |x| ≤ 1

With a ``D`` large enough for every synapse to be active, that holds at any dt and for any input, by proof
and not by measurement: 16-bit integers of scale 2⁻¹⁵ and 2⁻¹⁴ hold all of it, and nothing overflows. A
smaller ``D``, for the greatest sums that were seen, spends the bits better; sums beyond it saturate, as if
the membrane could conduct no more, and the state keeps its bounds all the same. ``d̂`` has twice the room
of ``n̂``: states mostly lie well within their bounds, and then ``n̂`` is the smaller of the two.

Exponential Euler leaves ``a = exp(−y)``, ``y = r·d̂``, of the way to where the state is drawn::

    x' = n̂/d̂ + a·(x − n̂/d̂),      a = (1 − λ)·B(y) / ((1 − λ)·B(y) + λ·d̂)

with Bernoulli's function ``B(y) = y / (exp(y) − 1)``, since ``r·d̂ / B(y) = exp(y) − 1``. Of a slow neuron
``y`` is but a few steps of 2⁻¹⁵, or less, and a table of ``exp(−y)`` would make its pace a matter of
luck. ``B`` is flat there and takes the part of a correction: with ``B = 1`` this is the fused solver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ltc_edge.cells.spec import Solver
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.execute import bernoulli
from ltc_edge.export.integer_pairs import integer_pairs
from ltc_edge.export.lowering.ltc_synapses import SHARE, Constants, sensory, sigmoids
from ltc_edge.export.lowering.rates import Rate, blend_rate
from ltc_edge.export.ltc_bounds import EPSILON
from ltc_edge.export.program import Affine, Array, ProgramBuilder, Range, Signal

LEAST_DENOMINATOR = 2.0**-9
"""Below it, a division of 16-bit fractions loses too much to be worth having."""

DISCOUNT_REACH = 16.0
"""Beyond it Bernoulli's function is 0 to within half a step of 2⁻¹⁵, so its argument may saturate there."""

MOST_PACE = 2.0**10
"""With a greater one, 16 bits would have nothing left for the neurons that are slow."""

LEAST_LEAK = 2.0**-12
"""Four steps of 2⁻¹⁴: less might be rounded to a conductance of nothing."""

FRACTION = Range(-1.0, 1.0)
TWICE = Range(-2.0, 2.0)
CUT_FRACTION = Range(-1.0, 1.0, saturates=True)
CONDUCTANCE = Range(0.0, 2.0)
CUT_CONDUCTANCE = Range(0.0, 2.0, saturates=True)


def unit_ltc(
    builder: ProgramBuilder,
    constants: Constants,
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine,
    conductance: Array,
) -> str:
    """The tensor of the next state in the unit form: see the head of this file.

    Args:
        builder: collects the operations.
        constants: the cell's parameters.
        z: normalised inputs ``(I,)``.
        t: elapsed time ``(1,)``.
        state: the state ``(N,)``.
        unit: coordinates of the next state.
        conductance: the unit of each neuron's conductance, ``(N,)``.

    Raises:
        FormatRefusedError: the solver is explicit, or a step divides by too little or goes too far.
    """
    spec, p = constants.spec, constants.p
    kappa = p["cm"] * spec.unfolds / (conductance * t.span)
    # Potentials as fractions of the bounds, conductances as shares of the greatest; ε pulls towards 0.
    leak_d = (p["gleak"] + EPSILON) / conductance
    leak_n = (p["gleak"] * (p["vleak"] - unit.center) - EPSILON * unit.center) / (unit.span * conductance)
    _refuse_small_denominators(spec.solver, kappa, leak_d, builder.range_of(t.tensor))
    rate = blend_rate(builder, t.tensor, kappa)
    advance: Callable[[ProgramBuilder, Rate, str, str, str], str] = _blended
    if spec.solver == "exponential":
        _refuse_silence(leak_d)
        advance = partial(_relaxed, pace=_pace(builder, t.tensor, kappa))
    with builder.stage("sensory"):
        shares = _shares(builder, constants, "sensory_", unit, conductance)
        active = sensory(builder, constants, z)
        drive_n, drive_d = _sums(builder, active, shares, ("numerator", "denominator"), leak_n, leak_d)
    shares = _shares(builder, constants, "", unit, conductance)
    gather, bias = constants.gather("", spec.units)
    zero = np.zeros(spec.units)
    x = builder.in_coordinates("state_fraction", state, unit)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            s = sigmoids(builder, Signal(x, unit.center, unit.span), gather, bias)
            n, d = _sums(builder, s, shares, ("numerator_sum", "denominator_sum"), zero, zero)
            n = builder.binary("add", "numerator_all", n, drive_n, CUT_FRACTION)
            d = builder.binary("add", "denominator_all", d, drive_d, CUT_CONDUCTANCE)
            x = advance(builder, rate, x, n, d)
    return x


@dataclass(frozen=True, eq=False)
class _Shares:
    """Synapses as a gain each and two matrices of small integers, a step a row.

    A synapse's conductance, in its neuron's unit, is ``gain · σ``; its denominator weight
    and its numerator weight are then integers times the row's step: see `integer_pairs`.
    """

    gain: str
    numerator: Array
    denominator: Array
    numerator_step: Array
    denominator_step: Array


def _shares(
    builder: ProgramBuilder, constants: Constants, prefix: str, unit: Affine, conductance: Array
) -> _Shares:
    numerator, denominator = constants.scatter(prefix, unit.center)
    numerator /= (unit.span * conductance)[:, None]
    denominator /= conductance[:, None]
    _, target = constants.ends(prefix)
    synapse = np.arange(len(target))
    n, d = numerator[target, synapse], denominator[target, synapse]
    gain, n_step, d_step = integer_pairs(n, d, target, constants.spec.units)
    safe = np.where(gain > 0, gain, 1.0)
    numerator[target, synapse] = n / safe
    denominator[target, synapse] = d / safe
    return _Shares(builder.constant(f"{prefix}gain", gain), numerator, denominator, n_step, d_step)


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
            names[1], source, shares.denominator, denominator_bias, CUT_CONDUCTANCE, shares.denominator_step
        ),
    )


def _pace(builder: ProgramBuilder, t: str, kappa: Array) -> str:
    """``r = t / κ``: the decay of a sub-step in a neuron that conducts all it can."""
    known = builder.range_of(t)
    assert known is not None
    fastest = known.high / float(kappa.min())
    if fastest > MOST_PACE:
        neuron = int(kappa.argmin())
        raise FormatRefusedError(
            "ill-conditioned",
            f"neuron {neuron} forgets within {1 / fastest:.2g} of a sub-step at the longest dt, too fast for "
            "16 bits; allow a shorter dt_max or raise its cm or the unfolds",
        )
    with builder.stage("rate"):
        return builder.binary(
            "mul", "pace", t, builder.constant("per_kappa", 1.0 / kappa), Range(0.0, fastest)
        )


def _blended(builder: ProgramBuilder, rate: Rate, x: str, n: str, d: str) -> str:
    """The fused solver's next state, from the sums ``n̂`` and ``d̂``."""
    n = builder.binary("mul", "numerator_gain", rate.moved, n, FRACTION)
    d = builder.binary("mul", "denominator_gain", rate.moved, d, CONDUCTANCE)
    held = builder.binary("mul", "held", rate.kept, x, FRACTION)
    n = builder.binary("add", "numerator", n, held, FRACTION)
    d = builder.binary("add", "denominator", d, rate.kept, CONDUCTANCE)
    return builder.binary("div", "state", n, d, CUT_FRACTION)


def _relaxed(builder: ProgramBuilder, rate: Rate, x: str, n: str, d: str, *, pace: str) -> str:
    """Exponential Euler's next state: ``a`` of the way from where it is drawn to remains."""
    known = builder.range_of(pace)
    assert known is not None
    fastest = known.high * CONDUCTANCE.high
    most = min(fastest, DISCOUNT_REACH)
    decay = builder.binary("mul", "decay", pace, d, Range(0.0, most, saturates=most < fastest))
    discount = builder.map("bernoulli", "discount", decay, SHARE)
    kept = builder.binary("mul", "kept", rate.kept, discount, SHARE)
    gain = builder.binary("mul", "denominator_gain", rate.moved, d, CONDUCTANCE)
    both = builder.binary("add", "denominator", gain, kept, CONDUCTANCE)
    remains = builder.binary("div", "remains", kept, both, SHARE)
    target = builder.binary("div", "target", n, d, CUT_FRACTION)
    distance = builder.binary("sub", "distance", x, target, TWICE)
    apart = builder.binary("mul", "apart", remains, distance, TWICE)
    return builder.binary("add", "state", target, apart, FRACTION)


def _refuse_silence(leak: Array) -> None:
    """A neuron whose synapses are all silent is still divided by its leak."""
    if (leak < LEAST_LEAK).any():
        neuron = int(leak.argmin())
        raise FormatRefusedError(
            "ill-conditioned",
            f"neuron {neuron} leaks {leak.min():.2g} of what it conducts at most, too little for 16 bits to "
            "divide by; raise its gleak or use the fused solver",
        )


def _refuse_small_denominators(solver: Solver, kappa: Array, leak: Array, t: Range | None) -> None:
    """The least denominator, at the longest dt with every synapse silent, must be worth dividing by."""
    assert t is not None
    moved = t.high / (t.high + kappa)
    kept = 1.0 - moved
    if solver == "exponential":
        kept = kept * bernoulli(t.high / kappa * leak)
    least = kept + moved * leak
    if (least < LEAST_DENOMINATOR).any():
        neuron = int(least.argmin())
        raise FormatRefusedError(
            "ill-conditioned",
            f"neuron {neuron} would be divided by {least.min():.2g} at the longest dt, too little for 16 "
            "bits; allow a shorter dt_max or raise its gleak or cm",
        )
