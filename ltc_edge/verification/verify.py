"""One exported file through all of its trials, and the report of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.program import Affine
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.verification.closed_loop import ClosedLoopResult, ClosedLoopTrial
from ltc_edge.verification.open_loop import OpenLoopResult, check_free_run, check_single_steps
from ltc_edge.verification.scored import ScoreResult, ScoreTrial
from ltc_edge.verification.tolerances import Tolerance
from ltc_edge.verification.trials import Cases, FreeRun, cases, free_run

TaskTrial = ClosedLoopTrial | ScoreTrial


@dataclass(frozen=True, eq=False)
class Trials:
    """Everything a file of ``controller`` is put through; made once for all formats.

    ``task`` is None where the controller's task cannot be run here, and ``task_note`` says why.
    """

    controller: Controller
    run: FreeRun
    cases: Cases
    task: TaskTrial | None
    task_note: str | None

    @classmethod
    def of(
        cls,
        controller: Controller,
        task: TaskTrial | None,
        task_note: str | None,
        about: Affine | None = None,
    ) -> Trials:
        """The trials of ``controller``; ``about`` is as in `free_run`."""
        run = free_run(controller, about)
        return cls(controller, run, cases(controller, run, about), task, task_note)


@dataclass(frozen=True)
class Verdict:
    """What the trials showed of one file.

    Attributes:
        single_steps, free_run: against the float64 reference.
        task: the closed loop or the score on recordings; None where the task could not be run.
        failures: what is beyond its tolerance, a line each; empty for a file that does its job.
    """

    single_steps: OpenLoopResult
    free_run: OpenLoopResult
    task: ClosedLoopResult | ScoreResult | None
    failures: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """For ``verification.json``."""
        return {
            "single_steps": dataclasses.asdict(self.single_steps),
            "free_run": dataclasses.asdict(self.free_run),
            "task": None if self.task is None else dataclasses.asdict(self.task),
            "failures": list(self.failures),
        }


def verify(
    stepper: Stepper,
    trials: Trials,
    tolerance: Tolerance,
    *,
    diverging: Callable[[int], str | None] = lambda _: None,
    on_share: Callable[[float], None] = lambda _: None,
) -> Verdict:
    """Put one file through its trials.

    Args:
        stepper: over the file.
        trials: see `Trials`.
        tolerance: of its format.
        diverging: names the first tensor that differs in a step of the free run; asked where one fails.
        on_share: told the share that is done.
    """
    controller, sigma = trials.controller, trials.run.sigma
    single = check_single_steps(controller, stepper, trials.cases, sigma, tolerance)
    free = check_free_run(controller, stepper, trials.run, tolerance, lambda share: on_share(0.5 * share))
    failures = [
        *_open_loop_failures("single steps", single),
        *_open_loop_failures("free run", free, tolerance.rms_over_sigma),
    ]
    if free.beyond is not None:
        culprit = diverging(free.beyond.step)
        failures[-1] += "" if culprit is None else f"; {culprit}"
    task = None
    if trials.task is not None:
        try:
            task = trials.task.play(stepper, lambda share: on_share(0.5 + 0.5 * share))
            failures += _task_failures(task, tolerance.return_lost_percent)
        except LtcEdgeError as error:
            # The reference played the same episodes to their end, so it is this file's doing.
            failures.append(f"closed loop: {error}")
    on_share(1.0)
    return Verdict(single, free, task, tuple(failures))


def _open_loop_failures(what: str, result: OpenLoopResult, rms: float | None = None) -> list[str]:
    failures = [] if result.refused is None else [f"{what}: {result.refused}"]
    if rms is not None and result.rms_over_sigma is not None and not result.rms_over_sigma <= rms:
        failures.append(
            f"{what}: RMS error is {100 * result.rms_over_sigma:.3g} % of the action's deviation, "
            f"allowed {100 * rms:.3g} %"
        )
    if result.beyond is not None:
        b = result.beyond
        failures.append(
            f"{what}: {b.action} is off by {b.error:.3g} at step {b.step}, allowed {b.allowed:.3g}"
        )
    return failures


def _task_failures(result: ClosedLoopResult | ScoreResult, percent: float) -> list[str]:
    if isinstance(result, ClosedLoopResult):
        if result.exceeds(percent):
            low, high = result.lost_ci95
            return [
                f"closed loop: {result.return_lost_percent:.3g} % of the return is lost (95 % interval "
                f"{low:.3g} to {high:.3g} %), allowed {percent:g} %"
            ]
    elif not result.lost_percent <= percent:
        return [f"recordings: {result.metric} is {result.lost_percent:.3g} % worse, allowed {percent:g} %"]
    return []
