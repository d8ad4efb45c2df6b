"""The index of the zoo: every entry, with the digests that pin its files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ltc_edge.errors import BundleError, InputError
from ltc_edge.zoo.entry import CELLS, SIZES, Entry, entry_name

FOLDER = Path(__file__).parent
INDEX = FOLDER / "index.json"
FORMAT, SCHEMA_VERSION = "ltc-edge zoo", 1


@dataclass(frozen=True)
class Missing:
    """A named task that the zoo has nothing for, and why."""

    task: str
    reason: str


@dataclass(frozen=True)
class Index:
    """What the zoo has.

    Attributes:
        entries: by name, in the order of the tasks, cells and sizes.
        missing: tasks without an entry.
    """

    entries: Mapping[str, Entry]
    missing: tuple[Missing, ...]

    def tasks(self) -> list[str]:
        """Names of the tasks that there is an entry for."""
        return list(dict.fromkeys(entry.task for entry in self.entries.values()))

    def choose(self, task: str | None = None, cell: str | None = None) -> list[Entry]:
        """The entries for a task, of a cell, or all.

        Raises:
            InputError: there is nothing for that task.
        """
        if task is not None and task not in self.tasks():
            raise self._unknown(task, self.tasks())
        return [
            entry
            for entry in self.entries.values()
            if task in (None, entry.task) and cell in (None, entry.cell)
        ]

    def find(self, name: str, cell: str | None = None, size: str | None = None) -> Entry:
        """An entry by its name, or by its task, cell and size.

        Args:
            name: of an entry or of a task.
            cell: of a task's entry; the first of `CELLS` where not given.
            size: of a task's entry; where not given, the smallest that there is.

        Raises:
            InputError: there is none; near ones are named.
        """
        if name in self.entries:
            if cell is not None or size is not None:
                raise InputError(f"{name} is one entry already; leave --cell and --size out")
            return self.entries[name]
        if name not in self.tasks():
            raise self._unknown(name, [*self.entries, *self.tasks()])
        cell = cell or CELLS[0]
        sizes = SIZES if size is None else (size,)
        for each in sizes:
            if entry_name(name, cell, each) in self.entries:
                return self.entries[entry_name(name, cell, each)]
        wanted = f"{cell}{'' if size is None else f', {size}'}"
        there = ", ".join(entry.name for entry in self.choose(name))
        raise InputError(f"the zoo has no {wanted} for {name}; it has {there}")

    def _unknown(self, name: str, known: Iterable[str]) -> InputError:
        """An error that says what comes nearest, or why there is nothing."""
        for missing in self.missing:
            if missing.task == name:
                return InputError(f"the zoo has nothing for {name}: {missing.reason}")
        nearest = difflib.get_close_matches(name, list(known), n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        return InputError(f"the zoo has no {name!r}: {hint}`ltc-edge zoo list` lists what there is")


@cache
def load_index() -> Index:
    """The index of the zoo in this package.

    Raises:
        BundleError: it is damaged, or of another version.
    """
    return read_index(INDEX)


def read_index(path: Path) -> Index:
    """The index in the file ``path``.

    Raises:
        BundleError: it is damaged, or of another version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if (document["format"], document["schema"]) != (FORMAT, SCHEMA_VERSION):
            raise ValueError("it is of another version")
        return Index(
            {name: Entry.from_json(name, entry) for name, entry in document["entries"].items()},
            tuple(Missing(**each) for each in document["missing"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{path}: the index of the zoo is damaged ({error}); install ltc-edge again"
        ) from None
