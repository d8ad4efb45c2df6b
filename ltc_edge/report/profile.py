"""A profile as data: what `ltc-edge profile` measured; docs/profile-format.md says what each figure means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Distribution:
    """Quantiles of times in microseconds; None where there were too few samples to tell."""

    samples: int | None
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max: float | None
    std: float | None


@dataclass(frozen=True)
class Histogram:
    """Counts ``(n,)`` between edges ``(n + 1,)`` in microseconds."""

    edges_us: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class PacedRun:
    """Steps at the rate of a control loop, or with ``detail`` why there were none."""

    refused: bool
    detail: str | None
    load: str | None
    scheduling: str | None
    cpu: int | None
    rate_hz: float | None
    periods: int | None
    wakeup: Distribution
    execution: Distribution
    misses: int | None
    longest_run_of_misses: int | None


@dataclass(frozen=True)
class Emulated:
    """Counts of a step in an emulator, and what a model makes of them."""

    cycle_model: str | None
    instructions: int | None
    instructions_least: int | None
    instructions_most: int | None
    loads: int | None
    stores: int | None
    bytes_read: int | None
    bytes_written: int | None
    cycles_estimate: int | None


@dataclass(frozen=True)
class Firmware:
    """Bytes of a controller on a processor without an operating system."""

    flash_bytes: int | None
    ram_bytes: int | None
    stack_bytes: int | None
    instructions: int | None


@dataclass(frozen=True)
class FormatFigures:
    """What was measured of one format; `status` is ``ok``, ``failed``, ``refused`` or ``not-run``."""

    name: str
    status: str
    reason: str | None
    detail: str | None
    runtime: str | None
    latency: Distribution
    histogram: Histogram | None
    step_us: float | None
    steps_per_second: float | None
    cold_start_ms: float | None
    load_ms: float | None
    first_step_us: float | None
    rss_bytes: int | None
    cpu_percent: float | None
    interruptions: int | None
    max_abs_error: float | None
    paced: tuple[PacedRun, ...]
    stages: Mapping[str, float]
    emulated: Emulated
    firmware: Firmware


@dataclass(frozen=True)
class Budget:
    """A limit, and whether a format kept it."""

    budget: str
    format: str | None
    limit: float | None
    value: float | None
    kept: bool | None
    over: float | None


@dataclass(frozen=True)
class Comparison:
    """A format against an earlier profile: the ratio of its times or instructions, and its 99 % interval."""

    format: str
    of: str | None
    ratio: float | None
    low: float | None
    high: float | None
    regression: bool | None


@dataclass(frozen=True)
class Device:
    """What the device is, and what of its state was read before and after, as labelled texts."""

    facts: tuple[tuple[str, str], ...]
    state: tuple[tuple[str, str | None, str | None], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """One profile.

    Attributes:
        path: the file, for messages.
        target, kind: as on the command line; ``linux``, ``emulated`` or ``serial``.
        sha256: of the manifest of the bundle that was profiled.
        valid, problems, partial: whether the figures can be trusted, and what speaks against it.
        recommended, reason: the format to ship; None where none could be recommended.
    """

    path: str
    target: str
    kind: str
    sha256: str | None
    ltc_edge: str | None
    created: str | None
    valid: bool
    partial: bool
    problems: tuple[str, ...]
    recommended: str | None
    reason: str | None
    settings: tuple[tuple[str, str], ...]
    device: Device
    formats: tuple[FormatFigures, ...]
    budgets: tuple[Budget, ...]
    baseline_file: str | None
    baseline: tuple[Comparison, ...]
