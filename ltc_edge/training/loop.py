"""The loop of every training method: rounds that can be killed and continued.

A round is a function of the learner's state and the round's number: whatever it draws comes from a
generator seeded with (seed, round). So a run continued from a checkpoint is the run that was never
stopped, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.training.run_folder import Checkpoint, RunFolder


@dataclass(frozen=True)
class Round:
    """What a round reports.

    Attributes:
        metrics: figures for ``metrics.jsonl``, without times.
        value: the validation figure, or None where this round did not validate.
        finished: there is nothing left to gain.
    """

    metrics: Mapping[str, float]
    value: float | None
    finished: bool = False


class Method(Protocol):
    """A way to train: rounds on a state that checkpoints can hold.

    Attributes:
        rounds: at most so many.
        metric: name of the validation figure.
        lower_is_better: which way it is better.
        later_wins_ties: of two equal figures, prefer the later round's controller.
    """

    rounds: int
    metric: str
    lower_is_better: bool
    later_wins_ties: bool

    def start(self, folder: RunFolder, completed: int) -> None:
        """Prepare; after a resume, ``completed`` rounds are done and their data is in ``folder``."""
        ...

    def round(self, index: int, tick: Callable[[float], None]) -> Round:
        """Do one round; ``tick`` takes the share of it that is done, for the progress bar."""
        ...

    def controller(self) -> Controller:
        """The present controller."""
        ...

    def arrays(self) -> dict[str, FloatArray]:
        """The state, as arrays."""
        ...

    def state(self) -> dict[str, Any]:
        """The rest of the state, as JSON."""
        ...

    def load(self, arrays: Mapping[str, FloatArray], state: Mapping[str, Any]) -> None:
        """Put back what `arrays` and `state` gave."""
        ...


class TrainingStoppedError(Exception):
    """Whoever watches a run has seen enough of it; the run can be resumed."""


class Progress(Protocol):
    """Who watches: a progress bar, or nobody."""

    def begin(self, rounds: int, completed: int) -> None:
        """The run starts, or continues after ``completed`` rounds."""
        ...

    def tick(self, index: int, share: float) -> None:
        """A share of round ``index`` is done."""
        ...

    def record(self, record: Mapping[str, Any]) -> None:
        """A round is done, and its checkpoint written.

        Raises:
            TrainingStoppedError: it was the last; `run_rounds` passes that on.
        """
        ...


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the best validation value, the round that had it, and all metrics."""

    best: float
    best_round: int
    history: list[dict[str, Any]]


def run_rounds(folder: RunFolder, method: Method, progress: Progress) -> Outcome:
    """Train to the end, from the folder's checkpoint where there is one.

    The best controller by validation is in the folder whenever a round has ended.

    Raises:
        ControllerFileError: the folder's checkpoint or best controller is damaged.
        TrainingDivergedError: a loss became non-finite; the best controller so far is kept.
        TrainingStoppedError: ``progress`` stopped it.
        OutputError: the folder cannot be written.
    """
    checkpoint = folder.checkpoint()
    history: list[dict[str, Any]] = []
    best, best_round = math.inf if method.lower_is_better else -math.inf, -1
    finished, first = False, 0
    if checkpoint is not None:
        method.load(checkpoint.arrays, checkpoint.state["method"])
        history, first = checkpoint.history, checkpoint.round + 1
        if checkpoint.state["best"] is not None:
            best, best_round = checkpoint.state["best"], checkpoint.state["best_round"]
            folder.controller()  # refused now where it is damaged, not when training is over
        finished = checkpoint.state["finished"]
        folder.write_metrics(history)
    method.start(folder, first)
    progress.begin(method.rounds, first)
    elapsed = history[-1]["seconds"] if history else 0.0
    for index in range(first, method.rounds):
        if finished:
            break
        started = time.monotonic()
        done = method.round(index, partial(progress.tick, index))
        finished = done.finished
        if done.value is not None and _better(done.value, best, method):
            best, best_round = done.value, index
            folder.save_controller(method.controller())
        elapsed += time.monotonic() - started
        record = {"round": index, **done.metrics, method.metric: done.value, "seconds": round(elapsed, 3)}
        history.append(record)
        state = {
            "method": method.state(),
            "best": best if math.isfinite(best) else None,
            "best_round": best_round,
            "finished": finished,
        }
        folder.save_checkpoint(Checkpoint(index, method.arrays(), history, state))
        folder.write_metrics(history)
        progress.record(record)
    return Outcome(best, best_round, history)


def _better(value: float, best: float, method: Method) -> bool:
    if value == best:
        return method.later_wins_ties
    return value < best if method.lower_is_better else value > best
