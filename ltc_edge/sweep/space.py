"""The search space: what of a controller may vary, within which ranges, and under which conditions.

A point of it is a dictionary of settings: names of `VARIABLES` → values. What a network of its cell and
wiring would not read has no setting, so that no two points differ in nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from ltc_edge.cells.spec import MAX_UNITS, SOLVERS
from ltc_edge.errors import InputError
from ltc_edge.export.formats import FORMATS
from ltc_edge.sweep.ranges import (
    Choice,
    Range,
    Value,
    Whole,
    range_from_json,
    read_choice,
    read_real,
    read_whole,
)
from ltc_edge.training.choose import default_model, reads
from ltc_edge.training.options import CellKind, ModelOptions, WiringKind
from ltc_edge.training.sources import ClosedLoopSource, Source
from ltc_edge.wiring import MAX_SEED

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Settings = dict[str, Value]
Reader = Callable[[str, str], Range]
"""(option, text) → range."""

NCP_LEAST_INNER = 3
"""Units of an NCP beside its motor neurons, at least: see `ltc_edge.wiring.auto_ncp`."""

NCP_SPARSITY = (0.1, 0.9)

WIRINGS: Mapping[str, tuple[WiringKind, ...]] = {"ltc": ("ncp", "dense", "random"), "cfc": ("ncp", "dense")}
"""What each cell can be wired with; the others are dense, and have nothing to choose."""


def _whole(least: int, most: int) -> Reader:
    return lambda option, text: read_whole(option, text, least, most)


def _real(least: float, most: float, *, log: bool = False) -> Reader:
    return lambda option, text: read_real(option, text, least, most, log=log)


def _choice(*known: Value) -> Reader:
    return lambda option, text: read_choice(option, text, known)


VARIABLES: Mapping[str, Reader] = {
    "cell": _choice(*get_args(CellKind)),
    "wiring": _choice(*get_args(WiringKind)),
    "units": _whole(1, MAX_UNITS),
    "sparsity": _real(0.0, 0.95),
    "wiring_seed": _whole(0, MAX_SEED),
    "solver": _choice(*SOLVERS),
    "unfolds": _whole(1, 1000),
    "backbone_units": _whole(1, MAX_UNITS),
    "mixed_memory": _choice(False, True),
    "linear_readout": _choice(False, True),
    "learning_rate": _real(1e-6, 1.0, log=True),
    "format": _choice(*FORMATS),
}
"""What may vary, by name, and what reads its range from the command line; in the order of suggestions."""


@dataclass(frozen=True)
class Space:
    """What a sweep searches.

    Attributes:
        ranges: of what varies, by the names of `VARIABLES`; the rest is as the task is usually trained.
        model: that usual network.
        actions: outputs of a controller of the task, which bound its units from below.

    Raises:
        InputError: a range has nothing for some cell or wiring that others allow.
    """

    ranges: Mapping[str, Range]
    model: ModelOptions
    actions: int

    def __post_init__(self) -> None:
        self._check_wirings()
        self._check_units()
        sparsity = self.ranges.get("sparsity")
        if sparsity is not None and "ncp" in self._wirings():
            least, most = _ends(sparsity)
            if not NCP_SPARSITY[0] <= least <= most <= NCP_SPARSITY[1]:
                raise InputError(f"--sparsity {sparsity}: of an NCP it is from 0.1 to 0.9")

    def suggest(self, trial: BaseTrial) -> Settings:
        """The settings that ``trial`` tries, each within its range and read by the network it is for."""
        settings: Settings = {}
        cell = self._of(trial, settings, "cell", self.model.cell)
        wiring = self._wiring(trial, settings, cell)
        for name in VARIABLES:
            if name not in self.ranges or name in ("cell", "wiring"):
                continue
            if not reads(name, cell, wiring) or (name == "mixed_memory" and cell in ("lstm", "gru")):
                continue
            if name == "units":
                settings[name] = self._units(trial, wiring)
            else:
                settings[name] = self.ranges[name].suggest(trial, name)
        return settings

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that are searched."""
        found = self.ranges["format"]
        assert isinstance(found, Choice)
        return tuple(str(value) for value in found.values)

    def reads(self, name: str) -> bool:
        """Whether some network of the space reads the setting ``name``."""
        return any(reads(name, cell, wiring) for cell in self._cells() for wiring in self._wirings_of(cell))

    def to_json(self) -> dict[str, Any]:
        """The ranges, for people and `from_json`."""
        return {name: found.to_json() for name, found in self.ranges.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], source: Source, actions: int) -> Space:
        """The space that `to_json` gave, of the same task.

        Raises:
            InputError, TypeError, KeyError: it is something else.
        """
        ranges = {name: range_from_json(found) for name, found in document.items()}
        unknown = ranges.keys() - VARIABLES.keys()
        if unknown:
            raise InputError(f"unknown variables {', '.join(sorted(unknown))}; is it of a newer version?")
        return cls(ranges, default_model(source), actions)

    def _of(self, trial: BaseTrial, settings: Settings, name: str, default: str) -> str:
        if name not in self.ranges:
            return default
        settings[name] = self.ranges[name].suggest(trial, name)
        return str(settings[name])

    def _wiring(self, trial: BaseTrial, settings: Settings, cell: str) -> str:
        """The wiring; it is asked for under a name of its own where the cell cannot have all of them."""
        if cell not in WIRINGS:
            return "dense"
        if "wiring" not in self.ranges:
            return self.model.wiring
        possible = Choice(tuple(self._wirings_of(cell)))
        name = "wiring" if possible == self.ranges["wiring"] else f"wiring_{cell}"
        settings["wiring"] = possible.suggest(trial, name)
        return str(settings["wiring"])

    def _units(self, trial: BaseTrial, wiring: str) -> Value:
        """The units; an NCP that needs more than others may have is asked for under a name of its own."""
        units, least = self.ranges["units"], self._least_units(wiring)
        if _ends(units)[0] >= least:
            return units.suggest(trial, "units")
        if isinstance(units, Choice):
            enough = Choice(tuple(value for value in units.values if int(value) >= least))
            return enough.suggest(trial, f"units_{wiring}")
        assert isinstance(units, Whole)
        return Whole(least, units.high).suggest(trial, f"units_{wiring}")

    def _least_units(self, wiring: str) -> int:
        return self.actions + (NCP_LEAST_INNER if wiring == "ncp" else 0)

    def _cells(self) -> tuple[str, ...]:
        cells = self.ranges.get("cell")
        return (self.model.cell,) if cells is None else tuple(map(str, _values(cells)))

    def _wirings_of(self, cell: str) -> list[str]:
        wanted = self.ranges.get("wiring")
        possible = WIRINGS.get(cell, ("dense",))
        if wanted is None:
            return [self.model.wiring if cell in WIRINGS else "dense"]
        return [str(value) for value in _values(wanted) if value in possible]

    def _wirings(self) -> set[str]:
        return {wiring for cell in self._cells() for wiring in self._wirings_of(cell)}

    def _check_wirings(self) -> None:
        for cell in self._cells():
            if cell in WIRINGS and not self._wirings_of(cell):
                raise InputError(
                    f"--wiring {self.ranges['wiring']} has none for --cell {cell}, which takes "
                    f"{' or '.join(WIRINGS[cell])}"
                )

    def _check_units(self) -> None:
        units = self.ranges.get("units")
        for wiring in self._wirings():
            least = self._least_units(wiring)
            if units is not None and _ends(units)[1] < least:
                raise InputError(
                    f"--units {units}: with --wiring {wiring} this task needs at least {least} units"
                )


