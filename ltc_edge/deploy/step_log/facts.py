"""What a step log says about itself: which controller of which bundle it is of, and what its signals are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ltc_edge.errors import RecordingError

if TYPE_CHECKING:
    from ltc_edge.bundle.bundle import Bundle
    from ltc_edge.supervision.settings import Settings

_PLAIN = b" ._-+,:/()[]"

Signal = tuple[str, str]
"""Name and unit."""


@dataclass(frozen=True)
class Facts:
    """Metadata of every channel of a step log.

    Attributes:
        controller: its name.
        bundle: SHA-256 of the bundle's manifest; empty where that is not known.
        form: the format of the bundle that ran; empty where that is not known.
        period_s: of the loop's steps.
        supervisor: SHA-256 of its settings.
        observations, actions: signals in the controller's order; empty where they are not known.
    """

    controller: str
    bundle: str
    form: str
    period_s: float
    supervisor: str
    observations: tuple[Signal, ...]
    actions: tuple[Signal, ...]

    def to_metadata(self) -> dict[str, str]:
        """As a channel carries it, text by text."""
        return {
            "controller": self.controller,
            "bundle": self.bundle,
            "format": self.form,
            "period_s": repr(self.period_s),
            "supervisor": self.supervisor,
            "observations": json.dumps(self.observations),
            "actions": json.dumps(self.actions),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], where: str) -> Facts:
        """From a channel; what it lacks stays unknown.

        Raises:
            RecordingError: a period that is no number, or signals that are no list of names and units.
        """
        try:
            return cls(
                controller=metadata.get("controller", ""),
                bundle=metadata.get("bundle", ""),
                form=metadata.get("format", ""),
                period_s=float(metadata.get("period_s", "0")),
                supervisor=metadata.get("supervisor", ""),
                observations=_signals(metadata.get("observations", "[]")),
                actions=_signals(metadata.get("actions", "[]")),
            )
        except (ValueError, TypeError, RecursionError):
            raise RecordingError(
                f"{where}: its metadata are not those of a step log. Record it again."
            ) from None


def _signals(text: str) -> tuple[Signal, ...]:
    found: Any = json.loads(text)
    signals = tuple((name, unit) for name, unit in found)
    if not all(isinstance(part, str) for signal in signals for part in signal):
        raise ValueError
    return signals


def make_facts(bundle: Bundle, form: str, period_s: float, settings: Settings) -> Facts:
    """What a log of a bundle's controller says.

    Args:
        bundle: the bundle.
        form: its format that runs.
        period_s: of the supervisor's steps.
        settings: the supervisor's.

    Raises:
        BundleError: the manifest cannot be read any more.
    """
    controller = bundle.controller
    return Facts(
        controller=controller.name,
        bundle=bundle.manifest_sha256(),
        form=form,
        period_s=period_s,
        supervisor=settings_sha256(settings),
        observations=tuple((signal.name, signal.unit) for signal in controller.observations),
        actions=tuple((signal.name, signal.unit) for signal in controller.actions),
    )


def settings_sha256(settings: Settings) -> str:
    """SHA-256 of a supervisor's settings as canonical JSON."""
    return hashlib.sha256(json.dumps(settings.to_json(), sort_keys=True).encode()).hexdigest()


def facts_c(facts: Facts) -> str:
    """The C file, ``step_log_facts.c``, that a loop is compiled with."""
    entries = facts.to_metadata()
    lines = [
        "/* What the step log says about itself: by ltc-edge; do not edit, see docs/step-log.md. */",
        '#include "step_log.h"',
        "",
        "#if defined(__GNUC__)",
        '#pragma GCC diagnostic ignored "-Woverlength-strings" /* where there are very many signals */',
        "#endif",
        "",
        "const step_log_fact step_log_facts[] = {",
        *(f'    {{ "{name}", "{_escaped(value)}" }},' for name, value in entries.items()),
        "};",
        "",
        f"const uint32_t step_log_fact_count = {len(entries)}U;",
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Text inside of a string literal, to the byte: what is not plain is written in octal."""
    return "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in _PLAIN else f"\\{byte:03o}"
        for byte in text.encode()
    )
