"""Whether two states that are near each other come closer at every step, whatever the readings they share.

A step contracts where its Jacobian by the state, ``J``, has ‖T J T⁻¹‖ < 1 in some norm with weights ``T``
that are the same everywhere (Lohmiller & Slotine, "On contraction analysis for non-linear systems",
Automatica 1998). Then a disturbed state forgets its disturbance by that rate a step, and two controllers that
see the same readings end up in the same state. Weights are sought by heuristics; what they give is bounded
rigorously.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CTRNNSpec, LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.lipschitz.balls import Array, Ball, matrix_product
from ltc_edge.evaluation.lipschitz.bracket import MOST_PAIRS, box_of, chunk_of
from ltc_edge.evaluation.lipschitz.jets import start
from ltc_edge.evaluation.lipschitz.norms import SLACK, spectral_above
from ltc_edge.evaluation.lipschitz.rollout import JetController, Steps
from ltc_edge.export.ltc_bounds import EPSILON, StateBounds, effective_parameters, state_bounds
from ltc_edge.runtimes.reference import sigmoid, softplus

FLOOR = 1e-6
"""Least share of the greatest weight that a weight may have: one that nothing reads needs next to none."""

DESCENT_ROUNDS, FIRST_STEP, SHARPNESS = 300, 0.3, 30.0
"""Of the search for weights: steps, the first one's size, and how much the worst Jacobians count for more."""


@dataclass(frozen=True)
class Contraction:
    """What is known of the rate.

    Attributes:
        bound: no two states come together more slowly than by this factor a step, in the norm.
        norm: which one, in words.
        spectral_radius: the greatest of the Jacobians at the centres of the boxes; where it is 1 or more, no
            norm can make ``bound`` less than 1. None where no box was looked at.
    """

    bound: float
    norm: str
    spectral_radius: float | None

    @property
    def certified(self) -> bool:
        """Whether every step contracts."""
        return self.bound < 1.0


def contraction_near(
    controller: Controller, steps: Steps, radius: float, state_radius: FloatArray
) -> Contraction:
    """The rate over boxes around visited steps; two states must lie in one of them.

    Args:
        controller: any controller.
        steps: the centres, of one step each.
        radius: half the width of the boxes in each reading, normalised.
        state_radius: in each number of the cell's state, ``(S,)``, in its units.
    """
    jacobian, at = _jacobians(controller, steps, radius, state_radius)
    if not np.isfinite(jacobian.mid + jacobian.rad).all():
        return Contraction(np.inf, "none", None)
    spectral = float(np.abs(np.linalg.eigvals(at)).max())
    greatest = jacobian.magnitude.max(axis=0)
    found = []
    right, left = _perron(greatest), _perron(greatest.T)
    found.append((_row_sums(greatest, right), "greatest weighted change of a neuron"))
    found.append((_row_sums(greatest.T, left), "sum of weighted changes of all neurons"))
    diagonal = np.diag(np.sqrt(left / right))
    found.append((_spectral(jacobian, diagonal), "root of the sum of weighted squares"))
    starts = [begun for begun in (diagonal, _ellipsoid(at)) if begun is not None]
    found += [(_spectral(jacobian, _descended(at, begun)), "an ellipsoid's") for begun in starts]
    bound, norm = min(found)
    return Contraction(bound, norm, spectral)


def _jacobians(
    controller: Controller, steps: Steps, radius: float, state_radius: FloatArray
) -> tuple[Ball, Array]:
    """∂state'/∂state over all boxes, ``(B, S, S)``, and at their centres."""
    directions, spans = box_of(steps, radius, state_radius, held=False)
    own = np.arange(len(spans) - steps.state.shape[1], len(spans))
    pairs = len(spans) * (len(spans) + 1) // 2
    second = np.arange(len(spans)) if pairs <= MOST_PAIRS else own[:0]
    equations, base = JetController(controller), steps.point
    chunk = chunk_of(controller, len(spans) + (pairs if len(second) else 0))
    mids, rads, centres = [], [], []
    with np.errstate(all="ignore"):
        for first in range(0, len(base), chunk):
            some = slice(first, first + chunk)
            half = np.tile(spans, (len(base[some]), 1))
            state = equations.run(start(base[some], half, directions, second), steps.dt_s[some])[1]
            mids.append(state.slope.mid[:, :, own])
            rads.append(state.slope.rad[:, :, own])
            assert state.centre is not None
            centres.append(state.centre.slope.mid[:, :, own])
    return Ball(np.concatenate(mids), np.concatenate(rads)), np.concatenate(centres)


def contraction_everywhere(controller: Controller) -> Contraction | str:
    """The rate over all states proved possible, all inputs, and all times allowed; or why there is none.

    For an LTC with the fused solver, a sub-step's |∂v'_i/∂v_j| ≤ (c δ_ij + a_ij) / (c + g_i), with the least
    conductance g_i, c = cm·L/dt, and a_ij = w s' |sigma| |erev − v'| at its greatest (MATH, provable 3). For
    a CT-RNN it is (δ_ij + r_i |W_ij|) / (1 + r_i) with r = dt/(L τ), because tanh' ≤ 1.
    """
    spec = controller.cell
    if isinstance(spec, LTCSpec) and spec.solver == "fused":
        pull, held, capacity = _ltc_everywhere(controller, spec)
    elif isinstance(spec, CTRNNSpec):
        weights = np.abs(controller.parameters["recurrent_weight"].astype(np.float64))
        pull, held = weights, np.ones(spec.units)
        capacity = softplus(controller.parameters["tau"].astype(np.float64))
    else:
        return "shown for an LTC with the fused solver and for a CT-RNN alone"
    weight = _perron(pull / held[:, None])
    timing = controller.timing
    worst = 0.0
    for dt_s in (timing.dt_min_s, timing.dt_max_s):
        # The rate of each neuron is monotone in c, so that the ends of its range have the greatest.
        c = capacity * spec.unfolds * timing.time_unit_s / dt_s
        rates = (c + pull @ weight / weight) / (c + held)
        worst = max(worst, float(rates.max()) * (1.0 + SLACK))
    return Contraction(worst**spec.unfolds, "greatest weighted change of a neuron", None)


