"""What matters of a device's profile where it stands beside those of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ltc_edge.profiling.agent.lookup import field as found
from ltc_edge.profiling.agent.lookup import number, text
from ltc_edge.profiling.budgets import misses
from ltc_edge.profiling.document import broken_checks, not_run
from ltc_edge.profiling.fleet.run import Outcome, Status

FACTS: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "soc": ("soc",),
    "machine": ("machine",),
    "cores": ("cores",),
    "os": ("os",),
    "kernel_release": ("kernel_release",),
    "preemption": ("preemption",),
    "libc": ("libc",),
    "python": ("python",),
    "compiler": ("inventory", "compiler", "version"),
    "governor": ("before", "governor"),
    "allowed_khz": ("before", "allowed_khz"),
    "board": ("board",),
    "ticks_per_second": ("ticks_per_second",),
}
"""What a device is: where each stands in the profile's ``device``."""


@dataclass(frozen=True)
class Reading:
    """What a device showed of a format; what was not measured is None.

    Attributes:
        status, detail: as the profile has them.
        runtime: its name and version; of C those of the compiler.
        p50_us, p99_us: of single steps, in microseconds.
        instructions: of a step, in an emulator.
        misses, periods: of the worst paced run.
        max_abs_error: of the actions.
        budgets_kept: whether all of its budgets are; None where it has none.
        baseline_ratio, baseline_verdict: against an earlier profile.
    """

    status: str
    detail: str | None = None
    runtime: str | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    instructions: float | None = None
    misses: int | None = None
    periods: int | None = None
    max_abs_error: float | None = None
    budgets_kept: bool | None = None
    baseline_ratio: float | None = None
    baseline_verdict: str | None = None


@dataclass(frozen=True)
class DeviceSummary:
    """A device of a fleet.

    Attributes:
        label, target, kind: what it is called, where it is, and which kind of target that is.
        status, error, seconds: as `Outcome` has them.
        facts: what it is, by the names in `FACTS`; of an emulated processor nothing.
        celsius: the hottest zone after the run.
        problems: why its figures cannot be trusted, a line each.
        failures: what does not hold, a line each.
        readings: by format.
    """

    label: str
    target: str
    kind: str
    status: Status
    error: str | None
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    celsius: float | None = None
    problems: Sequence[str] = ()
    failures: Sequence[str] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)

    @property
    def likeness(self) -> tuple[str, ...] | None:
        """The same of devices whose times can be compared; None where this one is like no other."""
        if not self.facts or (self.kind == "linux" and not (self.facts["model"] or self.facts["soc"])):
            return None
        keys = {"linux": ("model", "soc", "machine", "cores"), "serial": ("board", "ticks_per_second")}
        return (self.kind, *(str(self.facts[key]) for key in keys[self.kind]))

    def to_json(self) -> dict[str, Any]:
        """As docs/fleet.md says it, without what only others tell of it."""
        document = asdict(self) | {"problems": list(self.problems), "failures": list(self.failures)}
        del document["label"]
        document["formats"] = document.pop("readings")
        return document


def summarise_device(outcome: Outcome, formats: Sequence[str]) -> DeviceSummary:
    """A device in short.

    Args:
        outcome: what became of it.
        formats: that were asked for by name.
    """
    request, document = outcome.device.request, outcome.document
    known = (outcome.device.label, request.target, request.kind, outcome.status, outcome.error)
    if document is None:
        return DeviceSummary(*known, outcome.seconds)
    device = document["device"]
    # Of one that ended early it is said once that there are formats which did not run. Of several kinds of
    # devices, a format that is asked for may be one that some cannot run by their nature.
    rows = document["formats"]
    asked = [name for name in formats if rows[name]["reason"] != "needs-c"]
    failures = not_run(document, asked) if outcome.status == "done" else []
    return DeviceSummary(
        *known,
        outcome.seconds,
        facts={name: _fact(found(device, *path)) for name, path in FACTS.items()} if device else {},
        celsius=_hottest(found(device, "after", "temperatures")),
        problems=tuple(document["problems"]),
        failures=(*failures, *broken_checks(document, allow_throttled=request.allow_throttled)),
        readings={name: _reading(document, name) for name in rows},
    )


def _reading(document: Mapping[str, Any], name: str) -> Reading:
    row, compared = document["formats"][name], found(document["baseline"], "formats", name)
    kept = [entry["kept"] for entry in document["budgets"] if entry["format"] == name]
    runs = [run for run in row.get("paced") or () if run["status"] == "ok"]
    worst = misses(row)
    return Reading(
        status=row["status"],
        detail=row["detail"],
        runtime=_runtime(found(row, "runtime", "name"), found(row, "runtime", "version")),
        p50_us=number(found(row, "latency_us", "p50")),
        p99_us=number(found(row, "latency_us", "p99")),
        instructions=number(row.get("instructions_per_step")),
        misses=worst,
        periods=next((run["periods"] for run in runs if run["misses"] == worst), None),
        max_abs_error=number(row.get("max_abs_error")),
        budgets_kept=all(kept) if kept else None,
        baseline_ratio=number(found(compared, "ratio")),
        baseline_verdict=text(found(compared, "verdict")),
    )


def _runtime(name: Any, version: Any) -> str | None:
    """A version that names what it is the version of."""
    known = text(version)
    return known if known is None or " " in known else f"{text(name) or ''} {known}".strip()


def _fact(value: Any) -> str | float | None:
    """What a device says of itself, which may be anything."""
    if isinstance(value, list):
        return " to ".join(str(number(each)) for each in value[:4])
    return text(value) or number(value)


def _hottest(zones: Any) -> float | None:
    known = [number(found(zone, "celsius")) for zone in zones] if isinstance(zones, list) else []
    return max((celsius for celsius in known if celsius is not None), default=None)
