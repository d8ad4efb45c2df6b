"""What a command says: one JSON object on standard output, or tables; progress goes to standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


def print_json(document: Mapping[str, Any]) -> None:
    """Print ``document`` on one line; a figure that is not finite is a defect, and raises."""
    click.echo(json.dumps(document, allow_nan=False))


def console(*, error: bool = False) -> Console:
    """A rich console on standard output, or standard error."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # which `main` takes for no error, where rich would exit with 1

    # Names are users' own: a bracket in one is no markup.
    return Quiet(stderr=error, highlight=False, soft_wrap=True, markup=False)


def one_line(text: str) -> str:
    """A name that somebody else chose, without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on standard error, moved by a share from 0 to 1; silent where that is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(
        *columns, console=console(error=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        bar = progress.add_task(description, total=1.0)
        yield lambda share: progress.update(bar, completed=share)


@contextmanager
def stages() -> Iterator[Callable[[str, float], None]]:
    """A progress bar for each stage of a command, as `progress_bar`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(
        *columns, console=console(error=True), transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        bars: dict[str, Any] = {}

        def on_share(stage: str, share: float) -> None:
            if stage not in bars:
                for earlier in bars.values():
                    progress.update(earlier, completed=1.0)
                bars[stage] = progress.add_task(stage, total=1.0)
            progress.update(bars[stage], completed=share)

        yield on_share


class TrainingProgress:
    """Shows a run: a live line on a terminal, a line for each validated round elsewhere."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._rounds = 0
        self._live: Any = None
        self._bar: Any = None
        self._loss = ""
        self._best = ""
        self._last_tick = 0.0

    def __enter__(self) -> TrainingProgress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, rounds: int, completed: int) -> None:
        """The run starts, or continues after ``completed`` rounds."""
        self._rounds = rounds
        if completed:
            click.echo(f"Continuing after round {completed} of {rounds}.", err=True)
        if not sys.stderr.isatty():
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("left at most"),
            TimeRemainingColumn(),
            console=console(error=True),
        )
        self._bar = self._live.add_task(f"round {completed + 1}/{rounds}", total=rounds, completed=completed)
        self._live.start()

    def tick(self, index: int, share: float) -> None:
        """A share of round ``index`` is done."""
        if self._live is None or time.monotonic() - self._last_tick < 0.1:
            return
        self._last_tick = time.monotonic()
        description = f"round {index + 1}/{self._rounds}{self._loss}{self._best}"
        self._live.update(self._bar, completed=index + share, description=description)

    def record(self, record: Mapping[str, Any]) -> None:
        """A round is done."""
        value = record[self._metric]
        self._loss = f"  loss {record['loss']:.4g}"
        if value is not None:
            self._best = f"  {self._metric.replace('_', ' ')} {value:.5g}"
        if self._live is None and value is not None:
            done = f"round {record['round'] + 1}/{self._rounds}"
            click.echo(f"{done}{self._loss}{self._best}  {record['seconds']:.0f} s", err=True)