def _ltc_everywhere(controller: Controller, spec: LTCSpec) -> tuple[Array, Array, Array]:
    """``a`` ``(N, N)``, ``g`` ``(N,)`` and the capacities ``(N,)``."""
    parameters = {name: a.astype(np.float64) for name, a in controller.parameters.items()}
    first = controller.initial_state.astype(np.float64)
    bounds = state_bounds(spec, parameters, StateBounds(first, first))
    p = effective_parameters(spec, parameters)
    source, target = spec.wiring.synapses.T
    ends = [p["sigma"] * (end[source] - p["mu"]) for end in (bounds.low, bounds.high)]
    low, high = np.minimum(*ends), np.maximum(*ends)
    steepest = sigmoid(np.clip(0.0, low, high))
    steepness = steepest * (1.0 - steepest) * (1.0 + SLACK)
    distance = np.maximum(np.abs(p["erev"] - bounds.low[target]), np.abs(p["erev"] - bounds.high[target]))
    pull = np.zeros((spec.units, spec.units))
    np.add.at(pull, (target, source), p["w"] * steepness * np.abs(p["sigma"]) * distance * (1.0 + SLACK))
    held = p["gleak"] + EPSILON
    np.add.at(held, target, p["w"] * sigmoid(low) * (1.0 - SLACK))
    return pull, np.asarray(held, dtype=np.float64), np.asarray(p["cm"], dtype=np.float64)


def _perron(matrix: Array) -> Array:
    """The eigenvector of the greatest eigenvalue of a matrix that is not negative, about so; all positive."""
    vector = np.ones(len(matrix))
    lift = FLOOR * max(float(matrix.max()), 1e-12)
    for _ in range(200):
        vector = matrix @ vector + lift * vector.sum()
        vector = vector / vector.max()
    result: Array = np.maximum(vector, FLOOR)
    return result


def _row_sums(matrix: Array, weight: Array) -> float:
    return float((matrix @ weight / weight).max()) * (1.0 + SLACK)


def _spectral(jacobian: Ball, weights: Array) -> float:
    """At least ‖T J T⁻¹‖₂ of every box, for weights ``T`` ``(S, S)``."""
    inverse: Array = np.asarray(np.linalg.inv(weights), dtype=np.float64)
    # T S = 1 + E, so that T⁻¹ = S (1 + E)⁻¹, of norm 1/(1 − ‖E‖) at most.
    product = matrix_product(weights, Ball.exactly(inverse))
    off = float(np.sqrt(((np.abs(product.mid - np.eye(len(weights))) + product.rad) ** 2).sum()))
    if not off < 0.5:
        return np.inf
    transposed = matrix_product(inverse.T, _transposed(matrix_product(weights, jacobian)))
    return float(spectral_above(_transposed(transposed)).max()) / (1.0 - off) * (1.0 + SLACK)


def _transposed(ball: Ball) -> Ball:
    return Ball(ball.mid.swapaxes(-1, -2), ball.rad.swapaxes(-1, -2))


def _descended(at: Array, weights: Array) -> Array:
    """Weights with a lesser greatest ‖T J T⁻¹‖₂ over all ``J`` of ``at``, by descent from ``weights``.

    For M = T J T⁻¹ of norm σ with M v = σ u, replacing T by (1 + X) T changes log σ by uᵀX u − vᵀX v.
    """
    best, least = weights, np.inf
    for round_ in range(DESCENT_ROUNDS):
        u, s, v = np.linalg.svd(weights @ at @ np.linalg.inv(weights))
        sigma, u, v = s[:, 0], u[:, :, 0], v[:, 0, :]
        if sigma.max() < least:
            best, least = weights, float(sigma.max())
        share = np.exp(SHARPNESS * (sigma / sigma.max() - 1.0))
        share = share / share.sum()
        gradient = (share[:, None] * u).T @ u - (share[:, None] * v).T @ v
        step = FIRST_STEP / (1.0 + 10.0 * round_ / DESCENT_ROUNDS)
        weights = weights - step * gradient @ weights
    return best


def _ellipsoid(at: Array) -> Array | None:
    """``T`` with TᵀT = P and P − JᵀPJ positive for the mean Jacobian ``J``; None where it is unstable."""
    mean = at.mean(axis=0)
    radius = float(np.abs(np.linalg.eigvals(mean)).max())
    if not radius < 1.0:
        return None
    scaled = mean / np.sqrt(radius + 1e-3) if radius > 0 else mean
    p, power = np.eye(len(mean)), scaled
    # Σ (Jᵀ)ᵏ Jᵏ by doubling, of the matrix scaled so that its slowest direction counts most.
    for _ in range(12):
        p = p + power.T @ p @ power
        power = power @ power
    if not np.isfinite(p).all():
        return None
    result: Array = np.linalg.cholesky(p / np.abs(p).max() + 1e-12 * np.eye(len(p))).T
    return result
