"""What a controller is tried on: a task in closed loop, or windows of recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.rollout import Policy, ZeroPolicy, open_plants, rollout
from ltc_edge.logs import Dataset, Segment, windows
from ltc_edge.tasks.protocol import Task

OnShare = Callable[[float], None]


class Arena(Protocol):
    """Trials, each of which gives a score; more is better.

    Attributes:
        trials: how many.
        score: what a score is, in words.
        nothing: what doing nothing is, in words.
    """

    trials: int
    score: str
    nothing: str

    def play(self, policy: Policy, copies: int = 1, on_share: OnShare = lambda _: None) -> FloatArray:
        """Scores ``(copies, trials)`` of a policy whose rows go copy by copy.

        Raises:
            TaskError: the plant misbehaves.
        """
        ...

    def baseline(self) -> FloatArray:
        """Scores ``(trials,)`` of doing nothing: the zero controller, or a guess that ignores the inputs."""
        ...


class ClosedLoop:
    """Episodes of a task; a score is a return."""

    score = "return"
    nothing = "doing nothing"

    def __init__(self, task: Task, seeds: Sequence[int]) -> None:
        self._task, self._seeds = task, list(seeds)
        self.trials = len(self._seeds)

    def play(self, policy: Policy, copies: int = 1, on_share: OnShare = lambda _: None) -> FloatArray:
        """Returns, every copy on the same seeds."""
        steps = self._task.max_steps
        with open_plants(self._task) as plants:
            played = rollout(
                self._task,
                plants,
                policy,
                self._seeds * copies,
                on_step=lambda step: on_share((step + 1) / steps),
            )
        returns: FloatArray = played.returns.reshape(copies, self.trials)
        return returns

    def baseline(self) -> FloatArray:
        """Returns of the zero controller."""
        returns: FloatArray = self.play(ZeroPolicy(self._task))[0]
        return returns


class Recorded:
    """Windows of recordings, each from the reset state; a score is accuracy, or minus the squared error."""

    nothing = "guessing"

    def __init__(self, data: Dataset, segments: Sequence[Segment], most: int) -> None:
        cut = windows(segments, data.window_length, data.evaluation_stride)
        # Spread over all of them: the first windows are of one recording.
        chosen = np.unique(np.linspace(0, len(cut) - 1, min(most, len(cut))).round().astype(np.int64))
        self._inputs, self._dt_s, self._targets = cut.inputs[chosen], cut.dt_s[chosen], cut.targets[chosen]
        self._classes = data.kind == "classification"
        rows = np.concatenate([segment.targets for segment in data.train.segments])
        self._guess = np.bincount(rows.astype(np.int64)).argmax() if self._classes else rows.mean(axis=0)
        self.trials = len(chosen)
        self.score = "accuracy" if self._classes else "minus the mean squared error"

    def play(self, policy: Policy, copies: int = 1, on_share: OnShare = lambda _: None) -> FloatArray:
        """Mean score of each window."""
        length = self._inputs.shape[1]
        inputs, dt_s = (np.concatenate([part] * copies) for part in (self._inputs, self._dt_s))
        policy.reset(len(inputs))
        steps = []
        for t in range(length):
            steps.append(policy.step(inputs[:, t], dt_s[:, t]))
            on_share((t + 1) / length)
        predicted = np.stack(steps, axis=1).reshape(copies, self.trials, length, -1)
        return self._scores(predicted.argmax(axis=-1) if self._classes else predicted)

    def baseline(self) -> FloatArray:
        """Scores of the mean training target, or of the commonest class."""
        scores: FloatArray = self._scores(np.broadcast_to(self._guess, self._targets.shape)[None])[0]
        return scores

    def _scores(self, predicted: FloatArray) -> FloatArray:
        """``(copies, windows, …)`` → ``(copies, windows)``."""
        scores = predicted == self._targets if self._classes else -((predicted - self._targets) ** 2)
        mean: FloatArray = scores.reshape(*scores.shape[:2], -1).mean(axis=-1, dtype=np.float64)
        return mean
