"""Removing synapses while the closed loop holds, and proving afterwards that it does.

Synapses are removed in the order of what they do to the actions, the mean of each left to its target; how
many can go at once is found by doubling and bisection, the one that cannot is passed over, and the order is
taken anew. Every candidate plays whole episodes. With fine-tuning, more are removed than the loop bears, and
the rest learns to do what all did. What remains is verified on episodes that no search has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from ltc_edge.arrays import IntArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.errors import CheckFailedError, InputError
from ltc_edge.evaluation.inspection.comparison import Comparison, compare
from ltc_edge.evaluation.inspection.ground import Ground
from ltc_edge.evaluation.inspection.importance import importance
from ltc_edge.evaluation.inspection.means import Means, means_of
from ltc_edge.evaluation.inspection.parts import synapses_of
from ltc_edge.evaluation.inspection.removal import (
    removal_refusal,
    without_idle_neurons,
    without_synapses,
)
from ltc_edge.runtimes.reference import ReferenceBatch

OnStage = Callable[[str, float], None]
Tune = Callable[[Controller, Callable[[float], None]], Controller]
"""Fine-tunes a pruned controller to do what the unpruned one does; told the share that is done."""

CAUTION = 0.5
"""Of the margin: what the search accepts. It takes the best of many candidates, which are lucky ones."""

PATIENCE = 6
"""Synapses passed over in a row after which no more are tried."""

FIRST_SHARE, LEAST_SHARE, MOST_TUNED = 0.3, 0.04, 8
"""Of the synapses left, how many go before a fine-tuning, at first and at last; and how many times."""


@dataclass(frozen=True, eq=False)
class Pruned:
    """A pruned controller.

    Attributes:
        before: the controller as it was.
        after: what is left; neurons that no motor neuron hears of any more are gone too.
        comparison: its verification.
        verified_on: what it was verified on, in words.
        refused: candidates with fewer synapses still whose verification failed.
        tuned: whether anything was fine-tuned.
    """

    before: Controller
    after: Controller
    comparison: Comparison
    verified_on: str
    refused: int
    tuned: bool

    @property
    def synapses(self) -> tuple[int, int]:
        """How many there were, and are."""
        return len(synapses_of(self.before.cell)), len(synapses_of(self.after.cell))

    @property
    def unheard(self) -> tuple[str, ...]:
        """Names of the observations that nothing listens to any more."""
        spec = self.after.cell
        # The gates of a wired CfC, and an LSTM before a cell, hear everything.
        if not isinstance(spec, LTCSpec):
            return ()
        heard = [bool(row.any()) for row in spec.wiring.sensory]
        return tuple(
            signal.name for signal, own in zip(self.after.observations, heard, strict=True) if not own
        )

    @property
    def removed_share(self) -> float:
        """Share of the synapses that is gone."""
        before, after = self.synapses
        return 1.0 - after / before


def prune(
    controller: Controller,
    ground: Ground,
    *,
    tune: Tune | None = None,
    tolerance: float | None = None,
    on_stage: OnStage = lambda _, __: None,
) -> Pruned:
    """Remove what can be removed.

    Args:
        controller: an LTC or a wired CfC.
        ground: where to search and to verify.
        tune: fine-tunes what is left; None for no fine-tuning.
        tolerance: share of the gain on doing nothing that may be lost; None for `compare`'s.
        on_stage: told what is being done, and the share of it that is.

    Raises:
        InputError: the cell has no synapses to remove, or is no better than doing nothing.
        CheckFailedError: nothing can be removed, or nothing that was found stands its verification.
        TaskError: the plant misbehaves.
    """
    refusal = removal_refusal(controller)
    if refusal is not None:
        raise InputError(f"--prune: {refusal}")
    search = _Search(controller, ground, tolerance, on_stage)
    search.run(tune)
    if not search.accepted:
        raise CheckFailedError(
            "no synapse can go without a loss beyond the margin; try --finetune or a wider --tolerance"
        )
    return _verified(controller, ground, search, tolerance, on_stage)


def _verified(
    controller: Controller, ground: Ground, search: _Search, tolerance: float | None, on_stage: OnStage
) -> Pruned:
    comparison = None
    for k, candidate in enumerate(_spaced(search.accepted, ground.verifications)):
        on_stage(f"verifying on {ground.verified_on(k)}", 0.0)
        left = without_idle_neurons(candidate)
        arena = ground.fresh(k)
        before = arena.play(ReferenceBatch(controller))[0]
        after = arena.play(ReferenceBatch(left))[0]
        comparison = compare(before, after, float((before - arena.baseline()).mean()), tolerance)
        if comparison.kept:
            return Pruned(controller, left, comparison, ground.verified_on(k), k, search.tuned)
    assert comparison is not None
    raise CheckFailedError(
        f"no pruned controller stood its verification: the last lost {comparison.lost:.4g} "
        f"({comparison.lost_ci95[0]:.4g} to {comparison.lost_ci95[1]:.4g}) where {comparison.margin:.4g} is "
        "accepted; nothing was written; try more --episodes, or a wider --tolerance"
    )


def _spaced(accepted: list[Controller], most: int) -> Iterator[Controller]:
    """The last accepted, then earlier ones, each with clearly more synapses, at most ``most``."""
    size, given = 0.0, 0
    for candidate in reversed(accepted):
        synapses = len(synapses_of(candidate.cell))
        if synapses >= size and given < most:
            size, given = 1.1 * synapses + 1, given + 1
            yield candidate


class _Search:
    """Finds candidates, each smaller than the last; ``accepted`` are those whose loop held."""

    def __init__(
        self, controller: Controller, ground: Ground, tolerance: float | None, on_stage: OnStage
    ) -> None:
        self._ground, self._tolerance, self._on_stage = ground, tolerance, on_stage
        batch = ReferenceBatch(controller)
        self._whole = np.concatenate([arena.play(batch)[0] for arena in ground.search])
        nothing = np.concatenate([arena.baseline() for arena in ground.search])
        self._gain = float((self._whole - nothing).mean())
        if self._gain <= 0:
            raise InputError("--prune: the controller does no better than doing nothing; train it first")
        self._size = len(synapses_of(controller.cell))
        self.current = controller
        self.accepted: list[Controller] = []
        self.tuned = False

    def run(self, tune: Tune | None) -> None:
        """Remove until nothing more can go."""
        self._remove()
        share, times = FIRST_SHARE, 0
        while tune is not None and share >= LEAST_SHARE and times < MOST_TUNED and self._left > 1:
            times += 1
            order, means = self._order()
            count = min(max(round(share * self._left), 1), self._left - 1)
            student = self._without(order[:count], means)
            stage = f"fine-tuning {self._left - count} of {self._size} synapses"
            self._on_stage(stage, 0.0)
            tuned = tune(student, partial(self._on_stage, stage))
            if self._holds(tuned):
                self.tuned = True
                self._accept(tuned)
                self._remove()
            else:
                share /= 2.0

    @property
    def _left(self) -> int:
        return len(synapses_of(self.current.cell))

    def _remove(self) -> None:
        """Remove the least important, as many at once as can go; pass over the one that could not."""
        passed = np.zeros(self._left, dtype=np.bool_)
        failures = 0
        while failures < PATIENCE and self._left > 1:
            order, means = self._order()
            order = order[~passed[order]][: self._left - 1]
            if not len(order):
                return
            count, candidate = self._most(order, means)
            if count < len(order):
                passed[order[count]] = True
            if candidate is None:
                failures += 1
                continue
            failures = 0
            passed = np.delete(passed, order[:count])
            self._accept(candidate)

    def _most(self, order: IntArray, means: Means) -> tuple[int, Controller | None]:
        """How many of the first of ``order`` can go at once, and what is left then.

        Their number is doubled until they are too many, and then bisected.
        """
        kept, best, refused = 0, None, len(order) + 1
        while refused - kept > 1:
            count = 2 * kept or 1
            if count >= refused:
                count = (kept + refused) // 2
            candidate = self._without(order[:count], means)
            if self._holds(candidate):
                kept, best = count, candidate
            else:
                refused = count
        return kept, best

    def _order(self) -> tuple[IntArray, Means]:
        visited = self._ground.look(self.current)
        means = means_of(self.current, visited)
        return np.argsort(importance(self.current, visited, means), kind="stable"), means

    def _without(self, removed: IntArray, means: Means) -> Controller:
        return without_synapses(self.current, np.isin(np.arange(self._left), removed), means.synapse)

    def _accept(self, candidate: Controller) -> None:
        self.current = candidate
        self.accepted.append(candidate)
        self._on_stage("removing synapses", 1.0 - self._left / self._size)

    def _holds(self, candidate: Controller) -> bool:
        """Whether the search's trials find no loss; what is plainly worse is refused after the first."""
        batch, after = ReferenceBatch(candidate), np.zeros(0)
        for arena in self._ground.search:
            after = np.concatenate([after, arena.play(batch)[0]])
            comparison = compare(self._whole[: len(after)], after, self._gain, self._tolerance)
            if comparison.lost_ci95[0] > comparison.margin:
                return False
        return comparison.lost_ci95[1] <= CAUTION * comparison.margin
