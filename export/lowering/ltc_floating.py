"""An LTC in natural units, for floating point: each solver with the fewest operations.

With ``n``, ``d`` the sums of a sub-step, which hold the leak and the sensory sums of the whole step, and
``h = t / L``, a sub-step is::

    fused          v' = (c·v + n) / (c + d),  c = cm / h taken once a step
    exponential    v' = n/d + exp(−h·d / cm)·(v − n/d)

Sources: Hasani et al., AAAI 2021, arXiv 2006.04439; Hochbruck and Ostermann, "Exponential integrators",
Acta Numerica 19 (2010), for the exponential Euler method; the classical Runge-Kutta method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.cells.spec import BOUNDED_SOLVERS, Solver
from ltc_edge.export.lowering.ltc_synapses import Constants, sensory, sigmoids
from ltc_edge.export.ltc_bounds import EPSILON
from ltc_edge.export.program import ProgramBuilder, Signal


@dataclass(frozen=True)
class _Drive:
    """Tensors that do not change within a step: leak and sensory sums, and the elapsed time."""

    numerator: str
    denominator: str
    t: Signal


def floating_ltc(builder: ProgramBuilder, constants: Constants, z: Signal, t: Signal, v: Signal) -> str:
    """The tensor of the next state, by the solver of the spec."""
    p, solver = constants.p, constants.spec.solver
    # An explicit solver has no denominator, so nothing that keeps it from zero.
    epsilon = EPSILON if solver in BOUNDED_SOLVERS else 0.0
    with builder.stage("sensory"):
        active = sensory(builder, constants, z)
        numerator, denominator = constants.scatter("sensory_")
        drive = _Drive(
            builder.dense("numerator", active, numerator, p["gleak"] * p["vleak"]),
            builder.dense("denominator", active, denominator, p["gleak"] + epsilon),
            t,
        )
    return _SOLVERS[solver](builder, constants, drive, builder.natural(v))


def _sums(builder: ProgramBuilder, constants: Constants, state: str) -> tuple[str, str]:
    """Numerator and denominator over the synapses between neurons, ``(N,)`` each."""
    units = constants.spec.units
    gather, bias = constants.gather("", units)
    numerator, denominator = constants.scatter("")
    s = sigmoids(builder, Signal.natural(state, units), gather, bias)
    zero = np.zeros(units)
    return (
        builder.dense("numerator_sum", s, numerator, zero),
        builder.dense("denominator_sum", s, denominator, zero),
    )


def _fused(builder: ProgramBuilder, constants: Constants, drive: _Drive, state: str) -> str:
    spec, p, t = constants.spec, constants.p, drive.t
    with builder.stage("charge"):
        assert (t.center == 0.0).all()
        charge = builder.constant("cm_unfolds", p["cm"] * spec.unfolds / t.span)
        c = builder.binary("div", "c", charge, t.tensor)
        denominator_in = builder.binary("add", "denominator", drive.denominator, c)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            held = builder.binary("add", "held", builder.binary("mul", "charge", c, state), drive.numerator)
            n, d = _sums(builder, constants, state)
            n = builder.binary("add", "numerator", n, held)
            d = builder.binary("add", "denominator", d, denominator_in)
            state = builder.binary("div", "state", n, d)
    return state


def _exponential(builder: ProgramBuilder, constants: Constants, drive: _Drive, state: str) -> str:
    spec, p, t = constants.spec, constants.p, drive.t
    with builder.stage("charge"):
        assert (t.center == 0.0).all()
        back = builder.constant("per_cm", -t.span / (spec.unfolds * p["cm"]))
        h = builder.binary("mul", "backwards", back, t.tensor)
    for index in range(spec.unfolds):
        with builder.stage(f"unfold_{index}"):
            n, d = _sums(builder, constants, state)
            n = builder.binary("add", "numerator", n, drive.numerator)
            d = builder.binary("add", "denominator", d, drive.denominator)
            target = builder.binary("div", "target", n, d)
            kept = builder.map("exp", "kept", builder.binary("mul", "exponent", h, d))
            apart = builder.binary("mul", "apart", kept, builder.binary("sub", "distance", state, target))
            state = builder.binary("add", "state", target, apart)
    return state


def _explicit(builder: ProgramBuilder, constants: Constants, drive: _Drive, state: str) -> str:
    """Explicit Euler and the classical Runge-Kutta method of fourth order."""
    spec, t = constants.spec, drive.t
    per_cm = builder.constant("per_cm", t.span / (spec.unfolds * constants.p["cm"]))
    h = builder.binary("mul", "h", t.tensor, per_cm)

    def slope(name: str, state: str) -> str:
        """h·dv/dt."""
        with builder.stage(name):
            n, d = _sums(builder, constants, state)
            n = builder.binary("add", "numerator", n, drive.numerator)
            d = builder.binary("add", "denominator", d, drive.denominator)
            current = builder.binary("sub", "current", n, builder.binary("mul", "leak", d, state))
            return builder.binary("mul", "change", h, current)

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


_SOLVERS: dict[Solver, Callable[[ProgramBuilder, Constants, _Drive, str], str]] = {
    "fused": _fused,
    "exponential": _exponential,
    "euler": _explicit,
    "rk4": _explicit,
}
