"""Doing a replicate: from a point of the search space and a seed to its figures, or to why there are none.

    screen      export the untrained controller, where that shows already that it is too large
    train       or go on with the training that was interrupted
    export      one format, in memory
    evaluate, compare, emulate, corrupt, time: the figures that were asked for

Nothing that is drawn or measured depends on when and where this happens, but for ``p99_us``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ltc_edge.errors import CheckFailedError, DeviceError, InputError, OutputError
from ltc_edge.sweep import cost_model
from ltc_edge.sweep.exported import export_format
from ltc_edge.sweep.figures import firmware, measure_figures
from ltc_edge.sweep.giving_up import Hope, is_complete, records_of, train
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.proxies import check_proxies, proxy_figures
from ltc_edge.sweep.screening import screen
from ltc_edge.sweep.stopwatch import OnProgress, Stopwatch
from ltc_edge.sweep.work import Outcome, State, Work, outcome_file_of, run_folder_of
from ltc_edge.sweep.workshop import load, task_or_data
from ltc_edge.training.loop import TrainingStoppedError
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import prepare


def do_replicate(work: Work, trials: Path, on_progress: OnProgress = lambda _, __: None) -> Outcome:
    """Do ``work`` in the folder of trials, and leave its outcome there.

    It may be killed at any time and called again: what is finished is not done again, and training goes on
    from its last checkpoint, to the same figures bit for bit.

    Args:
        work: what to do.
        trials: the folder of all trials.
        on_progress: told the stage and the share of it that is done.

    Raises:
        LtcEdgeError: the fault is not the trial's: the task cannot be loaded, a tool or an extra is missing,
            a device is gone, the disk is full. There is no outcome, and the replicate can be done again.
    """
    path = outcome_file_of(trials, work)
    if path.exists():
        return Outcome.read(path, work)
    outcome = _Replicate(work, run_folder_of(trials, work), on_progress).outcome()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be made ({error.strerror or error})") from None
    outcome.write(path)
    return outcome


class _Replicate:
    """A replicate in the making."""

    def __init__(self, work: Work, folder: Path, on_progress: OnProgress) -> None:
        self._work, self._folder = work, folder
        self._measure = MeasurementPlan.from_json(work.measure)
        self._hope = Hope(self._measure.metric, work.giving_up)
        self._clock = Stopwatch(on_progress)
        self._figures: Mapping[str, float] = {}

    def outcome(self) -> Outcome:
        """What becomes of it."""
        with self._clock.stage("load"):
            load(self._measure.source)
        try:
            return self._done()
        except TrainingStoppedError as given_up:
            return self._outcome("pruned", reason=str(given_up))
        except (OutputError, DeviceError):
            raise
        except (InputError, CheckFailedError) as error:
            return self._outcome("failed", reason=str(error))

    def _done(self) -> Outcome:
        form, measure, clock = str(self._work.settings["format"]), self._measure, self._clock
        estimates = measure.proxy and not self._work.confirm
        plan = measure.training_plan(self._work.settings, self._work.seed)
        if not is_complete(plan, self._folder):
            with clock.stage("screen"):
                prepared = prepare(plan, load(measure.source))
                if estimates:
                    check_proxies(measure, form, prepared.initial.cell.kind)
                    screened = screen(
                        prepared.initial, form, measure, cost_model.estimated_costs, cost_model.MARGINS
                    )
                else:
                    screened = screen(prepared.initial, form, measure, firmware)
            self._figures = screened.figures
            if screened.verdict is not None:
                return self._outcome("pruned", reason=screened.verdict)
            with clock.stage("train"):
                train(plan, prepared, self._folder, self._hope, clock.on_progress)
        trained, loaded = RunFolder(self._folder).controller(), task_or_data(measure.source)
        with clock.stage("export"):
            exported = export_format(trained, form, loaded)
        measured = proxy_figures if estimates else measure_figures
        self._figures = measured(exported, loaded, measure, clock)
        return self._outcome("complete")

    def _outcome(self, state: State, reason: str | None = None) -> Outcome:
        curve = self._hope.curve(records_of(self._folder))
        work = self._work
        return Outcome(work.trial, work.seed, state, self._figures, curve, reason, self._clock.seconds)
