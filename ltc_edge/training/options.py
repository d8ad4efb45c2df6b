"""What can be chosen about a training run, as data; it is stored in the run folder."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ltc_edge.cells.spec import MAX_UNITS, Solver
from ltc_edge.errors import InputError

CellKind = Literal["ltc", "cfc", "ctrnn", "lstm", "gru"]
WiringKind = Literal["ncp", "dense", "random"]


@dataclass(frozen=True)
class ModelOptions:
    """The network to train.

    Attributes:
        cell: kind of cell.
        units: neurons.
        wiring: of an LTC; a CfC is wired with ``ncp``, has a backbone with ``dense``. Others are dense.
        sparsity: share of absent synapses of ``ncp`` and ``random``.
        wiring_seed: the wiring is drawn from it, so that several training seeds share one wiring.
        unfolds: solver sub-steps of LTC and CT-RNN.
        solver: of the LTC.
        mixed_memory: an LSTM memory in front of the cell.
        linear_readout: read all units of an LTC linearly, not its motor neurons.
        backbone_units: of a dense CfC.
    """

    cell: CellKind = "ltc"
    units: int = 19
    wiring: WiringKind = "ncp"
    sparsity: float = 0.5
    wiring_seed: int = 22222
    unfolds: int = 3
    solver: Solver = "fused"
    mixed_memory: bool = False
    linear_readout: bool = False
    backbone_units: int = 64

    def __post_init__(self) -> None:
        if not 1 <= self.units <= MAX_UNITS:
            raise InputError(f"--units {self.units} must be from 1 to {MAX_UNITS}")
        if self.mixed_memory and self.cell in ("lstm", "gru"):
            raise InputError(f"--mixed-memory goes before a liquid cell; an {self.cell} is a memory already")
        if self.cell in ("ctrnn", "lstm", "gru") and self.wiring != "dense":
            raise InputError(f"--cell {self.cell} has no wiring to choose; leave --wiring out or say dense")
        if self.cell == "cfc" and self.wiring == "random":
            raise InputError("--cell cfc takes --wiring ncp (wired) or dense (with a backbone), not random")


@dataclass(frozen=True)
class ImitationOptions:
    """DAgger: rounds of imitation on the states the learner itself visits.

    Attributes:
        rounds: at most so many rounds of collecting and training.
        updates: optimiser steps a round.
        learning_rate: of Adam at the start; it falls to a fiftieth by the last round (cosine).
        batch: windows an optimiser step sees.
        window: steps of a window.
        burn_in: first steps of a window that starts inside an episode; they only fill the state.
        fresh_share: share of the windows that start where the episode starts.
        episodes: episodes collected a round.
        episode_steps: how long collected episodes are at most; None for the task's length.
        expert_noise: standard deviation of the noise on the expert's first demonstrations, in units of the
            action's scale.
        validation_episodes: episodes the checkpoint is chosen on.
        validate_every: rounds between validations.
        value_weight: weight of the expert's action values in the loss, where the task has them; 0 imitates
            actions alone.
        enough: once validation loses at most this share of the expert's return, training anneals and ends.
        anneal_rounds: rounds in which the learning rate then falls to its end.
    """

    rounds: int = 24
    updates: int = 150
    learning_rate: float = 0.01
    batch: int = 128
    window: int = 24
    burn_in: int = 8
    fresh_share: float = 0.5
    episodes: int = 64
    episode_steps: int | None = 150
    expert_noise: float = 0.3
    validation_episodes: int = 32
    validate_every: int = 2
    value_weight: float = 0.0
    enough: float = 2e-4
    anneal_rounds: int = 6


@dataclass(frozen=True)
class PredictionOptions:
    """Supervised training on windows of recordings.

    Attributes:
        epochs: at most so many passes over the training windows.
        learning_rate: of Adam at the start; it falls to a fiftieth by the last epoch (cosine).
        batch: windows an optimiser step sees.
        weight_decay: decoupled decay of the parameters (AdamW).
        patience: epochs without a better validation score after which training stops; None for never.
        raw_loss: weigh each target's squared error by its variance, as a metric in raw units does, rather
            than alike. For targets of one unit, or where that metric is what counts; classification
            ignores it.
    """

    epochs: int = 200
    learning_rate: float = 0.01
    batch: int = 32
    weight_decay: float = 0.0
    patience: int | None = 50
    raw_loss: bool = False


@dataclass(frozen=True)
class RefinementOptions:
    """CMA-ES on the return itself, from what imitation found.

    Attributes:
        generations: 0 for no refinement.
        population: candidates a generation.
        episodes: episodes each candidate plays.
        sigma: initial step, in units of a parameter's value.
    """

    generations: int = 0
    population: int = 24
    episodes: int = 48
    sigma: float = 0.02


T = TypeVar("T")


def from_json(kind: type[T], document: Mapping[str, Any]) -> T:
    """One of the option classes from the JSON object that `dataclasses.asdict` gave.

    Raises:
        InputError: a field is unknown, or not of its type.
    """
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = document.keys() - fields
    if unknown:
        raise InputError(
            f"unknown training options {', '.join(sorted(unknown))}; was the run made by a newer version?"
        )
    check_types(kind, document)
    return kind(**document)


def check_types(kind: type[Any], values: Mapping[str, Any]) -> None:
    """Check ``values`` read from a file against the annotations of the dataclass ``kind``.

    Raises:
        InputError: a value is not of its field's type.
    """
    hints = get_type_hints(kind)
    for name, value in values.items():
        if not _is_of(value, hints[name]):
            raise InputError(f"{name} is {value!r}, expected {hints[name]}")


def _is_of(value: object, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin is UnionType or origin is Union:
        return any(_is_of(value, argument) for argument in arguments)
    if origin is tuple:
        return isinstance(value, tuple | list) and all(_is_of(item, arguments[0]) for item in value)
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, hint)