def default_ranges(source: Source) -> dict[str, Range]:
    """What varies where nothing is said: the sizes that suit a microcontroller, and its two formats."""
    units = Whole(4, 32) if isinstance(source, ClosedLoopSource) else Whole(8, 64)
    return {
        "cell": Choice(("ltc", "cfc")),
        "wiring": Choice(("ncp", "dense")),
        "units": units,
        "unfolds": Whole(1, 4),
        "backbone_units": Whole(8, 64),
        "format": Choice(("c-float32", "c-int16")),
    }


def make_space(source: Source, actions: int, said: Mapping[str, str]) -> Space:
    """The space of a task: its defaults, and in their place what was ``said``, as ``units`` → ``4:32``.

    A range that no network of the others' reads is left out where it is a default.

    Raises:
        InputError: a name or a range is none, or the ranges do not fit together.
    """
    ranges = default_ranges(source)
    for name, text in said.items():
        ranges[name] = _reader(name)(f"--{name.replace('_', '-')}", text)
    space = Space(ranges, default_model(source), actions)
    for name in tuple(ranges):
        if not space.reads(name):
            if name in said:
                raise InputError(f"--{name.replace('_', '-')}: no network of this sweep would read it")
            del ranges[name]
    return Space(ranges, space.model, actions)


def _reader(name: str) -> Reader:
    if name in VARIABLES:
        return VARIABLES[name]
    nearest = difflib.get_close_matches(name, VARIABLES, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(VARIABLES)}"
    raise InputError(f"{name[:60]!r} is nothing that can vary; {hint}")


def _values(choice: Range) -> tuple[Value, ...]:
    assert isinstance(choice, Choice)
    return choice.values


def _ends(found: Range) -> tuple[float, float]:
    """The least and the greatest value of a range of numbers."""
    if isinstance(found, Choice):
        numbers = [float(value) for value in found.values]
        return min(numbers), max(numbers)
    return found.low, found.high
