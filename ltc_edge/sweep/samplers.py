"""Who proposes the trials of a sweep: Optuna's samplers, a new one for every trial, with its own seed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from ltc_edge.sweep.plan import Sampler


def make_sampler(kind: Sampler, population: int, seed: tuple[int, ...]) -> BaseSampler:
    """A sampler whose every draw follows from ``seed`` and the trials that it is shown.

    Args:
        kind: see `Sampler`.
        population: of a generation of NSGA-II.
        seed: whole numbers from 0, such as (of the sweep, of the trial).
    """
    drawn = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if kind == "random":
        return RandomSampler(seed=drawn)
    if kind == "tpe":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(seed=drawn, constant_liar=True)
    return Evolution(population, drawn)


class Evolution(NSGAIISampler):
    """NSGA-II (Deb et al. 2002) that also lets a child inherit what only some networks have.

    Optuna crosses over the variables that all trials share; those under a condition, such as the unfolds of
    an LTC, it would draw anew for every child, and never learn. Here they come from one of the parents that
    have them, but for a mutation.
    """

    def __init__(self, population: int, seed: int) -> None:
        super().__init__(population_size=population, seed=seed)
        self._heredity = np.random.default_rng((seed, 1))
        self._crossed: frozenset[str] | None = None

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A value of a variable that is not crossed over, or that mutates."""
        parents = self.get_parent_population(study, self.get_trial_generation(study, trial))
        values = [
            parent.params[param_name]
            for parent in parents
            if parent.distributions.get(param_name) == param_distribution
        ]
        if self._crossed is None:
            self._crossed = frozenset(self.infer_relative_search_space(study, trial))
        mutates = param_name in self._crossed  # as the crossover had it, but gave it up
        if mutates or not values or self._heredity.random() < 1 / len(parents[0].params):
            return super().sample_independent(study, trial, param_name, param_distribution)
        return values[self._heredity.integers(len(values))]
