"""Cross-validated errors of several cells of several widths: what a wider network gains on rows it never saw.

The work is fixed, not the time, so that the same data and seed give the same curve: every network gets
as many updates as others of its cell, on windows that are drawn alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CellSpec, LTCSpec
from ltc_edge.evaluation.sizing.fold_data import FoldData, Rows
from ltc_edge.evaluation.sizing.folds import Fold
from ltc_edge.evaluation.sizing.members import Members, make_members
from ltc_edge.evaluation.sizing.subject import Subject
from ltc_edge.training.initial import controller_for_data
from ltc_edge.training.learner import cosine_rate
from ltc_edge.training.options import CellKind, ModelOptions

CELLS: tuple[CellKind, ...] = ("ltc", "cfc", "gru", "lstm")
WIDTHS = (4, 8, 16, 32)

BACKBONE = 2
"""Units of a CfC's backbone for each unit of the cell: a backbone of one size would hide the width."""


UPDATES: Mapping[CellKind, int] = {"ltc": 160, "cfc": 100, "gru": 60, "lstm": 60}
"""Updates of a network with an effort of 1: each cell is given about the same time, not the same number."""

LEARNING_RATES: Mapping[CellKind, float] = {"ltc": 0.05, "cfc": 0.01, "gru": 0.05, "lstm": 0.05}
"""At the start, up to `RATED_UNITS`; wider networks learn at less, falling as 1/√units, else they diverge."""

RATED_UNITS = 8


@dataclass(frozen=True)
class Work:
    """What every network gets.

    Attributes:
        effort: factor on `UPDATES`.
        batch: windows of an update.
        seed: of weights and windows.
    """

    effort: float = 1.0
    batch: int = 32
    seed: int = 0

    def updates(self, cell: CellKind) -> int:
        """Of the parameters of one network."""
        return max(1, round(self.effort * UPDATES[cell]))

    def learning_rate(self, cell: CellKind, units: int, done: float) -> float:
        """After a share ``done`` of the updates: it falls to a fiftieth (cosine)."""
        start = LEARNING_RATES[cell] * min(1.0, (RATED_UNITS / units) ** 0.5)
        return cosine_rate(start, done)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A cell of one width.

    Attributes:
        options: as `train` takes them.
        synapses: connections of an LTC; of other cells their weights, each of which is one.
        parameters: effective ones.
        held_out: error on the rows each fold holds out, ``(F,)``: squared, in units of the targets' variance,
            or the share of rows that are classified wrongly.
        trained: error on rows that were trained on, ``(F,)``.
        largest_weight: of all parameters of all folds.
    """

    options: ModelOptions
    synapses: int
    parameters: int
    held_out: FloatArray
    trained: FloatArray
    largest_weight: float


@dataclass(frozen=True, eq=False)
class Curve:
    """All candidates in the order of ``cells`` and ``widths``, and what a guess that ignores inputs gets."""

    candidates: tuple[Candidate, ...]
    guess: FloatArray

    def of(self, cell: str) -> tuple[Candidate, ...]:
        """Candidates of one cell, from the narrowest."""
        return tuple(each for each in self.candidates if each.options.cell == cell)

    @property
    def cells(self) -> tuple[str, ...]:
        """Cells, in their order."""
        return tuple(dict.fromkeys(each.options.cell for each in self.candidates))


def learning_curve(
    subject: Subject,
    folds: Sequence[Fold],
    cells: Sequence[CellKind],
    widths: Sequence[int],
    work: Work,
    on_share: Callable[[float], None] = lambda _: None,
) -> Curve:
    """Train every cell of every width on every fold, and judge it on what the fold holds out.

    Raises:
        InputError: a width does not fit a cell.
        TrainingDivergedError: a loss became non-finite.
    """
    parts = [FoldData(subject.data, fold) for fold in folds]
    candidates = []
    for number, (cell, units) in enumerate((cell, units) for cell in cells for units in widths):
        options = model_options(subject.model, cell, units)

        def on_update(share: float, done: int = number) -> None:
            on_share((done + share) / (len(cells) * len(widths)))

        candidates.append(_candidate(subject, parts, options, work, on_update))
    return Curve(tuple(candidates), np.array([part.guess for part in parts]))


def model_options(default: ModelOptions, cell: CellKind, units: int) -> ModelOptions:
    """The network that stands for ``units`` of a ``cell``: dense, an LTC read linearly, so that any fits."""
    return dataclasses.replace(
        default,
        cell=cell,
        units=units,
        wiring="dense",
        mixed_memory=False,
        linear_readout=cell == "ltc",
        backbone_units=BACKBONE * units,
    )


def synapses_of(cell: CellSpec) -> int:
    """Connections of an LTC; of another cell all weights that multiply a signal."""
    if isinstance(cell, LTCSpec):
        return len(cell.wiring.synapses) + len(cell.wiring.sensory_synapses)
    return sum(shape[0] * shape[1] for shape in cell.parameter_shapes().values() if len(shape) == 2)


def _candidate(
    subject: Subject,
    parts: Sequence[FoldData],
    options: ModelOptions,
    work: Work,
    on_share: Callable[[float], None],
) -> Candidate:
    controllers = [controller_for_data(part.data, options, subject.name, work.seed) for part in parts]
    members = make_members(controllers)
    _train(members, parts, options, work, on_share)
    trained = members.networks()
    weights = [value for network in trained for value in network.controller().parameters.values()]
    pairs = list(zip(parts, trained, strict=True))
    return Candidate(
        options=options,
        synapses=synapses_of(controllers[0].cell),
        parameters=controllers[0].parameters_effective(),
        held_out=np.array([part.error(network, part.held_out) for part, network in pairs]),
        trained=np.array([part.error(network, part.trained_on) for part, network in pairs]),
        largest_weight=float(max(np.abs(value).max() for value in weights)),
    )


def _train(
    members: Members,
    parts: Sequence[FoldData],
    options: ModelOptions,
    work: Work,
    on_share: Callable[[float], None],
) -> None:
    """Train each member on its part; which windows it sees depends on nothing but seed, fold and update."""
    networks, updates = members.networks(), work.updates(options.cell)
    for update in range(updates):
        batches = [
            part.batch(np.random.default_rng([work.seed, member, update]), work.batch)
            for member, part in enumerate(parts)
        ]

        def loss(member: int, readout: Tensor, batches: Sequence[Rows] = batches) -> Tensor:
            return parts[member].loss(networks[member], readout, batches[member])

        members.update(
            torch.stack([batch.inputs for batch in batches]),
            torch.stack([batch.dt_s for batch in batches]),
            loss,
            work.learning_rate(options.cell, options.units, update / updates),
        )
        on_share((update + 1) / updates)
