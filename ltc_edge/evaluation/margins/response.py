"""The closed loop at rest, and what it answers to a small change of what the actuator gets.

Any task will do whose plants repeat an episode exactly: copies of one are played until they are at rest, then
each gets for one period a slightly different action, and what the controller makes of it is recorded. Half
the difference of two opposite changes is the impulse response of the linearised loop. Nothing need be known
of the plant, and nothing about it is simplified.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.margins.servo import LEFT_OUT, SmoothServos
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.dc_motor import DcMotor
from ltc_edge.tasks.protocol import PlantBatch, Task

SHORTEST_SETTLING = 256
"""Steps that every loop gets, or half an episode: what rests at once may have begun there."""

REST = 1e-3
"""A loop is at rest where in `RESTING` steps nothing moves by more than this share of its range."""
RESTING = 32

NUDGE = 1e-5
"""Change of an action, as a share of half the actuator's range, or of the action's scale without limits."""

PROPORTIONAL = 0.02
"""The responses to a change and to a quarter of it may differ by so much, of their greatest value."""

DIED_OUT = 1e-6
"""The response is over when for `RESTING` steps it stays below this share of its greatest value."""

LONGEST_RESPONSE = 6000


@dataclass(frozen=True, eq=False)
class LoopResponse:
    """A loop's impulse response at rest.

    Attributes:
        actions: what the controller asks for ``k`` steps after actuator ``m`` got 1 more for one period, by
            actuator asked and actuator changed, ``(K, M, M)``; action units.
        readings: the same of the normalised observations, ``(K, I, M)``.
        noise: how far the responses to a change and to a quarter of it are apart, ``(K, M + I, M)``.
        observation, action: where the loop rests, ``(I,)`` and ``(M,)``.
        left_out: what differs from the task, in words, or None.
    """

    actions: FloatArray
    readings: FloatArray
    noise: FloatArray
    observation: FloatArray
    action: FloatArray
    left_out: str | None


def loop_response(task: Task, controller: Controller, seeds: Sequence[int]) -> LoopResponse | str:
    """The response of the loop that comes nearest to rest on ``seeds``, or why it has none.

    Raises:
        TaskError: the plant misbehaves.
    """
    smooth = isinstance(task, DcMotor)
    if not smooth and task.dt_range_s[0] != task.dt_range_s[1]:
        return "periods are irregular, and a loop that changes with time has no margins"

    def plants() -> PlantBatch:
        return SmoothServos([s.name for s in task.observations]) if smooth else task.make_plants()

    settled = _settle(plants(), controller, seeds, task.max_steps)
    if isinstance(settled, str):
        return settled
    seed, steps = settled
    found = _nudged(plants(), controller, seed, steps)
    if isinstance(found, str):
        return found
    return dataclasses.replace(found, left_out=LEFT_OUT) if smooth else found


def _settle(
    plants: PlantBatch, controller: Controller, seeds: Sequence[int], longest: int
) -> tuple[int, int] | str:
    """A seed on which the loop comes to rest within ``longest`` steps, and after how many."""
    policy = ReferenceBatch(controller)
    policy.reset(len(seeds))
    readings = plants.reset(list(seeds))
    scale = controller.normalizer.scale
    seen: list[FloatArray] = []
    alive = np.ones(len(seeds), dtype=np.bool_)
    moving = np.full(len(seeds), np.inf)
    try:
        for step in range(longest):
            action = policy.step(readings.observation, readings.dt_s)
            seen.append(np.concatenate([readings.observation / scale, action], axis=1))
            readings = plants.step(action, alive)
            alive &= ~readings.terminated
            if not alive.any():
                return "every episode ends by itself before the loop comes to rest"
            if step % RESTING == RESTING - 1 and step >= min(SHORTEST_SETTLING, longest // 2):
                history = np.stack(seen)
                span = np.maximum(np.ptp(history, axis=0), 1e-9)
                moving = (np.ptp(history[-RESTING:], axis=0) / span).max(axis=1)
                moving[~alive] = np.inf
                if moving.min() < REST:
                    return seeds[int(moving.argmin())], step + 1
    finally:
        plants.close()
    if not np.isfinite(moving.min()):
        return f"an episode of {longest} steps is too short to see a loop at rest"
    moved = f"a reading or an action still moves by {moving.min():.2%} of its range"
    return f"the loop does not come to rest: {moved}"


def _nudged(plants: PlantBatch, controller: Controller, seed: int, steps: int) -> LoopResponse | str:
    """The response after so many steps, or why there is none."""
    actuators = len(controller.actions)
    low, high = controller.limits
    size = NUDGE * np.where(np.isfinite(high - low), 0.5 * (high - low), controller.denormalizer.scale)
    # For each actuator: more, less, and a quarter of each.
    nudges = np.concatenate([np.diag(size) * share for share in (1.0, -1.0, 0.25, -0.25)])
    copies = len(nudges)
    policy = ReferenceBatch(controller)
    policy.reset(copies)
    readings = plants.reset([seed] * copies)
    active = np.ones(copies, dtype=np.bool_)
    actions, observations = [], []
    try:
        for step in range(steps + LONGEST_RESPONSE):
            action = policy.step(readings.observation, readings.dt_s)
            if step >= steps:
                actions.append(action)
                observations.append(readings.observation / controller.normalizer.scale)
                if (step - steps) % RESTING == RESTING - 1 and _over(np.stack(actions), actuators):
                    break
            readings = plants.step(action + nudges if step == steps else action, active)
            if readings.terminated.any():
                return "the episode ends before the response to a small change does"
        else:
            return "the response to a small change does not die out: the loop is unstable, or very slow"
    finally:
        plants.close()
    return _responses(np.stack(actions), np.stack(observations), size, controller)


def _halves(played: FloatArray, actuators: int) -> tuple[FloatArray, FloatArray]:
    """Half the difference of opposite changes: of the whole ones, and of the quarters times four."""
    parts = played.reshape(len(played), 4, actuators, -1)
    return 0.5 * (parts[:, 0] - parts[:, 1]), 2.0 * (parts[:, 2] - parts[:, 3])


def _over(actions: FloatArray, actuators: int) -> bool:
    size = np.abs(_halves(actions, actuators)[0]).max(axis=(1, 2))
    return bool(size[-RESTING:].max() <= DIED_OUT * size.max())


def _responses(
    actions: FloatArray, observations: FloatArray, size: FloatArray, controller: Controller
) -> LoopResponse | str:
    count = len(size)
    whole, quarter = _halves(actions, count)
    greatest = np.abs(whole).max()
    if not greatest > 1e-3 * DIED_OUT * size.max():
        return (
            "a small change of the action changes nothing: it is saturated, or the plant takes its sign alone"
        )
    if np.abs(whole - quarter).max() > PROPORTIONAL * greatest:
        return (
            "the response is not proportional to a small change: steps of a sensor, dry friction, or an "
            "action that is only switched"
        )
    seen, seen_quarter = _halves(observations, count)
    both, both_quarter = (
        np.concatenate(parts, axis=2).swapaxes(1, 2) / size
        for parts in ((whole, seen), (quarter, seen_quarter))
    )
    return LoopResponse(
        both[:, :count],
        both[:, count:],
        both - both_quarter,
        observations[0, 0] * controller.normalizer.scale,
        actions[0, 0],
        None,
    )
