"""What a sweep was asked for: the file ``sweep.json``, which is written once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.files import write_atomically
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.space import Space

Sampler = Literal["nsga2", "tpe", "random"]

FILE = "sweep.json"
FORMAT = 1

TRIALS, SEEDS, LOOKAHEAD, POPULATION, GIVE_UP = 40, 2, 8, 10, 50.0

MAX_TRIALS, MAX_SEEDS, MAX_LOOKAHEAD = 1_000_000, 100, 10_000


def _new_name() -> str:
    return f"ltc-edge-{secrets.token_hex(8)}"


@dataclass(frozen=True)
class SweepPlan:
    """What to search, how long and how.

    Attributes:
        measure: what is measured of a trial.
        space: where trials are taken from.
        trials: how many.
        seeds: replicates of a trial; its figures are their means.
        sampler: what proposes trials.
        seed: of what the sampler draws.
        lookahead: how many trials are under way at most. Trial k is asked for knowing the trials up to
            k − lookahead and no others, so that no worker's speed decides what is asked.
        population: of a generation of NSGA-II.
        give_up: percentile of the trials at no greater expense that a trial must reach while it trains, else
            it is given up; 0 to give none up.
        storage: URL of an Optuna storage, without its password; None for a journal in the folder.
        name: of the study in the storage.
    """

    measure: MeasurementPlan
    space: Space
    trials: int = TRIALS
    seeds: int = SEEDS
    sampler: Sampler = "nsga2"
    seed: int = 0
    lookahead: int = LOOKAHEAD
    population: int = POPULATION
    give_up: float = GIVE_UP
    storage: str | None = None
    name: str = field(default_factory=_new_name)

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("trials", self.trials, 1, MAX_TRIALS),
            ("seeds", self.seeds, 1, MAX_SEEDS),
            ("lookahead", self.lookahead, 1, MAX_LOOKAHEAD),
            ("population", self.population, 2, MAX_TRIALS),
            ("give_up", self.give_up, 0, 100),
        ):
            if not least <= value <= most:
                raise InputError(f"{what} {value} of a sweep is not from {least} to {most}")
        if self.sampler not in get_args(Sampler):
            raise InputError(f"{self.sampler!r} is no sampler; there are {', '.join(get_args(Sampler))}")

    @property
    def is_quality_sought(self) -> bool:
        """Whether it matters how well a trial trains; where it does not, none is given up for it."""
        return self.measure.metric.name in self.measure.wanted

    def write(self, folder: Path) -> None:
        """Write it into the ``folder`` of the sweep."""
        write_atomically(
            folder / FILE, (json.dumps(self.to_json(), indent=2, allow_nan=False) + "\n").encode()
        )

    @classmethod
    def read(cls, folder: Path) -> SweepPlan:
        """The plan of the sweep in ``folder``.

        Raises:
            ControllerFileError: ``folder`` is no sweep, or its plan is damaged or was edited.
        """
        path = folder / FILE
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ControllerFileError(f"{folder}: holds no sweep ({FILE} is missing)") from None
        except NotADirectoryError:
            raise ControllerFileError(f"{folder}: is no folder of a sweep") from None
        except (OSError, ValueError, RecursionError) as error:
            raise ControllerFileError(f"{path}: cannot be read ({error})") from None
        return cls.from_json(document, path)

    def to_json(self) -> dict[str, Any]:
        """A JSON document from which `from_json` makes an equal plan."""
        document = {
            "format": FORMAT,
            "measure": self.measure.to_json(),
            "space": self.space.to_json(),
            "actions": self.space.actions,
            **{name: getattr(self, name) for name in _PLAIN},
        }
        return {**document, "sha256": _digest(document)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: Path) -> SweepPlan:
        """The plan that `to_json` gave.

        Raises:
            ControllerFileError: it is something else, or was edited.
        """
        try:
            if document["format"] != FORMAT:
                raise ControllerFileError(
                    f"{where}: is of a newer version of ltc-edge; bring this one up to date"
                )
            if document["sha256"] != _digest({key: document[key] for key in document if key != "sha256"}):
                raise ControllerFileError(
                    f"{where}: was edited, and its trials were not asked for by what it says now; "
                    "undo that, or start again with --force"
                )
            measure = MeasurementPlan.from_json(document["measure"], where)
            space = Space.from_json(document["space"], measure.source, int(document["actions"]))
            return cls(measure, space, **{name: document[name] for name in _PLAIN})
        except ControllerFileError:
            raise
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ControllerFileError(f"{where}: the plan of the sweep is unreadable ({error})") from None


_PLAIN = tuple(each.name for each in dataclasses.fields(SweepPlan) if each.name not in ("measure", "space"))


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
