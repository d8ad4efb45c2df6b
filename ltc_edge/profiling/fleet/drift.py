"""What should be the same on devices of a fleet and is not: versions, settings, the actions themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltc_edge.export.formats import FORMATS
from ltc_edge.profiling.fleet.summary import DeviceSummary

OF_ALIKE = (
    *("os", "kernel_release", "preemption", "libc", "python", "compiler"),
    *("governor", "allowed_khz"),
)
"""Facts that devices of one model should share; other models have other ones by right."""


@dataclass(frozen=True)
class Drift:
    """One thing that is not everywhere the same.

    Attributes:
        what: it is.
        of: the model of the devices; None where it is of the whole fleet.
        values: the labels of the devices by what they have, the most common first.
    """

    what: str
    of: str | None
    values: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """As docs/fleet.md says it."""
        values = [{"value": value, "devices": list(labels)} for value, labels in self.values.items()]
        return {"what": self.what, "of": self.of, "values": values}


def find_drift(devices: Sequence[DeviceSummary]) -> list[Drift]:
    """What differs: facts among devices of one model, runtimes and actions among all of one kind."""
    return [*_of_alike(devices), *_of_formats(devices)]


def _of_alike(devices: Sequence[DeviceSummary]) -> Iterator[Drift]:
    groups: dict[tuple[str, ...], list[DeviceSummary]] = {}
    for device in devices:
        if device.likeness is not None:
            groups.setdefault(device.likeness, []).append(device)
    for alike in groups.values():
        facts = alike[0].facts
        model = str(facts["model"] or facts["soc"] or facts["board"])
        for name in OF_ALIKE:
            said = {device.label: _said(device.facts[name]) for device in alike}
            yield from _differing(name, model, said)


def _of_formats(devices: Sequence[DeviceSummary]) -> Iterator[Drift]:
    """Of a runtime its version. Of C, which computes the same everywhere, how far off the actions are."""
    linux = [device for device in devices if device.kind == "linux"]
    for form in dict.fromkeys(form for device in linux for form in device.readings):
        ran = {device.label: device.readings[form] for device in linux if form in device.readings}
        ran = {label: reading for label, reading in ran.items() if reading.status == "ok"}
        if form in FORMATS and FORMATS[form].runtime == "c":
            errors = {label: f"{reading.max_abs_error!r}" for label, reading in ran.items()}
            yield from _differing(f"actions of {form}, by their error", None, errors)
        else:
            versions = {label: _said(reading.runtime) for label, reading in ran.items()}
            yield from _differing(f"runtime of {form}", None, versions)


def _said(value: object) -> str:
    return "unknown" if value is None else str(value)


def _differing(what: str, of: str | None, said: Mapping[str, str]) -> Iterator[Drift]:
    values: dict[str, tuple[str, ...]] = {}
    for label, value in said.items():
        values[value] = (*values.get(value, ()), label)
    if len(values) > 1:
        ordered = sorted(values.items(), key=lambda item: -len(item[1]))
        yield Drift(what, of, dict(ordered))
