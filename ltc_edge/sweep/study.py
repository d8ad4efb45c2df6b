"""The memory of a sweep: trials asked for and told in the order of their numbers, in a storage that lasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial

from ltc_edge.errors import ControllerFileError
from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.plan import SweepPlan
from ltc_edge.sweep.search import SETTINGS, Search, tell
from ltc_edge.sweep.storage import storing
from ltc_edge.sweep.thresholds import thresholds
from ltc_edge.sweep.told import Told, judge
from ltc_edge.sweep.work import Outcome

GIVING_UP, OUTCOMES = "giving_up", "outcomes"
"""User attributes of a trial, beside its settings."""


@dataclass(frozen=True)
class Asked:
    """A trial to be done.

    Attributes:
        number: from 0.
        settings: its point of the search space.
        giving_up: see `Work.giving_up`.
    """

    number: int
    settings: Mapping[str, Any]
    giving_up: Mapping[int, float]


class Study:
    """The trials of a sweep, as far as they are asked for and told.

    Every change is in the storage when its call returns; a trial is asked for in one step, and one that was
    half told is told again in full.

    Args:
        plan: of the sweep.
        storage: which holds it already, or shall.

    Raises:
        ControllerFileError: the storage holds a study of that name which is not of this plan.
        OutputError: the storage cannot be read or written.
    """

    def __init__(self, plan: SweepPlan, storage: BaseStorage) -> None:
        self.plan = plan
        self.asked: list[Asked] = []
        self.told: list[Told] = []
        self._storage = storage
        self._ids: list[int] = []
        self._search = Search(plan)
        self._is_exhausted = False
        with self._storing():
            self._study = optuna.create_study(
                storage=storage,
                sampler=optuna.samplers.RandomSampler(seed=0),  # proposes nothing: `Search` does
                study_name=plan.name,
                directions=[OBJECTIVES[name].direction for name in plan.measure.objectives],
                load_if_exists=True,
            )
            self._read(self._study.get_trials(deepcopy=False))

    @property
    def is_exhausted(self) -> bool:
        """Whether every point of the space was tried, or as good as."""
        return self._is_exhausted

    def ask(self, total: int) -> Asked | None:
        """The next trial of ``total``; None where others must be told first, or there is none."""
        number = len(self.asked)
        if number >= total or self._is_exhausted or len(self.told) < self._search.knows(number):
            return None
        found = self._search.ask(self.told)
        if found is None:
            self._is_exhausted = True
            return None
        settings = found.user_attrs[SETTINGS]
        asked = Asked(number, settings, self._thresholds(number, settings))
        attributes = {
            **found.user_attrs,
            GIVING_UP: {str(at): least for at, least in asked.giving_up.items()},
        }
        with self._storing():
            record = optuna.trial.create_trial(
                state=found.state,
                params=found.params,
                distributions=found.distributions,
                user_attrs=attributes,
                system_attrs=found.system_attrs,
            )
            self._ids.append(self._storage.create_new_trial(self._study._study_id, record))
        self.asked.append(asked)
        return asked

    def tell(self, outcomes: Sequence[Outcome]) -> Told:
        """Tell of the first trial that is not told yet; ``outcomes`` as `deciding` gives them."""
        told = judge(outcomes, self.plan.measure)
        identity = self._ids[len(self.told)]
        with self._storing():
            record = [dataclasses.asdict(outcome) for outcome in outcomes]
            Trial(self._study, identity).set_user_attr(OUTCOMES, record)
            tell(self._study, identity, told)
        self.told.append(told)
        return told

    def _read(self, trials: Sequence[FrozenTrial]) -> None:
        """Take up what the storage holds."""
        try:
            for trial in trials:
                if trial.state.is_finished():
                    outcomes = [Outcome.from_json(each) for each in trial.user_attrs[OUTCOMES]]
                    self.told.append(judge(outcomes, self.plan.measure))
            for trial in trials:
                self._search.restore(trial, self.told)
                given = {int(at): float(least) for at, least in trial.user_attrs[GIVING_UP].items()}
                self.asked.append(Asked(trial.number, trial.user_attrs[SETTINGS], given))
                self._ids.append(trial._trial_id)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise ControllerFileError(
                f"the study {self.plan.name} holds trials that no sweep asked for ({error!r}); "
                "put back a copy of it, or start again with --force"
            ) from None

    def _thresholds(self, number: int, settings: Mapping[str, Any]) -> dict[int, float]:
        if not self.plan.is_quality_sought:
            return {}
        known = self._search.knows(number)
        complete = [
            (asked.settings, told.outcomes[0].curve)
            for asked, told in zip(self.asked[:known], self.told[:known], strict=True)
            if told.state == "complete"
        ]
        maximised = self.plan.measure.metric.maximised
        return thresholds(settings, complete, self.plan.give_up, maximised=maximised)

    def _storing(self) -> Any:
        return storing(self.plan.storage or "the journal of the study")
