"""What an exported file loses of the task itself, against the float controller on the same seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.rollout import StepperPolicy, open_plants, rollout
from ltc_edge.evaluation.statistics import return_statistics
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.tasks.protocol import Task

EPISODES = 20


@dataclass(frozen=True)
class ClosedLoopResult:
    """Returns of the same episodes under the file and under the float controller.

    Attributes:
        episodes: how many.
        return_mean, return_worst: of the file.
        float_return_mean: of the float64 reference.
        return_lost_percent: mean loss, of the magnitude of the float controller's mean return.
        lost_ci95: 95 % bootstrap interval of that loss over the paired episodes.
        replay_rms: RMS error of each action when the file is fed what the float controller saw in the first
            episode, in the actuators' units: what it adds to an action in the loop itself.
        replay_sigma: standard deviation of the float controller's actions there.
    """

    episodes: int
    return_mean: float
    return_worst: float
    float_return_mean: float
    return_lost_percent: float
    lost_ci95: tuple[float, float]
    replay_rms: tuple[float, ...]
    replay_sigma: tuple[float, ...]

    def figures(self) -> tuple[str, str]:
        """Return and loss, for a table."""
        return f"{self.return_mean:.6g}", three_decimals(self.return_lost_percent)

    def exceeds(self, percent: float) -> bool:
        """Whether more is lost than ``percent``, and not by chance."""
        return not (self.return_lost_percent <= percent or self.lost_ci95[0] <= 0.0)


class ClosedLoopTrial:
    """The task with the float controller's returns, played once and compared with every format."""

    def __init__(
        self,
        task: Task,
        controller: Controller,
        *,
        episodes: int = EPISODES,
        seed: int = 0,
        on_share: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._task = task
        self._seeds = range(seed, seed + episodes)
        with open_plants(task) as plants:
            played = rollout(
                task,
                plants,
                ReferenceBatch(controller),
                self._seeds,
                on_step=lambda step: on_share((step + 1) / task.max_steps),
            )
        self.float_returns: FloatArray = played.returns
        steps = int(played.length[0])
        self._tape = played.observation[0, :steps], played.dt_s[0, :steps], played.action[0, :steps]

    def play(self, stepper: Stepper, on_share: Callable[[float], None] = lambda _: None) -> ClosedLoopResult:
        """Play the same episodes with the file."""
        with open_plants(self._task) as plants:
            played = rollout(
                self._task,
                plants,
                StepperPolicy(stepper),
                self._seeds,
                on_step=lambda step: on_share((step + 1) / self._task.max_steps),
            )
        return self._compare(played.returns, self._replayed(stepper))

    def _replayed(self, stepper: Stepper) -> FloatArray:
        """The file's actions ``(T, M)`` for what the float controller saw in the first episode."""
        stepper.reset()
        rows = zip(self._tape[0], self._tape[1].tolist(), strict=True)
        return np.stack([stepper.step(observation, dt) for observation, dt in rows])

    def _compare(self, returns: FloatArray, replayed: FloatArray) -> ClosedLoopResult:
        scale = max(abs(float(self.float_returns.mean())), 1e-9)
        lost = return_statistics(100.0 * (self.float_returns - returns) / scale)
        return ClosedLoopResult(
            len(returns),
            float(returns.mean()),
            float(returns.min()),
            float(self.float_returns.mean()),
            lost.mean,
            lost.ci95,
            tuple(np.sqrt(((replayed - self._tape[2]) ** 2).mean(axis=0)).tolist()),
            tuple(self._tape[2].std(axis=0).tolist()),
        )


def three_decimals(value: float) -> str:
    """A figure for a table; a rounding error is no loss, nor a gain."""
    return f"{round(value, 3) + 0.0:.3f}"
