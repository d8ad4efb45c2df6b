"""A bundle as something that a node steps: its C behind its supervisor, and what it tells of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.bundle.bundle import Bundle, load_bundle
from ltc_edge.controller import Controller
from ltc_edge.deploy.ros.mapping import Mapping
from ltc_edge.deploy.sources import choose_c_format
from ltc_edge.supervision.compiled import SupervisedController
from ltc_edge.supervision.settings import Settings, default_settings
from ltc_edge.supervision.settings_file import read_settings


@dataclass(frozen=True)
class Subject:
    """A bundle, which of its formats, and the settings of its supervisor."""

    bundle: Bundle
    form: str
    settings: Settings

    @property
    def controller(self) -> Controller:
        """The bundle's."""
        return self.bundle.controller

    def supervised(self, *, trust_c: bool) -> SupervisedController:
        """Compiled for this machine, the C written anew from the controller unless ``trust_c``.

        Raises:
            BundleError: the bundle's C is not what its controller gives.
            InputError: the compiler fails.
            MissingToolError: there is no compiler.
        """
        return SupervisedController.of_bundle(self.bundle, self.form, self.settings, trust_c=trust_c)

    def parameters(self, mapping: Mapping, settings: Settings) -> dict[str, Any]:
        """What a node tells of its controller: names, units, limits, times, topics and fields."""
        fields = {}
        for source in mapping.sources:
            for signal, path in zip(source.signals, source.paths, strict=True):
                fields[signal] = source.topic, path.said
        observed = [
            {"name": signal.name, "unit": signal.unit, "topic": fields[index][0], "field": fields[index][1]}
            for index, signal in enumerate(self.controller.observations)
        ]
        acted = [
            {
                "name": signal.name,
                "unit": signal.unit,
                "topic": mapping.sink.topic,
                "field": path.said,
                "low": _finite(signal.low),
                "high": _finite(signal.high),
                "slew": _finite(signal.slew),
            }
            for signal, path in zip(self.controller.actions, mapping.sink.paths, strict=True)
        ]
        timing = self.controller.timing
        return {
            "controller": self.controller.name,
            "bundle_sha256": self.bundle.manifest_sha256(),
            "format": self.form,
            "period_s": timing.period_s,
            "dt_range_s": [timing.dt_min_s, timing.dt_max_s],
            "observations": observed,
            "actions": acted,
            "supervisor": settings.to_json(),
        }


def open_subject(path: Path, form: str | None, supervisor: Path | None) -> Subject:
    """Read a bundle, and what its supervisor is told.

    Raises:
        BundleError: it is none, or is damaged.
        InputError: it has no such format, or the settings do not fit.
    """
    bundle = load_bundle(path)
    settings = default_settings(bundle.controller)
    if supervisor is not None:
        settings = read_settings(supervisor, settings)
    return Subject(bundle, choose_c_format(bundle, form), settings)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
