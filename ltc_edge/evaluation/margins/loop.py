"""A task's loop at rest: its eigenvalues, and the margins at each actuator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.margins.figures import Complex, Margins, margins, modes
from ltc_edge.evaluation.margins.response import loop_response
from ltc_edge.tasks.protocol import Task


@dataclass(frozen=True, eq=False)
class LoopMargins:
    """Of the linearised closed loop.

    Attributes:
        eigenvalues: those a change of an actuator stirs, by falling magnitude, complex.
        actuators: the margins of each, the others in their loops.
        observation, action: where the loop rests, raw, ``(I,)`` and ``(M,)``.
        period_s: time between steps there.
        left_out: how the plant differs from the task's, in words, or None.
    """

    eigenvalues: Complex
    actuators: tuple[Margins, ...]
    observation: FloatArray
    action: FloatArray
    period_s: float
    left_out: str | None

    @property
    def spectral_radius(self) -> float:
        """Magnitude of the greatest eigenvalue: what is left of the slowest deviation after a period."""
        return float(np.abs(self.eigenvalues[0]))


def loop_margins(task: Task, controller: Controller, seeds: Sequence[int]) -> LoopMargins | str:
    """The margins where the loop rests, or why it has none.

    Raises:
        TaskError: the plant misbehaves.
    """
    response = loop_response(task, controller, seeds)
    if isinstance(response, str):
        return response
    stirred = np.concatenate([response.actions, response.readings], axis=1)
    count = response.actions.shape[2]
    return LoopMargins(
        modes(stirred, response.noise),
        tuple(margins(response.actions[:, index, index]) for index in range(count)),
        response.observation,
        response.action,
        task.period_s,
        response.left_out,
    )
