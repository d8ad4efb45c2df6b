"""Brackets of random controllers over random boxes, against differences of the reference in those boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipschitz_bench.networks import random_controller
from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.lipschitz.bracket import lipschitz_brackets, steps_of
from ltc_edge.evaluation.lipschitz.rollout import Steps
from ltc_edge.runtimes.reference import ReferenceBatch

RADII = (0.01, 0.05, 0.2, 1.0)
SAMPLES = 32
"""Pairs of points in each box of which a difference quotient is taken."""

ROUNDING = 1e-12
"""How far a quotient of values of size 1 over a distance of 1 may be off; nearer points are off by more."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Boxes of one network.

    Attributes:
        radius: of the observations, in all boxes.
        upper, lower: the bracket, ``(B,)``.
        sampled: the greatest difference quotient of the reference, less what rounding may add, ``(B,)``.
    """

    radius: float
    upper: FloatArray
    lower: FloatArray
    sampled: FloatArray

    @property
    def violations(self) -> int:
        """Boxes whose upper bound is below a sampled quotient, or below the lower bound."""
        return int((~(self.upper >= np.maximum(self.sampled, self.lower))).sum())


def bracketed(name: str, boxes: int, rng: np.random.Generator) -> Pairs:
    """Brackets of a random controller over ``boxes`` random boxes, of one step or of a few."""
    controller = random_controller(name, rng)
    length = int(rng.choice([1, 1, 1, 1, 2, 3]))
    radius, held = float(rng.choice(RADII)), bool(rng.random() < 0.5)
    steps = _steps(controller, boxes, length, rng)
    beside = radius * rng.uniform(size=steps.state.shape[1]) if rng.random() < 0.5 else None
    found = lipschitz_brackets(
        controller, steps, radius, state_radius=beside, held=held, budget=int(rng.choice([1, 1, 1, 1, 4, 16]))
    )
    quotients = _quotients(controller, steps, radius, beside, rng, held=held)
    return Pairs(radius, found.upper, found.lower, quotients)


def _steps(controller: Controller, boxes: int, length: int, rng: np.random.Generator) -> Steps:
    observation = rng.normal(size=(boxes, length, controller.cell.inputs)) * rng.choice([0.3, 1.0, 3.0])
    dt_s = np.exp(rng.uniform(np.log(0.002), np.log(0.2), size=(boxes, length)))
    state = rng.uniform(-1.0, 1.0, size=(boxes, controller.cell.state_size))
    return steps_of(controller, observation, state, dt_s)


def _quotients(
    controller: Controller,
    steps: Steps,
    radius: float,
    beside: FloatArray | None,
    rng: np.random.Generator,
    *,
    held: bool,
) -> FloatArray:
    """‖u(x) − u(y)‖ / ‖x − y‖ of random x and y in the boxes, near to each other and far."""
    boxes, length, inputs = steps.observation.shape
    shape = (boxes, SAMPLES, 1 if held else length, inputs)
    one = rng.uniform(-1.0, 1.0, size=shape)
    corner = rng.random(shape[:2]) < 0.3
    one[corner] = np.sign(one[corner])
    share = rng.choice([1.0, 0.1, 0.01], size=(boxes, SAMPLES, 1, 1))
    other = np.clip(one + share * rng.uniform(-1.0, 1.0, size=shape), -1.0, 1.0)
    moved = np.zeros((boxes, SAMPLES, steps.state.shape[1]))
    if beside is not None:
        moved = beside * rng.uniform(-1.0, 1.0, size=moved.shape)
    base = steps.observation[:, None]
    ends = []
    for side in (one, other):
        # The points as they are after rounding, of which the change is taken.
        points = np.broadcast_to(base + 0.999999 * radius * side, (boxes, SAMPLES, length, inputs))
        ends.append((points, _played(controller, points, steps.state[:, None] + moved, steps.dt_s)))
    change = (ends[0][0] - ends[1][0])[:, :, : (1 if held else length)].reshape(boxes, SAMPLES, -1)
    distance = np.linalg.norm(change, axis=2)
    gained = np.linalg.norm(ends[0][1] - ends[1][1], axis=2)
    size = 1.0 + np.abs(ends[0][1]).max(axis=2) + (np.abs(base).max() if held else 0.0)
    with np.errstate(all="ignore"):
        quotient = np.where(distance > 0, (gained - ROUNDING * size) / distance, 0.0)
    # An explicit solver that overflows says nothing.
    return np.nan_to_num(quotient, nan=0.0, posinf=0.0).max(axis=1)


def _played(controller: Controller, points: FloatArray, state: FloatArray, dt_s: FloatArray) -> FloatArray:
    """The last actions of the reference, ``(B, P, M)``."""
    boxes, samples, length, inputs = points.shape
    batch = ReferenceBatch(controller)
    batch.state = state.reshape(boxes * samples, -1)
    with np.errstate(all="ignore"):
        for step in range(length):
            seen = points[:, :, step].reshape(-1, inputs)
            action = batch.step(seen, np.repeat(dt_s[:, step], samples))
    return action.reshape(boxes, samples, -1)
