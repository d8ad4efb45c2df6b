"""Brackets of one controller where it goes: over boxes of several radii, of a step and of rollouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.lipschitz.bracket import Brackets, lipschitz_brackets, steps_visited
from ltc_edge.evaluation.lipschitz.rollout import Steps
from ltc_edge.evaluation.visited import Visited

Change = Literal["step", "held", "each"]
"""What is changed: the readings of one step; those of ``k`` steps by one offset; or each by itself."""


@dataclass(frozen=True)
class Box:
    """What the boxes of one row of the survey span.

    Attributes:
        change: see `Change`.
        steps: how many readings in a row.
        radius: how far each reading may be from the visited one, normalised.
        with_state: the cell's state may be elsewhere too, each number by ``radius`` times its standard
            deviation over the visited steps.
    """

    change: Change
    steps: int
    radius: float
    with_state: bool

    @property
    def name(self) -> str:
        """For progress."""
        return f"{self.change} ±{self.radius:g}{' and state' if self.with_state else ''}"


@dataclass(frozen=True, eq=False)
class Surveyed:
    """The brackets over one kind of box around visited steps, and how many boxes reach the input's clip."""

    box: Box
    brackets: Brackets
    clipped: int

    @property
    def upper(self) -> float:
        """Over all boxes."""
        return float(self.brackets.upper.max())

    @property
    def lower(self) -> float:
        """Over all boxes."""
        return float(self.brackets.lower.max())

    @property
    def ratio(self) -> float | None:
        """``upper / lower``; None where it is not finite."""
        found = self.upper / self.lower if self.lower > 0 else (1.0 if self.upper == 0 else np.inf)
        return float(found) if np.isfinite(found) else None


def boxes(radii: Sequence[float], steps: int) -> list[Box]:
    """The rows of a survey."""
    changes: list[tuple[Change, int]] = [("step", 1)]
    if steps > 1:
        changes += [("held", steps), ("each", steps)]
    return [
        Box(change, length, radius, with_state)
        for change, length in changes
        for radius in radii
        for with_state in (False, True)
    ]


def state_spread(controller: Controller, visited: Visited) -> FloatArray:
    """Standard deviation of each number of the cell's state over the visited steps, ``(S,)``."""
    state = visited.state[visited.valid][:, : controller.cell.state_size]
    return np.asarray(state.std(axis=0))


def survey(
    controller: Controller,
    visited: Visited,
    box: Box,
    *,
    points: int,
    budget: int,
    seed: int,
    on_share: Callable[[float], None] = lambda _: None,
) -> Surveyed:
    """Brackets over boxes around at most ``points`` visited steps.

    Raises:
        InputError: no episode is long enough, or the radius is none.
    """
    steps = steps_visited(controller, visited, box.steps, points, seed)
    found = lipschitz_brackets(
        controller,
        steps,
        box.radius,
        state_radius=box.radius * state_spread(controller, visited) if box.with_state else None,
        held=box.change == "held",
        budget=budget,
        on_share=on_share,
    )
    return Surveyed(box, found, _clipped(controller, steps, box.radius))


def _clipped(controller: Controller, steps: Steps, radius: float) -> int:
    reach = np.abs(steps.observation).max(axis=(1, 2)) + radius
    return int((reach > controller.clip).sum())
