"""How far a fine-tuned controller is from the one it imitates, and which of two is the better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller

LEAST_ERROR = 1e-6
"""Of an action's standard deviation: an error below it is float32's."""

RETURN_STEP = 0.01
"""Percent: losses of return that differ by less are taken for equal, since episodes are few."""


CHANCE = 0.5
"""Of its standard error: a loss below it is taken for none, so that errors decide and not luck."""


@dataclass(frozen=True)
class Judgement:
    """How far a student is from its teacher.

    Attributes:
        return_lost_percent: of the teacher's return on the same episodes; None without a closed loop.
        errors: RMS error of the action over its standard deviation, the worst channel, on what was held
            out of practice, by kind of lesson.
        standard_error: of ``return_lost_percent``, in percent; None without a closed loop.
    """

    return_lost_percent: float | None
    errors: Mapping[str, float]
    standard_error: float | None = None

    def key(self, before: Judgement) -> tuple[float, float]:
        """What is compared, less being better: return that is lost, then errors against those ``before``."""
        return self._lost, math.sqrt(float(np.mean(np.square(self._shares(before)))))

    def cautious_key(self, before: Judgement) -> tuple[bool, float]:
        """Where there is little to win: whether more return is lost than ``before``, and the worst error.

        A return of few episodes is chance where it hardly changes, and must not outweigh errors.
        """
        return self._lost > before._lost, max(self._shares(before))

    @property
    def _lost(self) -> float:
        lost = max(self.return_lost_percent or 0.0, 0.0)
        if lost < CHANCE * (self.standard_error or 0.0):
            return 0.0
        return round(lost / RETURN_STEP) * RETURN_STEP

    def _shares(self, before: Judgement) -> list[float]:
        return [self.errors[kind] / max(before.errors[kind], LEAST_ERROR) for kind in self.errors]


@dataclass(frozen=True, eq=False)
class Tuned:
    """What fine-tuning gave.

    Attributes:
        controller: the best by judgement; the one it started from where nothing was better.
        before, after: judgements of the start and of ``controller``.
        updates: optimiser steps that were made.
        noise: what of ``before.errors`` no weights would remove: see `rounding_noise`; None for floats.
    """

    controller: Controller
    before: Judgement
    after: Judgement
    updates: int
    noise: Mapping[str, float] | None = None
