"""Options of ``ltc-edge profile``, and what they ask for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, Finite, stack

if TYPE_CHECKING:
    from ltc_edge.profiling.places import Place
    from ltc_edge.profiling.request import Request
    from ltc_edge.profiling.settings import Settings

DEFAULT_PARALLEL = 8
DEFAULT_DEVICE_TIMEOUT_S = 600.0
MOST_PERIODS = 10_000_000
"""Of a paced run: what a small device has the memory for."""


def states(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Callback: pairs such as in:out. TensorFlow's names end in a colon and a number."""
    pairs = []
    for value in values:
        parts = value.split(":")
        middle = len(parts) // 2
        if len(parts) % 2 or not all(parts):
            raise click.BadParameter(f"{value!r} is not a pair INPUT:OUTPUT such as h_in:h_out")
        pairs.append((":".join(parts[:middle]), ":".join(parts[middle:])))
    return tuple(pairs)


_COUNT = click.IntRange(min=0)
budget_options = stack(
    [
        click.option(f"--{name}", type=kind, help=f"Budget: {what}")
        for name, kind, what in (
            ("max-p99-us", Finite(min=0), "microseconds of a step at p99."),
            ("max-p999-us", Finite(min=0), "microseconds of a step at p99.9."),
            (
                "max-deadline-misses",
                _COUNT,
                "missed periods of the worst paced run (with --fifo, of its runs).",
            ),
            ("max-flash-bytes", _COUNT, "code and constants, of firmware."),
            ("max-ram-bytes", _COUNT, "variables and a context, of firmware."),
            ("max-stack-bytes", _COUNT, "stack of a step, of firmware."),
            ("max-instructions", _COUNT, "instructions of the longest step, of firmware."),
            ("max-error", Finite(min=0), "error of an action, in the actuator's unit."),
        )
    ]
)

timing_options = stack(
    [
        click.option(
            "--iterations",
            type=click.IntRange(100, 10_000_000),
            default=20_000,
            show_default=True,
            help="Steps to time, for each format.",
        ),
        click.option(
            "--seconds",
            type=Finite(0.01, 3600),
            default=2.0,
            show_default=True,
            help="The most that these steps may take, for each format.",
        ),
        click.option(
            "--warmup",
            type=click.IntRange(0, 1_000_000),
            default=500,
            show_default=True,
            help="Steps before these, which are not counted.",
        ),
        click.option(
            "--rounds",
            type=click.IntRange(2, 1000),
            default=20,
            show_default=True,
            help="In which formats take turns; more of them tell smaller differences from --baseline.",
        ),
        click.option(
            "--rate",
            type=Finite(0.1, 100_000),
            metavar="HZ",
            help="Also step at this rate, idle and under load, and count missed periods.",
        ),
        click.option(
            "--paced-seconds",
            type=Finite(0.1, 3600),
            default=3.0,
            show_default=True,
            help="Seconds of each run at --rate.",
        ),
        click.option(
            "--fifo",
            type=click.IntRange(1, 99),
            help="With --rate: also as a real-time process of this SCHED_FIFO priority, memory locked.",
        ),
        click.option(
            "--cpu",
            type=click.IntRange(0, 4095),
            help="Processor that steps run on. Without it, the last one.",
        ),
    ]
)

fleet_options = stack(
    [
        click.option(
            "--targets",
            type=FILE,
            metavar="FLEET.TOML",
            help="Profile every device of this file, side by side: see docs/fleet.md.",
        ),
        click.option(
            "--group",
            "groups",
            multiple=True,
            metavar="NAME",
            help="With --targets: only devices in this group; repeatable.",
        ),
        click.option(
            "--parallel",
            type=click.IntRange(1, 1000),
            help=f"With --targets: devices at once. Without it, what the file says, or {DEFAULT_PARALLEL}.",
        ),
        click.option(
            "--device-timeout",
            type=Finite(1, 86_400),
            metavar="S",
            help="With --targets: seconds after which a device has failed. "
            f"Without it, {DEFAULT_DEVICE_TIMEOUT_S:g}.",
        ),
    ]
)
"""They have no defaults of their own, so that one without --targets is noticed."""


def refuse_without_fleet(said: Mapping[str, Any]) -> None:
    """Refuse options that mean something of a fleet only.

    Raises:
        UsageError: one is said.
    """
    for name, flag in (
        ("groups", "--group"),
        ("parallel", "--parallel"),
        ("device_timeout", "--device-timeout"),
    ):
        if said[name]:
            raise click.UsageError(f"{flag} is for many devices: say --targets FLEET.TOML too")


def request_of(said: Mapping[str, Any], target: str, place: Place) -> Request:
    """What the options ask for, of a target."""
    from ltc_edge.profiling.request import Request

    return Request(
        target=target,
        place=place,
        settings=_settings(said),
        limits=_limits(said),
        baseline=said["baseline"],
        python=said["python"],
        folder=said["remote_dir"],
        install=said["install"],
        allow_throttled=said["allow_throttled"],
    )


def _settings(said: Mapping[str, Any]) -> Settings:
    from ltc_edge.profiling.settings import Settings

    chosen = {
        "iterations": said["iterations"],
        "seconds": said["seconds"],
        "warmup": said["warmup"],
        "rounds": said["rounds"],
        "rate_hz": said["rate"],
        "paced_seconds": said["paced_seconds"],
        "fifo": said["fifo"] or 0,
        "cpu": said["cpu"],
    }
    if said["c_flags"] is not None:
        try:
            chosen["compiler_flags"] = tuple(shlex.split(said["c_flags"]))
        except ValueError as error:
            raise click.UsageError(f"--c-flags cannot be read: {error}") from None
    settings = Settings(**chosen)
    if settings.periods > MOST_PERIODS:
        raise click.UsageError(f"{settings.periods:,} periods are too many; at most {MOST_PERIODS:,}")
    return settings


def _limits(said: Mapping[str, Any]) -> dict[str, float]:
    from ltc_edge.profiling.budgets import BUDGETS

    limits = {name: said[name.replace("-", "_")] for name in BUDGETS}
    return {name: limit for name, limit in limits.items() if limit is not None}
