"""A controller of the zoo: what it is, what was measured of it, and the digests of its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CELLS = ("ltc", "cfc")
SIZES = ("small", "medium", "large")
TARGET = "cortex-m4"
"""The processor whose figures stand in tables; the cards have others too."""

FORMAT = "c-int16"
"""The format whose figures stand in tables, where an entry has it."""

UNSAID: Mapping[str, Any] = {"format": FORMAT, "refused": {}}
"""What holds where a document does not say otherwise."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Digests:
    """SHA-256 of what the package holds of an entry, and of what is made of it.

    Attributes:
        archive: of the file in the package.
        manifest: of the bundle's manifest, which has the digest of every file of the bundle.
        controller: of the controller as it was trained.
    """

    archive: str
    manifest: str
    controller: str


@dataclass(frozen=True)
class Entry:
    """One controller.

    Attributes:
        name: such as ``cartpole-ltc-small``.
        document: all that is known of it, as the index has it; ``docs/zoo.md`` names the keys.
        digests: of its files.
    """

    name: str
    document: Mapping[str, Any]
    digests: Digests

    @classmethod
    def from_json(cls, name: str, document: Mapping[str, Any]) -> Entry:
        """An entry of the index.

        Raises:
            ValueError, KeyError, TypeError: it lacks something, or its name is not that of its task, cell
                and size.
        """
        digests = Digests(**document["sha256"])
        if not all(_SHA256.fullmatch(each) for each in vars(digests).values()):
            raise ValueError(f"{name} has a digest that is none")
        score = document["score"]
        if not all(isinstance(each, int | float) for each in (score["value"], *score["ci95"])):
            raise ValueError(f"{name} has a score that is no number")
        entry = cls(name, {**UNSAID, **document}, digests)
        if name != entry_name(entry.task, entry.cell, entry.size):
            raise ValueError(f"{name} is a {entry.cell} for {entry.task}, {entry.size}")
        if entry.format not in document["formats"]:
            raise ValueError(f"{name} has no {entry.format}, which its figures are said to be of")
        return entry

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.document["task"])

    @property
    def cell(self) -> str:
        """Kind of cell, of `CELLS`."""
        return str(self.document["cell"])

    @property
    def size(self) -> str:
        """One of `SIZES`."""
        return str(self.document["size"])

    @property
    def metric(self) -> str:
        """What it is judged by: ``return``, or the metric of recordings."""
        return str(self.document["metric"])

    @property
    def format(self) -> str:
        """The format that its figures are of."""
        return str(self.document["format"])

    @property
    def refused(self) -> Mapping[str, str]:
        """The formats of the zoo that it lacks, and in one line why."""
        refused: Mapping[str, str] = self.document["refused"]
        return refused


def entry_name(task: str, cell: str, size: str) -> str:
    """What an entry is called."""
    return f"{task}-{cell}-{size}"
