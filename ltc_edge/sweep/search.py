"""What to try next: a study in memory that knows, at each trial, exactly what it may know.

Trial k is asked for with trials 0 … k − lookahead told, and those between still running. Whatever else is
known by then is kept from the sampler, so that a sweep on many machines, or one that was interrupted and
given more trials, asks for the same trials as one on a single core.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.plan import SweepPlan
from ltc_edge.sweep.samplers import Evolution, make_sampler
from ltc_edge.sweep.told import Told

SETTINGS = "settings"
"""The user attribute of a trial that holds its point of the search space."""

PROPOSALS, DRAWS = 10, 50
"""How often the sampler, and then chance, may propose what was tried already: then the space is exhausted."""


class Search:
    """The sampler's view of a sweep."""

    def __init__(self, plan: SweepPlan) -> None:
        self._plan = plan
        self._storage = optuna.storages.InMemoryStorage()
        self._study = optuna.create_study(
            storage=self._storage,
            sampler=optuna.samplers.RandomSampler(seed=0),
            directions=[OBJECTIVES[name].direction for name in plan.measure.objectives],
        )
        self._ids: list[int] = []
        self._told = 0
        self._tried: set[str] = set()

    def knows(self, number: int) -> int:
        """How many trials are told when trial ``number`` is asked for."""
        return max(0, number - self._plan.lookahead + 1)

    def ask(self, told: Sequence[Told]) -> FrozenTrial | None:
        """The next trial, its settings among its user attributes; None where the space is exhausted.

        Args:
            told: the trials that are over, by number; at least as many as are told by then, see `knows`.
        """
        number = len(self._ids)
        self._tell_until(number, told)
        for attempt in range(PROPOSALS + DRAWS):
            kind = self._plan.sampler if attempt < PROPOSALS else "random"
            self._study.sampler = make_sampler(
                kind, self._plan.population, (self._plan.seed, number, attempt)
            )
            trial = self._study.ask()
            settings = self._plan.space.suggest(trial)
            if _key(settings) not in self._tried:
                trial.set_user_attr(SETTINGS, settings)
                self._take(trial._trial_id, settings)
                return self._storage.get_trial(trial._trial_id)
            self._study.tell(trial, state=TrialState.FAIL)  # samplers look at no failed trials
        return None

    def restore(self, trial: FrozenTrial, told: Sequence[Told]) -> None:
        """Know ``trial`` again, which `ask` gave before an interruption."""
        self._tell_until(len(self._ids), told)
        fresh = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=trial.user_attrs,
            system_attrs={name: each for name, each in trial.system_attrs.items() if _is_of_ask(name)},
        )
        identity = self._storage.create_new_trial(self._study._study_id, fresh)
        self._take(identity, trial.user_attrs[SETTINGS])
        if self._plan.sampler == "nsga2":
            # A generation's parents are chosen when its first trial is asked for.
            evolution = Evolution(self._plan.population, 0)
            evolution.get_parent_population(
                self._study, evolution.get_trial_generation(self._study, self._storage.get_trial(identity))
            )

    def _take(self, identity: int, settings: Mapping[str, Any]) -> None:
        self._ids.append(identity)
        self._tried.add(_key(settings))

    def _tell_until(self, number: int, told: Sequence[Told]) -> None:
        """Let the sampler know what it may when trial ``number`` is asked for."""
        while self._told < self.knows(number):
            tell(self._study, self._ids[self._told], told[self._told])
            self._told += 1


def tell(study: optuna.Study, identity: int, told: Told) -> None:
    """Close the trial ``identity`` of ``study``; what an interruption left half-told is told in full."""
    trial = Trial(study, identity)
    for limit, violation in told.violations.items():
        if limit not in trial.constraints:
            trial.set_constraint(limit, violation)
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    study.tell(trial, list(told.values) if told.state == "complete" else None, state=states[told.state])


def _is_of_ask(name: str) -> bool:
    """Whether a system attribute was there when its trial was asked for: constraints came later."""
    return not name.startswith("constraints")


def _key(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)
