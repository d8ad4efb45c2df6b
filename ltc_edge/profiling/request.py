"""What a profile is asked for: where, how, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltc_edge.profiling.places import Emulated, Place, Serial
from ltc_edge.profiling.settings import Settings


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        target: as on the command line.
        place: what it means.
        settings: how long, and how.
        limits: budgets, by name.
        baseline: an earlier profile to compare with, or an earlier bundle.
        python, folder: interpreter and place for files on the device; None for the usual ones.
        install: whether missing runtimes are installed there.
        allow_throttled: whether figures of a throttled device count.
    """

    target: str
    place: Place
    settings: Settings = field(default_factory=Settings)
    limits: Mapping[str, float] = field(default_factory=dict)
    baseline: Path | None = None
    python: str | None = None
    folder: str | None = None
    install: bool = False
    allow_throttled: bool = False

    @property
    def kind(self) -> str:
        """Of the target, as the profile has it."""
        if isinstance(self.place, Emulated):
            return "emulated"
        return "serial" if isinstance(self.place, Serial) else "linux"


@dataclass
class Findings:
    """What was found so far.

    Attributes:
        rows: of each format what docs/profile-format.md says.
        earlier: the same of the bundle that it is compared with.
        device: what the target is, and its state before and after.
        problems: why the figures cannot be trusted, a line each.
        partial: whether it ended before all was measured.
    """

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    earlier: dict[str, dict[str, Any]] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    partial: bool = False
