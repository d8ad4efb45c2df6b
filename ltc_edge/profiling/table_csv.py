"""The figures of a profile as comma-separated values, one row a format."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

_SPREAD = ("p50", "p90", "p99", "p999", "max", "mean", "std")
COLUMNS = (
    *("target", "created", "valid", "format", "status", "reason", "detail", "bytes"),
    *("max_abs_error", "rms_over_sigma", "return_mean", "return_lost_percent"),
    *("runtime_name", "runtime_version"),
    *(f"latency_{name}_us" for name in _SPREAD),
    *("latency_samples", "step_us", "steps_per_second", "clock_us", "loop_us"),
    *("cold_start_ms", "load_ms", "first_step_us", "rss_bytes", "cpu_percent", "interruptions"),
    *("instructions_per_step", "instructions_least", "instructions_most"),
    *("loads_per_step", "stores_per_step", "bytes_read_per_step", "bytes_written_per_step"),
    *("cycles_estimate", "cycle_model", "flash_bytes", "ram_bytes", "stack_bytes"),
)
"""Columns of every table, in this order; what a profile has beyond these follows them."""

_UNITS = ("us", "ms", "bytes", "hz")
_COUNTS = ("samples",)
"""Figures of a distribution that are not in its unit."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def profile_csv(profile: Mapping[str, Any]) -> str:
    """The figures of every format, as text with a header line.

    A column is named after the keys in ``profile.json``, the unit last: ``latency_us.p50`` is in
    ``latency_p50_us``, and a paced run in columns that begin with its load and scheduling, as in
    ``paced_busy_fifo_50_wakeup_p99_us``. What was not measured is empty. Lists (histograms, rounds) are in
    the JSON alone.
    """
    about = {name: profile.get(name) for name in ("target", "created", "valid")}
    formats = profile.get("formats")
    rows = [
        {**about, "format": name, **_flat(entry)}
        for name, entry in (formats.items() if isinstance(formats, Mapping) else ())
        if isinstance(entry, Mapping)
    ]
    further = dict.fromkeys(column for row in rows for column in row if column not in COLUMNS)
    file = io.StringIO()
    writer = csv.DictWriter(file, [*COLUMNS, *further], lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: safe_cell(value) for column, value in row.items()} for row in rows)
    return file.getvalue()


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Every figure of a format by the name of its column."""
    found: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "paced" and isinstance(value, list):
            for run in value:
                if isinstance(run, Mapping):
                    _add_paced(found, run)
        elif key != "histogram":
            found.update(_named(key, value))
    return found


def _add_paced(found: dict[str, Any], run: Mapping[str, Any]) -> None:
    """The figures of a paced run; two with the same load and scheduling are told apart by a number."""
    words = [str(run.get(name, "")).replace(":", "_") for name in ("load", "scheduling")]
    prefix = stem = "_".join(["paced", *words])
    number = 1
    while any(column.startswith(f"{prefix}_") for column in found):
        number += 1
        prefix = f"{stem}_run{number}"
    for key, value in run.items():
        if key not in ("load", "scheduling"):
            found.update((f"{prefix}_{name}", figure) for name, figure in _named(key, value))


def _named(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The columns of one key: itself, or one for each of the figures below it."""
    if isinstance(value, Mapping):
        stem, _, unit = key.rpartition("_")
        for name, figure in value.items():
            if not stem or unit not in _UNITS:
                yield from _named(f"{key}_{name}", figure)
            else:
                yield from _named(f"{stem}_{name}" if name in _COUNTS else f"{stem}_{name}_{unit}", figure)
    elif not isinstance(value, (list, tuple)):
        yield key, value


def safe_cell(value: Any) -> Any:
    """A spreadsheet would run text that begins like a formula, and some of it comes from devices."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
