"""How a loop is to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunRequest:
    """How a loop is to run.

    Attributes:
        io: URL of where readings come from and actions go.
        period_s: of the loop.
        every: periods from one step of the controller to the next.
        at_start: "arm", "shadow", or None for staying disarmed until somebody arms it.
        fifo: priority under SCHED_FIFO; None for the usual scheduling. With it, memory is locked.
        cpu: processor that it runs on alone; None for any.
        spin_s: how long before each deadline it is awake already.
        bind: whether other machines may send readings.
        log: MCAP file for every step; None for none.
        log_minutes: the log is NAME-0001.mcap, NAME-0002.mcap and so on, each of so many minutes; None for
            one file.
        log_keep: how many of these stay.
        force: whether the log replaces a file that is there.
        duration_s: after which it ends; None for no end.
        bare: whether the controller is also timed alone.
    """

    io: str
    period_s: float
    every: int = 1
    at_start: str | None = None
    fifo: int | None = None
    cpu: int | None = None
    spin_s: float = 0.0
    bind: bool = False
    log: Path | None = None
    log_minutes: int | None = None
    log_keep: int = 24
    force: bool = False
    duration_s: float | None = None
    bare: bool = False

    def arguments(self) -> list[str]:
        """The options of the loop program that say so, but for its I/O."""
        said: dict[str, object] = {
            "--period": repr(self.period_s),
            "--every": self.every,
            "--fifo": self.fifo,
            "--cpu": self.cpu,
            "--spin": repr(self.spin_s),
            "--log": self.log,
            "--log-minutes": self.log_minutes,
            "--log-keep": None if self.log_minutes is None else self.log_keep,
            "--duration": None if self.duration_s is None else repr(self.duration_s),
        }
        flags = {
            f"--{self.at_start}": self.at_start is not None,
            "--lock": self.fifo is not None,
            "--bind": self.bind,
            "--force": self.force,
            "--bare": self.bare,
        }
        words = [word for name, value in said.items() if value is not None for word in (name, str(value))]
        return [*words, *(name for name, is_said in flags.items() if is_said)]
