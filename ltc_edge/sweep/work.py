"""A unit of a sweep's work, and what became of it: plain data that goes to another process or machine.

A trial is one point of the search space. It is trained from several seeds, its replicates, and a replicate
is the unit of work: it depends on nothing but its `Work`, so that whoever does it, and however often it has
to be begun again, comes to the same outcome.

A replicate leaves two things in the folder of its trial, written in this order:

    seed-0/        a run folder, as `ltc-edge train` writes it
    seed-0.json    its `Outcome`; a replicate with it is finished, and is never done again
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ltc_edge.errors import ControllerFileError
from ltc_edge.files import write_atomically

State = Literal["complete", "pruned", "failed"]
"""Of a replicate: its figures are there; it was given up as hopeless; it cannot be had."""

STATES: tuple[State, ...] = ("complete", "pruned", "failed")


@dataclass(frozen=True)
class Work:
    """One replicate of one trial.

    Attributes:
        trial: its number in the study, from 0.
        seed: of the training, from 0.
        settings: the point of the search space: names of `ltc_edge.sweep.space` → values.
        measure: what to measure and how, the same for all replicates of a sweep: the JSON form of
            `ltc_edge.sweep.measurement.MeasurementPlan`.
        giving_up: what a replicate is given up by: round of training → the least metric at that round that
            is worth going on with. Fixed when the trial is asked for, so that it does not depend on who is
            faster.
        confirm: measure for real what a sweep by proxies only estimated: the run is there, and its outcome
            goes into a file of its own, ``seed-0.confirmed.json``.
    """

    trial: int
    seed: int
    settings: Mapping[str, Any]
    measure: Mapping[str, Any]
    giving_up: Mapping[int, float] = field(default_factory=dict)
    confirm: bool = False

    @property
    def name(self) -> str:
        """For people and folders, such as ``0007/seed-1``."""
        return f"{self.trial:04d}/seed-{self.seed}"

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Work:
        """From what `dataclasses.asdict` gave, once JSON has made words of the rounds.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        return cls(
            trial=int(document["trial"]),
            seed=int(document["seed"]),
            settings=dict(document["settings"]),
            measure=dict(document["measure"]),
            giving_up={int(index): float(least) for index, least in document["giving_up"].items()},
            confirm=bool(document["confirm"]),
        )


@dataclass(frozen=True)
class Outcome:
    """What became of a replicate.

    Attributes:
        trial, seed: whose.
        state: see `State`.
        figures: by the names of `ltc_edge.sweep.objectives`; what was not measured is absent.
        curve: the metric of training after each validated round, as pairs (round, value).
        reason: in one line, why it was pruned or failed.
        seconds: what it took, by stage, such as ``train`` and ``measure``.
    """

    trial: int
    seed: int
    state: State
    figures: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[tuple[int, float], ...] = ()
    reason: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it to ``path``, whole or not at all."""
        text = json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False)
        write_atomically(path, (text + "\n").encode())

    @classmethod
    def read(cls, path: Path, work: Work) -> Outcome:
        """The outcome of ``work``, which ``path`` holds.

        Raises:
            ControllerFileError: it is damaged, or holds something else.
        """
        try:
            outcome = cls.from_json(json.loads(path.read_text(encoding="utf-8")))
            if (outcome.trial, outcome.seed) != (work.trial, work.seed):
                raise ValueError(f"it is that of trial {outcome.trial} from seed {outcome.seed}")
            return outcome
        except (
            OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError
        ) as error:  # fmt: skip
            raise ControllerFileError(
                f"{path}: holds no outcome of a trial ({error}); remove it, and the replicate is done again"
            ) from None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Outcome:
        """From what `dataclasses.asdict` gave.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: it is something else.
        """
        if document["state"] not in STATES:
            raise ValueError(f"{document['state']!r} is no state")
        outcome = cls(
            trial=int(document["trial"]),
            seed=int(document["seed"]),
            state=document["state"],
            figures={str(name): float(value) for name, value in document["figures"].items()},
            curve=tuple((int(index), float(value)) for index, value in document["curve"]),
            reason=None if document["reason"] is None else str(document["reason"]),
            seconds={str(name): float(value) for name, value in document["seconds"].items()},
        )
        curve = (value for _, value in outcome.curve)
        if not all(map(math.isfinite, (*outcome.figures.values(), *curve, *outcome.seconds.values()))):
            raise ValueError("a number in it is not finite")
        return outcome


def run_folder_of(trials: Path, work: Work) -> Path:
    """Where the run of ``work`` is, in the folder of all trials."""
    return trials / f"{work.trial:04d}" / f"seed-{work.seed}"


def outcome_file_of(trials: Path, work: Work) -> Path:
    """Where the outcome of ``work`` is, in the folder of all trials."""
    kind = ".confirmed" if work.confirm else ""
    return trials / f"{work.trial:04d}" / f"seed-{work.seed}{kind}.json"
