"""The document of a fleet's profile; docs/fleet.md."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltc_edge.profiling.document import describe_subject
from ltc_edge.profiling.fleet.drift import Drift, find_drift
from ltc_edge.profiling.fleet.run import FleetRun
from ltc_edge.profiling.fleet.stragglers import Comparison, compare_alike
from ltc_edge.profiling.fleet.summary import DeviceSummary, summarise_device
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.subject import Subject
from ltc_edge.version import __version__

FORMAT, SCHEMA = "ltc-edge fleet profile", 1


@dataclass(frozen=True)
class FleetFindings:
    """What a run says of a fleet.

    Attributes:
        devices: in their order.
        compared: each with those like it, by its label and the format.
        drift: what is not the same on all of them.
        new: labels of the devices of which the earlier fleet knows no times.
        interrupted: whether the user ended it.
    """

    devices: tuple[DeviceSummary, ...]
    compared: dict[tuple[str, str], Comparison]
    drift: tuple[Drift, ...]
    new: tuple[str, ...]
    interrupted: bool

    @property
    def stragglers(self) -> list[tuple[str, str]]:
        """Labels and formats."""
        return [key for key, comparison in self.compared.items() if comparison.straggler]

    @property
    def failed(self) -> list[DeviceSummary]:
        """Devices that were not measured to the end, or of which something does not hold."""
        return [device for device in self.devices if device.status != "done" or device.failures]


def fleet_findings(run: FleetRun, formats: Sequence[str], new: Sequence[str]) -> FleetFindings:
    """What a run says of a fleet.

    Args:
        run: what became of each device.
        formats: that were asked for by name.
        new: labels of devices without a baseline where the others have one.
    """
    devices = tuple(summarise_device(outcome, formats) for outcome in run.outcomes)
    return FleetFindings(
        devices, compare_alike(devices), tuple(find_drift(devices)), tuple(new), run.interrupted
    )


def fleet_document(
    subject: Subject, common: Request, baseline: Path | None, findings: FleetFindings
) -> dict[str, Any]:
    """What was asked for and found, as JSON.

    Args:
        subject: what was profiled.
        common: what was asked of all devices.
        baseline: what it was compared with.
        findings: of the fleet.
    """
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "ltc_edge": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "subject": describe_subject(subject),
        "settings": common.settings.to_json(),
        "limits": dict(common.limits),
        "baseline": None if baseline is None else {"path": str(baseline), "without": list(findings.new)},
        "interrupted": findings.interrupted,
        "devices": {device.label: _device(device, findings) for device in findings.devices},
        "stragglers": [{"device": label, "format": form} for label, form in findings.stragglers],
        "drift": [each.to_json() for each in findings.drift],
    }


def _device(device: DeviceSummary, findings: FleetFindings) -> dict[str, Any]:
    document = device.to_json()
    for form, reading in document["formats"].items():
        comparison = findings.compared.get((device.label, form))
        reading["alike"] = None if comparison is None else asdict(comparison)
    return document
