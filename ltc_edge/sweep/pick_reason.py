"""Why a trial is recommended, in a sentence: what it costs, beats and gives away, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.sweep.budget import Limit
from ltc_edge.sweep.figure_text import unit_text, value_text
from ltc_edge.sweep.front import TrialResult
from ltc_edge.sweep.objectives import Objective

COST_WORDS = {
    "instructions": "instructions",
    "flash": "bytes of flash",
    "p99_us": "µs at p99",
    "parameters": "parameters",
}
"""Costs, the first that all candidates have tells what is cheap, and what a number of them is called."""


@dataclass(frozen=True)
class Choice:
    """What there is to choose from.

    Attributes:
        front: all of it.
        goals: the most important first.
        limit: what the budget asks of the first goal, if anything.
        best: in the first goal.
        enough: those that are as good.
        cost: of `COST_WORDS`; None where none was measured of all.
    """

    front: Sequence[TrialResult]
    goals: Sequence[Objective]
    limit: Limit | None
    best: TrialResult
    enough: Sequence[TrialResult]
    cost: str | None

    def turned(self, result: TrialResult) -> float:
        """The first goal's figure, turned so that less is better."""
        mean = result.figures[self.goals[0].name].mean
        return -mean if self.goals[0].maximised else mean

    def spent(self, result: TrialResult) -> float:
        """What a trial costs; nothing where that was not measured."""
        return 0.0 if self.cost is None else result.figures[self.cost].mean


def reason(chosen: TrialResult, choice: Choice) -> str:
    """The sentence, of parts that semicolons join, without a full stop."""
    parts = (_best if chosen is choice.best else _cheapest)(chosen, choice)
    return "; ".join((*parts, *_other_goals(chosen, choice), *_unsure_limit(chosen, choice), _seeds(chosen)))


def _best(chosen: TrialResult, choice: Choice) -> list[str]:
    first = choice.goals[0]
    value = unit_text(chosen.figures[first.name].mean, first)
    if len(choice.front) == 1:
        parts = [f"no other trial within the budget beats it in anything: {first.name} {value}"]
    else:
        parts = [f"the best {first.name}, {value}"]
    if choice.cost is None:
        return parts
    parts.append(_cost_text(chosen, choice) + _among(choice))
    cheaper = [result for result in choice.front if choice.spent(result) < choice.spent(chosen)]
    if cheaper:
        nearest = min(cheaper, key=lambda result: (choice.turned(result), result.number))
        ratio = _ratio(choice.spent(chosen), choice.spent(nearest))
        parts.append(f"trial {nearest.number} would take {ratio}, and give away {_loss(nearest, choice)}")
    return parts


def _cheapest(chosen: TrialResult, choice: Choice) -> list[str]:
    first, limit = choice.goals[0].name, choice.limit
    ratio = _ratio(choice.spent(choice.best), choice.spent(chosen))
    rival = f"trial {choice.best.number}, which has the best {first}"
    parts = [f"{_cost_text(chosen, choice)}{_among(choice)}, {ratio} than {rival}"]
    if choice.turned(chosen) == choice.turned(choice.best):
        return [*parts, f"as good a {first}"]
    error = choice.best.figures[first].standard_error
    is_chance = error is not None and choice.turned(chosen) - choice.turned(choice.best) <= error
    why = (
        "within one standard error of it"
        if is_chance
        else "which the budget allows"
        if limit
        else "negligible"
    )
    return [*parts, f"{_loss(chosen, choice)} given away, {why}"]


def _cost_text(result: TrialResult, choice: Choice) -> str:
    assert choice.cost is not None, "nothing is the cheapest without a cost"
    return f"{value_text(choice.spent(result))} {COST_WORDS[choice.cost]}"


def _among(choice: Choice) -> str:
    """What the cheapest is the cheapest of, where the budget says what is enough."""
    return f", the least of all that keep {choice.limit}" if choice.limit else ""


def _ratio(more: float, less: float) -> str:
    # A clock coarser than a step gives 0, of which nothing is a multiple.
    return f"{more / less:.3g} times less" if less > 0 else "less"


def _loss(result: TrialResult, choice: Choice) -> str:
    """What is given away of the first goal beside the best."""
    first = choice.goals[0]
    best = choice.best.figures[first.name].mean
    loss = choice.turned(result) - choice.turned(choice.best)
    share = f" ({100 * loss / abs(best):.2g} %)" if best else ""
    return f"{unit_text(loss, first)} of the {first.name}{share}"


def _other_goals(chosen: TrialResult, choice: Choice) -> list[str]:
    """Further goals in which the trial with the best first one is better."""
    parts = []
    for goal in choice.goals[1:]:
        own, its = chosen.figures[goal.name].mean, choice.best.figures[goal.name].mean
        if goal.name != choice.cost and goal.is_better(its, own):
            parts.append(f"{goal.name} {unit_text(own, goal)}, not {value_text(its)}")
    return parts


def _unsure_limit(chosen: TrialResult, choice: Choice) -> list[str]:
    """Whether what the budget asks of the first goal may be kept by chance."""
    figure, limit = chosen.figures[choice.goals[0].name], choice.limit
    end = figure.low if choice.goals[0].maximised else figure.high
    if limit is None or end is None or limit.violation(end) <= 0:
        return []
    return [f"its 95 % interval reaches {value_text(end)}, which would not keep {limit}"]


def which_seed(seed: int, seeds: int) -> str:
    """Which of a trial's ``seeds`` trainings is shipped, why, and what its figures are then worth."""
    if seeds == 1:
        return "One seed was trained: its figures are those that chose it, so expect less of it."
    return (
        f"Seed {seed} is the one to ship: it validated best in training. Figures are means over all seeds, "
        "by which none was chosen."
    )


def _seeds(chosen: TrialResult) -> str:
    if len(chosen.seeds) == 1:
        return "a single seed, so that any of it may be chance"
    return f"{len(chosen.seeds)} seeds"
