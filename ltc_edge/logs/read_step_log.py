"""Step logs of ``ltc-edge run``: columns by the names of the signals, steps at which the controller ran.

A signal's own name is what was read, or what was applied. ``proposal.NAME`` is what the controller asked
for, ``external.NAME`` what somebody else did, ``age_s.NAME`` how old a reading was. A name that is both a
reading's and an action's, or one of the columns below, is ``observation.NAME`` and ``action.NAME``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError
from ltc_edge.logs.columns import check_columns, check_unique
from ltc_edge.logs.read_bag import BAG_TIME, bag_columns, read_bag
from ltc_edge.logs.recording import Recording, checked_recording
from ltc_edge.supervision.codes import Mode

if TYPE_CHECKING:
    from ltc_edge.deploy.step_log.messages import Steps
    from ltc_edge.deploy.step_log.reading import StepLog

SINGLE = ("mode", "status", "requests", "missed", "dt_s")
"""Columns that are one number a step."""

RUNNING = (Mode.SHADOW, Mode.ACTIVE)
"""Modes whose steps are rows."""

_Place = tuple[str, int | None]
"""A field of a step, and an index into it."""


def mcap_columns(path: Path) -> tuple[str, ...]:
    """Columns of an MCAP file, be it a step log or any other; see `bag_columns`."""
    from ltc_edge.deploy.step_log.reading import StepLog, is_step_log

    return tuple(_places(StepLog(path))) if is_step_log(path) else bag_columns(path)


def read_mcap(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of an MCAP file, be it a step log or any other; see `read_bag`."""
    from ltc_edge.deploy.step_log.reading import is_step_log

    return read_step_log(path, columns, time) if is_step_log(path) else read_bag(path, columns, time)


def read_step_log(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of a step log, at the steps in which the controller ran: active, or in shadow mode.

    A run ends where steps are missing, where the controller did not run, or where a value is not finite.

    Args:
        path: the file.
        columns: names to read; None reads the signals.
        time: ``"time"`` or None; both give the clock that never jumps.

    Raises:
        RecordingError: a damaged log, a missing column, fewer than two such steps.
        MissingExtraError: mcap is not installed.
    """
    from ltc_edge.deploy.step_log.reading import StepLog

    if time not in (None, BAG_TIME):
        raise RecordingError(
            f"{path}: has no time column {time!r}. A step log's is that of its steps, called {BAG_TIME!r}."
        )
    log = StepLog(path)
    places = _places(log)
    check_unique(list(places), str(path))
    if columns is None:
        columns = [name for name, (field, _) in places.items() if field in ("observation", "action")]
    check_columns(columns, list(places), str(path))
    chosen = [places[name] for name in columns]
    values, numbers, times_ns = _read(log, chosen)
    if len(values) < 2:
        raise RecordingError(
            f"{path}: the controller ran in {len(values)} steps whose values are finite. "
            "A recording needs two, in active or shadow mode."
        )
    begins = tuple(int(row) + 1 for row in np.flatnonzero(np.diff(numbers) != 1))
    return checked_recording(path, columns, values, (times_ns - times_ns[:1]) / 1e9, begins=begins)


def _places(log: StepLog) -> dict[str, _Place]:
    """Where each column stands in a step."""
    seen = _names(log.facts.observations, log.observations, "observation")
    done = _names(log.facts.actions, log.actions, "action")
    taken = Counter([*seen, *done, *SINGLE])

    def own(kind: str, names: Sequence[str]) -> dict[str, _Place]:
        unique = [name if taken[name] == 1 else f"{kind}.{name}" for name in names]
        return {name: (kind, index) for index, name in enumerate(unique)}

    def other(kind: str, names: Sequence[str]) -> dict[str, _Place]:
        return {f"{kind}.{name}": (kind, index) for index, name in enumerate(names)}

    return {
        **own("observation", seen),
        **own("action", done),
        **other("proposal", done),
        **other("external", done),
        **other("age_s", seen),
        **{name: (name, None) for name in SINGLE},
    }


def _names(signals: Sequence[tuple[str, str]], count: int, kind: str) -> list[str]:
    """The signals' names; numbered ones where the log does not say them."""
    if len(signals) == count:
        return [name for name, _ in signals]
    return [f"{kind}_{index}" for index in range(count)]


def _read(log: StepLog, chosen: Sequence[_Place]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values ``[T, C]``, numbers and times of the steps that are rows."""
    blocks: list[FloatArray] = [np.zeros((0, len(chosen)))]
    numbers, times_ns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for block in log.blocks():
        values = np.stack([_column(block.steps, place) for place in chosen], axis=1)
        used = np.isin(block.steps["mode"], RUNNING) & np.isfinite(values).all(axis=1)
        steps = block.steps[used]
        blocks.append(values[used])
        numbers.append(steps["sequence"].astype(np.int64))
        times_ns.append(steps["monotonic_ns"])
    return np.concatenate(blocks), np.concatenate(numbers), np.concatenate(times_ns)


def _column(steps: Steps, place: _Place) -> FloatArray:
    field, index = place
    return np.asarray(steps[field] if index is None else steps[field][:, index], dtype=np.float64)
