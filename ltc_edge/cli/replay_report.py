"""What ``ltc-edge replay`` says of a log: lines, and JSON."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from ltc_edge.cli.output import one_line
from ltc_edge.deploy.replay.library import INPUTS
from ltc_edge.deploy.replay.replay import Difference, Replay
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.supervision.codes import Mode

_SHOWN = 8
"""Values of one field in the text; JSON has all."""


def replay_document(path: Path, log: StepLog, found: Replay) -> dict[str, Any]:
    """The JSON of one log."""
    return {
        "log": str(path),
        "controller": log.facts.controller,
        "steps": found.steps,
        "seconds": found.seconds,
        "differing_steps": found.differing,
        "first_difference": None if found.first is None else _difference(found.first),
        "gaps": found.gaps,
        "missing_steps": found.missing,
        "steps_without_state": found.unreachable,
        "changed_memory": found.changed,
        "modes": {_mode(mode): count for mode, count in sorted(found.modes.items())},
        "closed": found.is_whole,
    }


def print_replay(path: Path, log: StepLog, found: Replay) -> None:
    """A verdict, and what there is to know beside it."""
    name = one_line(str(path))
    span = f"{found.steps} steps, {found.seconds:.1f} s"
    if found.first is None:
        click.echo(f"{name}: OK: {span}, every action, status and state the same to the bit")
    else:
        click.echo(f"{name}: DIFFERS: {found.differing} of {span}; the first is")
        for line in _lines(log, found.first):
            click.echo(f"  {line}")
    for note in _notes(found):
        click.echo(f"  {note}")


def _notes(found: Replay) -> list[str]:
    notes = []
    if found.modes:
        steps = ", ".join(f"{_mode(mode)} {count}" for mode, count in sorted(found.modes.items()))
        notes.append(f"steps by mode: {steps}")
    if found.gaps:
        notes.append(
            f"{found.missing} steps are missing at {found.gaps} places; replayed on from the state there"
        )
    if found.unreachable:
        notes.append(f"{found.unreachable} steps have no state to begin with and were left out")
    if found.changed:
        notes.append(f"memory had been changed between steps {found.changed} times, and was replayed so")
    if not found.is_whole:
        notes.append(
            "the log was not closed (a power loss or a kill): it was replayed up to its last whole chunk"
        )
    return notes


def _lines(log: StepLog, difference: Difference) -> list[str]:
    """The step, what went in, and what came out otherwise."""
    lines = [f"step {difference.sequence}, {difference.at_s:.3f} s after the first"]
    given = ("observation", "dt_s")
    lines += [f"{name}: {_some(difference.logged[name], _signals(log, name))}" for name in given]
    for name in difference.outputs:
        signals = _signals(log, name)
        lines.append(f"{name}, logged:   {_some(difference.logged[name], signals)}")
        lines.append(f"{name}, replayed: {_some(difference.replayed[name], signals)}")
    if not difference.outputs:
        lines.append("the state before it is not the one that was logged")
    return lines


def _signals(log: StepLog, field: str) -> list[str]:
    if field in ("observation", "age_s"):
        return [one_line(name) for name, _ in log.facts.observations]
    return [one_line(name) for name, _ in log.facts.actions] if field in ("action", "proposal") else []


def _some(value: npt.ArrayLike, signals: list[str]) -> str:
    """Values with their bits, and their signals' names."""
    values = np.atleast_1d(np.asarray(value))
    names = [f"{name} " for name in signals] if len(signals) == len(values) else [""] * len(values)
    shown = [f"{name}{_number(one)}" for name, one in zip(names, values[:_SHOWN], strict=False)]
    more = [f"and {len(values) - _SHOWN} more"] if len(values) > _SHOWN else []
    return ", ".join(shown + more)


def _number(value: Any) -> str:
    bits = _bits(value)
    return f"{float(value):.9g} ({bits})" if value.dtype.kind == "f" else bits


def _bits(value: Any) -> str:
    return f"0x{int(value.view(np.uint32)):08x}"


def _mode(mode: int) -> str:
    return Mode(mode).name.lower() if mode in tuple(Mode) else str(mode)


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "sequence": difference.sequence,
        "at_s": difference.at_s,
        "outputs": list(difference.outputs),
        "input": {name: _plain(difference.logged[name]) for name in INPUTS},
        "logged": {name: _both(difference.logged[name]) for name in difference.outputs},
        "replayed": {name: _both(difference.replayed[name]) for name in difference.outputs},
    }


def _both(value: npt.ArrayLike) -> dict[str, Any]:
    """A field's values, and its bits."""
    return {"value": _plain(value), "bits": [_bits(one) for one in np.atleast_1d(np.asarray(value))]}


def _plain(value: npt.ArrayLike) -> Any:
    """Numbers for JSON, which has none that are not finite."""
    array = np.asarray(value)
    if array.ndim:
        return [_plain(one) for one in array]
    number = array.item()
    return number if isinstance(number, int) or math.isfinite(number) else str(number)
