"""What is lost when one part of a controller is cut: a causal test on the same trials.

The controller plays its trials once as it is and once with each part held at its mean, on the same seeds, so
that the two differ by the cut alone; the interval is over pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.inspection.arena import Arena
from ltc_edge.evaluation.inspection.held import HeldBatch, holds
from ltc_edge.evaluation.inspection.means import Means
from ltc_edge.evaluation.inspection.parts import Kind, Part, liquid
from ltc_edge.evaluation.inspection.removal import without_synapses
from ltc_edge.evaluation.statistics import return_statistics
from ltc_edge.runtimes.reference import ReferenceBatch

ROWS = 640
"""Trials that are played at once: more need more memory and are no quicker."""


Verdict = Literal["costs", "free", "unclear"]

MATERIAL = 0.01
"""Of what the controller gains on doing nothing: a smaller loss is none that matters."""


@dataclass(frozen=True)
class Effect:
    """What cutting a part costs.

    Attributes:
        part: what was cut.
        lost: mean score that it loses, over pairs of trials.
        lost_ci95: its 95 % bootstrap interval.
        worst: the largest loss of a trial.
        gain: what the uncut controller gains on doing nothing, the mean.
    """

    part: Part
    lost: float
    lost_ci95: tuple[float, float]
    worst: float
    gain: float

    @property
    def share(self) -> float | None:
        """``lost`` as a share of the gain; None where there is none."""
        return self.lost / self.gain if self.gain > 0 else None

    @property
    def verdict(self) -> Verdict:
        """``costs`` where the loss shows and matters, ``free`` where one that matters is excluded."""
        low, high = self.lost_ci95
        material = MATERIAL * max(self.gain, 0.0)
        if high <= material:
            return "free"
        return "costs" if low > 0.0 and self.lost >= material else "unclear"


@dataclass(frozen=True, eq=False)
class Effects:
    """The effects of all cuts, and what they are measured by.

    Attributes:
        whole: scores of the uncut controller, ``(trials,)``.
        baseline: scores of doing nothing, ``(trials,)``.
        effects: one a part.
    """

    whole: FloatArray
    baseline: FloatArray
    effects: tuple[Effect, ...]

    @property
    def gain(self) -> float:
        """Mean score over that of doing nothing."""
        return float((self.whole - self.baseline).mean())

    def of(self, kind: Kind) -> tuple[Effect, ...]:
        """Effects of the parts of one kind."""
        return tuple(effect for effect in self.effects if effect.part.kind is kind)


def cut_effects(
    arena: Arena,
    controller: Controller,
    means: Means,
    parts: Sequence[Part],
    on_share: Callable[[float], None] = lambda _: None,
) -> Effects:
    """Cut each of ``parts`` alone.

    Raises:
        TaskError: the plant misbehaves.
    """
    whole = arena.play(ReferenceBatch(controller))[0]
    baseline = arena.baseline()
    together = [part for part in parts if _can_be_held(controller, part)]
    scores: dict[Part, FloatArray] = {}
    size = max(ROWS // arena.trials, 1)
    for first in range(0, len(together), size):
        cut = together[first : first + size]
        batch = HeldBatch(controller, holds(controller, means, cut, arena.trials))
        played = arena.play(batch, len(cut), partial(_tell, on_share, first, len(cut), len(parts)))
        scores |= zip(cut, played, strict=True)
    for part in parts:
        if part not in scores:
            scores[part] = arena.play(ReferenceBatch(_without(controller, means, part)))[0]
            on_share(len(scores) / len(parts))
    gain = float((whole - baseline).mean())
    return Effects(whole, baseline, tuple(effect_of(part, whole - scores[part], gain) for part in parts))


def effect_of(part: Part, lost: FloatArray, gain: float) -> Effect:
    """The effect of a cut that loses ``lost`` ``(trials,)``, where the controller gains ``gain`` in all."""
    statistics = return_statistics(lost)
    return Effect(part, statistics.mean, statistics.ci95, float(lost.max()), gain)


def _tell(on_share: Callable[[float], None], first: int, count: int, of: int, share: float) -> None:
    on_share((first + share * count) / of)


def _can_be_held(controller: Controller, part: Part) -> bool:
    return part.kind is not Kind.SYNAPSE or isinstance(liquid(controller.cell), LTCSpec)


def _without(controller: Controller, means: Means, part: Part) -> Controller:
    removed: BoolArray = np.arange(len(means.synapse)) == part.index
    return without_synapses(controller, removed, means.synapse)
