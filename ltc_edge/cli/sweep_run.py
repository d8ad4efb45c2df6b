"""What ``ltc-edge sweep`` does: a sweep begun, gone on with, or looked at."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ltc_edge.cli.sweep_progress import SweepProgress
from ltc_edge.cli.sweep_request import make_engine, plan_of, storage_of
from ltc_edge.errors import InputError, LtcEdgeError, OutputError
from ltc_edge.files import create_folder
from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.driver import confirm, run_sweep
from ltc_edge.sweep.engines.engine import Engine
from ltc_edge.sweep.front_files import read_front, write_front
from ltc_edge.sweep.lock import FILE as LOCK
from ltc_edge.sweep.lock import locked
from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.plan import FILE, SweepPlan
from ltc_edge.sweep.results import TRIALS, confirmed_results, read_confirmed, results_of, to_confirm
from ltc_edge.sweep.storage import open_storage
from ltc_edge.sweep.study import Study
from ltc_edge.sweep.swept import Swept
from ltc_edge.sweep.tools import check_tools


def start(said: Mapping[str, Any], folder: Path, *, force: bool) -> Swept:
    """Begin the sweep that is ``said`` in ``folder``, and bring it to its end.

    Raises:
        LtcEdgeError: it cannot be begun, or a machine is not fit for it.
    """
    _refuse_existing(folder, force)
    plan = plan_of(said)
    if plan.storage is not None:
        open_storage(folder, storage_of(plan, said["storage"]))  # or nothing is begun
    if force and (folder / LOCK).exists():
        with locked(folder):
            create_folder(folder, force=True)
    else:
        create_folder(folder, force=force)
    with locked(folder):
        plan.write(folder)
        return _go(said, folder, plan)


def resume(said: Mapping[str, Any], folder: Path) -> Swept:
    """Go on with the sweep in ``folder``, perhaps to more trials.

    Raises:
        LtcEdgeError: it is none, or cannot go on.
    """
    plan = SweepPlan.read(folder)
    if said["task"] not in (None, plan.measure.source.name):
        raise InputError(f"{folder}: is a sweep of {plan.measure.source.name}, not of {said['task']}")
    with locked(folder):
        return _go(said, folder, plan)


def look(folder: Path, budget: str | None) -> Swept:
    """What the sweep in ``folder`` has found so far, which may be under way.

    Raises:
        LtcEdgeError: it is none, or is damaged.
    """
    SweepPlan.read(folder)
    swept = read_front(folder)
    return swept if budget is None else swept.with_budget(read_budget(budget))


def _go(said: Mapping[str, Any], folder: Path, plan: SweepPlan) -> Swept:
    """Bring the sweep of ``plan`` to its end, and write its result."""
    storage, note = open_storage(folder, storage_of(plan, said["storage"]))
    if note is not None:
        click.echo(f"Note: {note}", err=True)
    study = Study(plan, storage)
    total = max(said["trials"] or plan.trials, len(study.asked))
    trials = folder / TRIALS
    _make(trials)
    swept = _swept(study, trials)

    def keep() -> None:
        write_front(folder, _swept(study, trials))

    try:
        if len(study.told) < total:
            _search(said, study, trials, total, keep)
        if plan.measure.proxy:
            _confirm(said, study, trials)
    except BaseException:
        with contextlib.suppress(LtcEdgeError):  # what ended the sweep says more
            keep()
        raise
    swept = _swept(study, trials)
    for line in write_front(folder, swept):
        click.echo(f"Note: {line}", err=True)
    return swept


def _search(
    said: Mapping[str, Any], study: Study, trials: Path, total: int, keep: Callable[[], None]
) -> None:
    progress = SweepProgress(study.plan.measure, total, study.told, keep)
    if study.told:
        click.echo(f"Continuing after {len(study.told)} of {total} trials.", err=True)
    with _working(said, study.plan, trials) as engine, progress:
        run_sweep(study, engine, trials, total, progress)
    if study.is_exhausted:
        click.echo(f"Note: the space has no more than {len(study.told)} points to try", err=True)


def _confirm(said: Mapping[str, Any], study: Study, trials: Path) -> None:
    """Measure for real what the proxies put on the front, or right behind it."""
    numbers = to_confirm(results_of(study), study.plan.measure)
    confirmed = read_confirmed(study, trials)
    if numbers == list(confirmed):
        return
    check_tools(dataclasses.replace(study.plan.measure, proxy=False), study.plan.space.formats)
    click.echo(f"Measuring {len(numbers)} of {len(study.told)} trials for real.", err=True)
    progress = SweepProgress(study.plan.measure, len(numbers))
    with _working(said, study.plan, trials) as engine, progress:
        confirm(study, numbers, engine, trials, progress)


def _swept(study: Study, trials: Path) -> Swept:
    measure = study.plan.measure
    results = confirmed_results(study, read_confirmed(study, trials)) if measure.proxy else results_of(study)
    emulated = any(OBJECTIVES[name].stage == "emulate" for name in measure.wanted)
    return Swept(
        task=measure.source.name,
        goals=tuple(OBJECTIVES[name] for name in measure.objectives),
        budget=measure.budget,
        target=measure.target if emulated else None,
        results=tuple(results),
    )


@contextlib.contextmanager
def _working(said: Mapping[str, Any], plan: SweepPlan, trials: Path) -> Iterator[Engine]:
    engine = make_engine(said, plan, trials)
    try:
        yield engine
    finally:
        engine.close()


def _refuse_existing(folder: Path, force: bool) -> None:
    """Refuse early: a wrong folder must cost neither a sweep nor somebody's files."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not force:
        raise OutputError(
            f"{folder}: exists already; choose another with -o, go on with --resume, or use --force"
        )
    if not (folder / FILE).is_file():
        raise OutputError(f"{folder}: is no sweep, so --force does not replace it; choose another with -o")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror or error})") from None
