"""By how much at most, and at least, a change of an observation changes the action: the Lipschitz constant.

For a box of observations the Lipschitz constant of a step is the least ``K`` with ‖u(x) − u(y)‖₂ ≤ K ‖x − y‖₂
for all x and y in it: that of the Jacobian of greatest norm, because boxes are convex. `Brackets` hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.lipschitz.balls import ROUNDING, Array
from ltc_edge.evaluation.lipschitz.jets import Jet, start
from ltc_edge.evaluation.lipschitz.rollout import JetController, Steps
from ltc_edge.evaluation.lipschitz.search import Search
from ltc_edge.evaluation.visited import Visited

Index = npt.NDArray[np.int64]

BUDGET = 64
"""Steps over boxes that are looked at for each step that is asked about."""

MOST_PAIRS = 400
"""Where a box spans more pairs of directions than these, second derivatives cost more than they bring."""

CHUNK_NUMBERS = 300_000
"""Numbers in the largest arrays: those that the processor's cache can hold."""


@dataclass(frozen=True, eq=False)
class Brackets:
    """Bounds of the Lipschitz constant of ``Q`` steps, in normalised units.

    Attributes:
        upper: no change of observations within the box changes the readout by more, per unit, ``(Q,)``.
        lower: some does by at least so much, ``(Q,)``.
        entries: no derivative of a readout by an observation is greater in magnitude, ``(Q, M, k·I)``,
            or where changes are held ``(Q, M, I)``.
        entries_lower: somewhere in the box it is at least so great, of the same shape.
    """

    upper: Array
    lower: Array
    entries: Array
    entries_lower: Array

    @property
    def ratio(self) -> Array:
        """``upper / lower``: 1 where both are zero, infinite where ``lower`` alone is, ``(Q,)``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Array = np.where(self.upper > 0, self.upper / self.lower, 1.0)
        return result


@dataclass(frozen=True)
class Bracket:
    """The bracket of one step; see `Brackets`."""

    upper: float
    lower: float
    ratio: float


def lipschitz_brackets(
    controller: Controller,
    steps: Steps,
    radius: float,
    *,
    state_radius: FloatArray | None = None,
    held: bool = False,
    budget: int = BUDGET,
    on_share: Callable[[float], None] = lambda _: None,
) -> Brackets:
    """Brackets of ``Q`` steps, or rollouts of ``k`` steps, from observations to the last readout.

    Args:
        controller: any controller.
        steps: the centres of the boxes.
        radius: half the width of the boxes, in normalised units, of every observation of every step.
        state_radius: half the width of the boxes in the cell's state before the first step, ``(S,)``, in its
            own units; None for the very state. Changes *of the state* are not counted, only by how much more
            an observation can do in some state nearby.
        held: all k readings of a sensor are off by the same amount, as by an offset, and a change is the
            size of that; else each is off by itself, and it is the size of all changes together.
        budget: steps of boxes that may be looked at for each centre, ``budget / k`` boxes for rollouts; more
            of them give narrower brackets.
        on_share: told the share of the work that is done.

    Raises:
        InputError: a radius is not a positive number, or the budget is none.
    """
    if not (np.isfinite(radius) and radius > 0):
        raise InputError(f"radius {radius}: must be a positive, finite number of normalised units")
    if budget < 1:
        raise InputError(f"budget {budget}: must be at least 1 box")
    directions, spans = box_of(steps, radius, state_radius, held=held)
    wanted = np.arange(steps.observation.shape[2] * (1 if held else steps.observation.shape[1]))
    pairs = len(wanted) * len(spans) - len(wanted) * (len(wanted) - 1) // 2
    second = wanted if pairs <= MOST_PAIRS else wanted[:0]
    equations, base = JetController(controller), steps.point

    def enclose(question: Index, centre: Array, half: Array) -> Jet:
        at = base[question] + centre @ directions.T
        # Where the centre is, is rounded, and the box reaches a little further for it.
        half = half + ROUNDING * np.abs(at).max(axis=1, keepdims=True)
        return equations.run(start(at, half, directions, second), steps.dt_s[question])[0]

    chunk = chunk_of(controller, len(spans) + (pairs if len(second) else 0))
    with np.errstate(all="ignore"):
        found = Search(enclose, wanted, chunk, on_share).bounds(
            np.tile(spans, (len(base), 1)), max(1, budget // steps.dt_s.shape[1])
        )
    return Brackets(found.upper, found.lower, found.entries, found.entries_lower)


def box_of(
    steps: Steps, radius: float, state_radius: FloatArray | None, *, held: bool
) -> tuple[Array, Array]:
    """How each quantity moves with each direction of the box, ``(k·I + S, d)``, and half widths, ``(d,)``."""
    length, inputs = steps.observation.shape[1:]
    size = steps.state.shape[1]
    readings = np.tile(np.eye(inputs), (length, 1)) if held else np.eye(length * inputs)
    spans = np.full(readings.shape[1], float(radius))
    if state_radius is None:
        return np.concatenate([readings, np.zeros((size, len(spans)))]), spans
    beside = np.broadcast_to(np.asarray(state_radius, dtype=np.float64), (size,))
    if not (np.isfinite(beside).all() and (beside >= 0).all()):
        raise InputError("state radii must be finite and not negative")
    directions = np.zeros((len(readings) + size, len(spans) + size))
    directions[: len(readings), : len(spans)] = readings
    directions[len(readings) :, len(spans) :] = np.eye(size)
    return directions, np.concatenate([spans, beside])


def lipschitz_bracket(
    controller: Controller,
    observation: FloatArray,
    state: FloatArray,
    dt_s: float | FloatArray,
    radius: float,
    *,
    state_radius: FloatArray | None = None,
    held: bool = False,
    budget: int = BUDGET,
) -> Bracket:
    """The bracket of one step, or of ``k``, from raw observations.

    Args:
        controller: any controller.
        observation: raw sensor values, ``(I,)``, or of ``k`` consecutive steps ``(k, I)``.
        state: the controller's state before, as in `Visited`, ``(state_size,)``.
        dt_s: seconds before each observation.
        radius, state_radius, held, budget: as for `lipschitz_brackets`.
    """
    rows = np.atleast_2d(observation)
    times = np.broadcast_to(np.asarray(dt_s, dtype=np.float64), (len(rows),))
    steps = steps_of(controller, rows[None], state[None], times[None])
    found = lipschitz_brackets(controller, steps, radius, state_radius=state_radius, held=held, budget=budget)
    return Bracket(float(found.upper[0]), float(found.lower[0]), float(found.ratio[0]))


def steps_of(controller: Controller, observation: FloatArray, state: FloatArray, dt_s: FloatArray) -> Steps:
    """Steps from raw observations ``(Q, k, I)``, states ``(Q, state_size)`` and times ``(Q, k)``."""
    normal = (observation - controller.normalizer.offset) / controller.normalizer.scale
    return Steps(normal, state[:, : controller.cell.state_size].astype(np.float64), np.asarray(dt_s, float))


def steps_visited(controller: Controller, visited: Visited, length: int, count: int, seed: int) -> Steps:
    """At most ``count`` runs of ``length`` consecutive visited steps, drawn without replacement.

    Raises:
        InputError: no episode has so many steps.
    """
    ends = visited.observation.shape[1] - length + 1
    if ends < 1 or not visited.valid[:, length - 1 :].any():
        raise InputError(f"no episode or window has {length} steps: ask for fewer --steps")
    # Steps are valid from the first on.
    episode, first = np.nonzero(visited.valid[:, length - 1 :])
    drawn = np.random.default_rng(seed).permutation(len(episode))[:count]
    episode, first = episode[drawn], first[drawn]
    at = first[:, None] + np.arange(length)
    return steps_of(
        controller,
        visited.observation[episode[:, None], at],
        visited.state[episode, first],
        visited.dt_s[episode[:, None], at],
    )


def chunk_of(controller: Controller, numbers: int) -> int:
    """Boxes at once, for ``numbers`` derivatives a quantity."""
    shapes = controller.cell.parameter_shapes().values()
    widest = max(max(shape) for shape in shapes)
    return max(2, CHUNK_NUMBERS // (widest * numbers))
