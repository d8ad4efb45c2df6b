"""What ``ltc-edge run`` shows: a line a second, and a summary."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import console, one_line

if TYPE_CHECKING:
    from rich.table import Table

    from ltc_edge.controller import Controller
    from ltc_edge.deploy.run.page import Snapshot, Times
    from ltc_edge.deploy.run.process import LoopProcess
    from ltc_edge.deploy.run.request import RunRequest


class Progress:
    """Tells that a loop runs, and on a terminal what it does, once a second.

    Attributes:
        last: what it did last; None before it told anything.
    """

    def __init__(
        self, controller: Controller, request: RunRequest, form: str, status_at: tuple[str, int] | None
    ) -> None:
        self.last: Snapshot | None = None
        self._controller, self._request, self._form = controller, request, form
        self._began = time.monotonic()
        self._status_at, self._status_port = status_at, None if status_at is None else status_at[1]
        self._lined = False

    def start(self, loop: LoopProcess, where: str, status_port: int | None) -> None:
        """It runs."""
        self._status_port = status_port
        self._began = time.monotonic()
        request = self._request
        every = "" if request.every == 1 else f", the controller stepped every {request.every} periods"
        armed = {"arm": "armed once every reading has come", "shadow": "in shadow", None: "disarmed"}
        click.echo(
            f"{one_line(self._controller.name)} ({self._form}) at {1 / request.period_s:.6g} Hz{every}, "
            f"{armed[request.at_start]}; {where}; process {loop.pid}",
            err=True,
        )
        if self._status_at is not None:
            host = f"[{self._status_at[0]}]" if ":" in self._status_at[0] else self._status_at[0]
            click.echo(f"Status page: http://{host}:{status_port}/", err=True)

    def state(self, snapshot: Snapshot) -> None:
        """A second has passed."""
        self.last = snapshot
        if not sys.stderr.isatty():
            return
        self._lined = True
        # One row: a line that wraps could not be taken back.
        line = one_line(self._line(snapshot))[: shutil.get_terminal_size().columns - 1]
        click.echo(f"\r\x1b[K{line}", err=True, nl=False)

    def end(self) -> None:
        """It runs no more."""
        if self._lined:
            click.echo(err=True)
            self._lined = False

    def facts(self) -> dict[str, Any]:
        """Keys of ``--json`` that say how it ran."""
        request = self._request
        return {
            "controller": self._controller.name,
            "format": self._form,
            "period_s": request.period_s,
            "every": request.every,
            "fifo": request.fifo,
            "cpu": request.cpu,
            "log": None if request.log is None else str(request.log),
            "log_minutes": request.log_minutes,
            "log_keep": None if request.log_minutes is None else request.log_keep,
            "status_port": self._status_port,
            "seconds": round(time.monotonic() - self._began, 3),
        }

    def _line(self, snapshot: Snapshot) -> str:
        from ltc_edge.supervision.codes import status_names

        names = [signal.name for signal in self._controller.actions]
        actions = " ".join(f"{n} {v:.4g}" for n, v in zip(names, snapshot.action, strict=True))
        status = ", ".join(status_names(snapshot.status)) or "ok"
        late = _microseconds(snapshot.latency.percentile_us(0.99))
        return (
            f"{snapshot.mode}: {actions} ({status}); {snapshot.counts['periods']:,} periods, "
            f"{snapshot.counts['missed']:,} missed, wake-up p99 {late}"
        )


def print_summary(snapshot: Snapshot, controller: Controller, *, error: bool = False) -> None:
    """Tables of what the loop did, on standard output or standard error."""
    from rich.table import Table

    from ltc_edge.supervision.codes import status_names

    counts = snapshot.counts
    shown = Table(title=f"{one_line(controller.name)}: {snapshot.end or 'killed'}", title_justify="left")
    shown.add_column("what")
    shown.add_column("count", justify="right")
    rows = [
        ("periods", counts["periods"]),
        *((f"steps {mode}", count) for mode, count in snapshot.modes.items() if count),
        ("missed deadlines", counts["missed"]),
        ("longest run of them", counts["longest_run"]),
        ("periods left out", counts["left_out"]),
        ("messages taken", snapshot.io["taken"]),
        *(
            (f"messages {name.replace('_', ' ')}", count)
            for name, count in snapshot.io.items()
            if count and name != "taken"
        ),
    ]
    if counts["log_dropped"]:
        rows.append(("steps the log had no room for", counts["log_dropped"]))
    for index, count in enumerate(snapshot.with_bit):
        if count:
            rows.append((f"steps with {', '.join(status_names(1 << index)) or hex(1 << index)}", count))
    for name, number in rows:
        shown.add_row(name, f"{number:,}")
    console(error=error).print(shown)
    console(error=error).print(_times_table(snapshot))


def _times_table(snapshot: Snapshot) -> Table:
    from rich.table import Table

    times = Table()
    for name in ("time, µs", "p50", "p90", "p99", "p99.9", "max"):
        times.add_column(name, justify="left" if name == "time, µs" else "right")
    for name, found in (
        ("wake-up latency", snapshot.latency),
        ("execution", snapshot.execution),
        ("added to the bare step", snapshot.added),
    ):
        if found.count:
            times.add_row(name, *_percentiles(found))
    return times


def _percentiles(times: Times) -> list[str]:
    found = [times.percentile_us(share) for share in (0.5, 0.9, 0.99, 0.999)]
    return [*("–" if value is None else f"{value:.1f}" for value in found), f"{times.largest * 1e-3:.1f}"]


def _microseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} µs"
