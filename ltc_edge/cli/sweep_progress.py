"""How far a sweep is: a live line on a terminal, a line for each told trial elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import console, one_line
from ltc_edge.report.wording import number_text

if TYPE_CHECKING:
    from ltc_edge.sweep.engines.engine import Lost
    from ltc_edge.sweep.measurement import MeasurementPlan
    from ltc_edge.sweep.study import Asked
    from ltc_edge.sweep.told import Told


KEEP_EVERY_S = 30.0
"""Seconds after which what there is so far is written again."""


class SweepProgress:
    """A `Watcher` that shows what it is told.

    Args:
        measure: what is measured.
        total: trials to be told.
        told: those that were told before.
        keep: called at times, to write down what there is so far.
    """

    def __init__(
        self,
        measure: MeasurementPlan,
        total: int,
        told: Sequence[Told] = (),
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        self._measure, self._total, self._keep = measure, total, keep
        self._done, self._busy, self._feasible = len(told), 0, 0
        self._best: float | None = None
        self._kept_s = -float("inf")
        self._live: Any = None
        self._bar: Any = None
        for earlier in told:
            self._note(earlier)

    def __enter__(self) -> SweepProgress:
        if sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

            self._live = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TimeElapsedColumn(),
                TextColumn("left about"),
                TimeRemainingColumn(),
                console=console(error=True),
                transient=True,
            )
            self._bar = self._live.add_task(self._words(), total=self._total, completed=self._done)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def working(self, busy: int) -> None:
        """See `Watcher`."""
        self._busy = busy
        self._show()

    def lost(self, lost: Lost) -> None:
        """See `Watcher`."""
        self._say(f"{lost.work.name} is done again: {one_line(lost.reason)}")

    def told(self, asked: Asked, told: Told) -> None:
        """See `Watcher`."""
        self._done += 1
        self._note(told)
        self._show()
        if self._live is None:
            self._say(f"trial {asked.number} ({self._done}/{self._total}): {self._outcome(told)}")
        if time.monotonic() - self._kept_s > KEEP_EVERY_S:
            self._keep()
            self._kept_s = time.monotonic()

    def _note(self, told: Told) -> None:
        if told.state != "complete" or any(over > 0 for over in told.violations.values()):
            return
        self._feasible += 1
        metric = self._measure.metric
        value = told.figures.get(metric.name)
        if value is not None and (self._best is None or metric.is_better(value, self._best)):
            self._best = value

    def _outcome(self, told: Told) -> str:
        if told.state != "complete":
            return f"{told.state}: {one_line(told.reason or 'no reason is known')}"
        figures = ", ".join(f"{name} {number_text(told.figures[name])}" for name in self._measure.objectives)
        over = [limit for limit, by in told.violations.items() if by > 0]
        return figures + (f" (not {', '.join(over)})" if over else "")

    def _words(self) -> str:
        best = "" if self._best is None else f", best {self._measure.metric.name} {number_text(self._best)}"
        return f"{self._done}/{self._total} trials, {self._feasible} feasible{best}, {self._busy} at work"

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._bar, completed=self._done, description=self._words())

    def _say(self, line: str) -> None:
        if self._live is not None:
            self._live.console.print(line)
        else:
            click.echo(line, err=True)
