"""Budgets: the most that a format may take of something, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltc_edge.errors import InputError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Budget:
    """A kind of budget.

    Attributes:
        name: as the option and the profile call it.
        what: in words, with its unit.
        kinds: of targets where it is measured.
        value: what a format takes of it; None where that was not measured.
        where: what has it measured, where this kind of target does not.
        hint: what has it measured, where this run did not.
    """

    name: str
    what: str
    kinds: tuple[str, ...]
    value: Callable[[Row], float | None]
    where: str
    hint: str


def _at(*path: str) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        found: Any = row
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return None if found is None else float(found)

    return value


def misses(row: Row) -> int | None:
    """Missed periods of the worst paced run; None where none ran.

    Where runs as a real-time process were asked for, those count: the others only show what it is good for.
    """
    runs = row.get("paced") or ()
    wanted = [run for run in runs if run["scheduling"] != "other"] or runs
    return max((run["misses"] for run in wanted if run["status"] == "ok"), default=None)


_TIMED, _COUNTED = ("linux", "serial"), ("emulated",)
_A_BOARD, _FIRMWARE = "--target local, ssh://… or serial:…", "an emulated --target, such as cortex-m4"
_LONGER = "more --iterations"


def _size(what: str) -> Budget:
    return Budget(
        f"max-{what}-bytes", f"bytes of {what}", _COUNTED, _at(f"{what}_bytes"), _FIRMWARE, _FIRMWARE
    )


BUDGETS = {
    budget.name: budget
    for budget in (
        Budget("max-p99-us", "µs at p99", _TIMED, _at("latency_us", "p99"), _A_BOARD, _LONGER),
        Budget("max-p999-us", "µs at p99.9", _TIMED, _at("latency_us", "p999"), _A_BOARD, _LONGER),
        Budget(
            "max-deadline-misses",
            "missed periods",
            ("linux",),
            misses,
            "--rate",
            "a device that allows these runs",
        ),
        _size("flash"),
        _size("ram"),
        _size("stack"),
        Budget("max-instructions", "instructions", _COUNTED, _at("instructions_most"), _FIRMWARE, _FIRMWARE),
        Budget("max-error", "of error", (*_TIMED, *_COUNTED), _at("max_abs_error"), "a bundle", "numbers"),
    )
}


def is_measured(name: str, kind: str, *, rated: bool) -> bool:
    """Whether what a budget limits is measured on a kind of target, with or without paced runs."""
    return kind in BUDGETS[name].kinds and (name != "max-deadline-misses" or rated)


def refuse_unmeasured(limits: Mapping[str, float], kind: str, *, rated: bool) -> None:
    """Refuse a budget of something that is not measured on a kind of target: it could not be broken.

    Raises:
        InputError: there is one.
    """
    for name in limits:
        if not is_measured(name, kind, rated=rated):
            raise InputError(f"--{name} is not measured here: that takes {BUDGETS[name].where}")


def judge(limits: Mapping[str, float], rows: Mapping[str, Row]) -> list[dict[str, Any]]:
    """Each budget with each format that ran, as the profile has it; what was not measured is not kept."""
    return [
        {
            "budget": name,
            "limit": limit,
            "format": form,
            "value": value,
            "kept": value is not None and value <= limit,
            "over": None if value is None else max(value - limit, 0.0),
        }
        for name, limit in limits.items()
        for form, row in rows.items()
        if row["status"] == "ok"
        for value in (BUDGETS[name].value(row),)
    ]


def broken(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which budgets are broken, by which format, and by how much, a line each."""
    lines = []
    for entry in judged:
        budget = BUDGETS[entry["budget"]]
        if entry["kept"]:
            continue
        if entry["value"] is None:
            lines.append(
                f"{entry['format']}: --{budget.name} cannot be judged, it was not measured: that takes "
                f"{budget.hint}"
            )
            continue
        share = f" ({100 * entry['over'] / entry['limit']:.0f} %)" if entry["limit"] > 0 else ""
        lines.append(
            f"{entry['format']}: {entry['value']:,.6g} {budget.what}, {entry['over']:,.4g}{share} over "
            f"--{budget.name} {entry['limit']:,.6g}"
        )
    return lines
