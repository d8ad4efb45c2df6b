"""Reading ``profile.json``. It may be anybody's: each field is checked, and few are needed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from ltc_edge.errors import InputError
from ltc_edge.export.c.stages import STAGES
from ltc_edge.profiling.baseline import FORMAT, SCHEMA
from ltc_edge.report.device_facts import device_facts, settings_facts
from ltc_edge.report.fields import Fields, read_fields
from ltc_edge.report.profile import (
    Budget,
    Comparison,
    Distribution,
    Emulated,
    Firmware,
    FormatFigures,
    Histogram,
    PacedRun,
    Profile,
)

KINDS = ("linux", "emulated", "serial")
STATUSES = ("ok", "failed", "refused", "not-run")
MOST_BINS = 2000
LEAST_US, MOST_US = 1e-6, 1e12
"""From a picosecond to eleven days: no step is beyond."""
MOST_COUNT = 2**53


def read_profile(path: Path) -> Profile:
    """The profile in a file of `ltc-edge profile`.

    Raises:
        InputError: there is none, it is damaged, or of an unknown version.
    """
    fields = read_fields(path)
    if fields.text("format") != FORMAT:
        raise InputError(f"{path}: is not a profile of `ltc-edge profile`")
    if fields.number("schema") != SCHEMA:
        raise InputError(f"{path}: its schema is unknown here (this is version {SCHEMA}); upgrade ltc-edge")
    baseline, recommendation = fields.inside("baseline"), fields.inside("recommendation")
    valid = fields.flag("valid")
    if valid is None:
        raise InputError(f"{path}: does not say whether it is valid; profile again")
    return Profile(
        path=str(path),
        target=fields.text("target") or "unnamed target",
        kind=_choice(fields, "kind", KINDS),
        sha256=fields.inside("subject").text("sha256"),
        ltc_edge=fields.text("ltc_edge"),
        created=fields.text("created"),
        valid=valid,
        partial=fields.flag("partial") or False,
        problems=fields.texts("problems"),
        recommended=recommendation.text("format"),
        reason=recommendation.text("reason"),
        settings=settings_facts(fields.inside("settings")),
        device=device_facts(fields.inside("device")),
        formats=tuple(_format(name, entry) for name, entry in fields.by_name("formats")),
        budgets=tuple(_budget(entry) for entry in fields.items("budgets")),
        baseline_file=baseline.text("file"),
        baseline=tuple(_comparison(name, entry) for name, entry in baseline.by_name("formats")),
    )


def _choice(fields: Fields, name: str, choices: tuple[str, ...]) -> str:
    value = fields.text(name)
    if value not in choices:
        raise InputError(f"{fields.where}: {name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def _format(name: str, fields: Fields) -> FormatFigures:
    stages, runtime = fields.inside("stages"), fields.inside("runtime")
    shares = {stage: stages.number(stage) for stage in STAGES}
    named = (runtime.text("name"), runtime.text("version"), runtime.text("compiler"), runtime.text("flags"))
    return FormatFigures(
        name=name,
        status=_choice(fields, "status", STATUSES),
        reason=fields.text("reason"),
        detail=fields.text("detail"),
        runtime=", ".join(dict.fromkeys(part for part in named if part)) or None,
        latency=_distribution(fields.inside("latency_us")),
        histogram=_histogram(fields.inside("histogram")),
        step_us=fields.number("step_us"),
        steps_per_second=fields.number("steps_per_second"),
        cold_start_ms=fields.number("cold_start_ms"),
        load_ms=fields.number("load_ms"),
        first_step_us=fields.number("first_step_us"),
        rss_bytes=fields.count("rss_bytes"),
        cpu_percent=fields.number("cpu_percent"),
        interruptions=fields.count("interruptions"),
        max_abs_error=fields.number("max_abs_error"),
        paced=tuple(_paced(entry) for entry in fields.items("paced")),
        stages={stage: share for stage, share in shares.items() if share is not None},
        emulated=_emulated(fields),
        firmware=firmware_of(fields),
    )


def _distribution(fields: Fields) -> Distribution:
    names = ("p50", "p90", "p99", "p999", "max", "std")
    return Distribution(fields.count("samples"), *(fields.number(name) for name in names))


def _histogram(fields: Fields) -> Histogram | None:
    edges, counts = fields.numbers("edges_us"), fields.numbers("counts")
    if not edges and not counts:
        return None
    ascending = all(low <= high for low, high in pairwise(edges))
    fits = len(edges) == len(counts) + 1 and len(counts) <= MOST_BINS
    if not (fits and ascending and edges[0] >= LEAST_US and edges[-1] <= MOST_US):
        raise InputError(
            f"{fields.where}: needs n + 1 rising edges_us from {LEAST_US:g} to {MOST_US:g} for n counts, "
            f"n at most {MOST_BINS}"
        )
    if any(not 0 <= count <= MOST_COUNT or count != int(count) for count in counts):
        raise InputError(f"{fields.where}: counts must be whole numbers, from 0 to 2^53")
    return Histogram(edges, tuple(int(count) for count in counts))


def _paced(fields: Fields) -> PacedRun:
    return PacedRun(
        refused=fields.text("status") == "refused",
        detail=fields.text("detail"),
        load=fields.text("load"),
        scheduling=fields.text("scheduling"),
        cpu=fields.count("cpu"),
        rate_hz=fields.number("rate_hz"),
        periods=fields.count("periods"),
        wakeup=_distribution(fields.inside("wakeup_us")),
        execution=_distribution(fields.inside("execution_us")),
        misses=fields.count("misses"),
        longest_run_of_misses=fields.count("longest_run_of_misses"),
    )


def _emulated(fields: Fields) -> Emulated:
    names = (
        "instructions_per_step",
        "instructions_least",
        "instructions_most",
        "loads_per_step",
        "stores_per_step",
        "bytes_read_per_step",
        "bytes_written_per_step",
        "cycles_estimate",
    )
    return Emulated(fields.text("cycle_model"), *(fields.count(name) for name in names))


def firmware_of(fields: Fields) -> Firmware:
    """What firmware takes, of a profile's format or of a target in ``verification.json``."""
    names = ("flash_bytes", "ram_bytes", "stack_bytes", "instructions_per_step")
    return Firmware(*(fields.count(name) for name in names))


def _budget(fields: Fields) -> Budget:
    return Budget(
        budget=fields.text("budget") or "unnamed",
        format=fields.text("format"),
        limit=fields.number("limit"),
        value=fields.number("value"),
        kept=fields.flag("kept"),
        over=fields.number("over"),
    )


def _comparison(name: str, fields: Fields) -> Comparison:
    interval = fields.numbers("ci99")
    low, high = interval if len(interval) == 2 else (None, None)
    return Comparison(name, fields.text("of"), fields.number("ratio"), low, high, fields.flag("regression"))
