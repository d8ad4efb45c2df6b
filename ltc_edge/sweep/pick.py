"""Which trial of a front to ship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.sweep.budget import Budget
from ltc_edge.sweep.figure_text import unit_text
from ltc_edge.sweep.front import Broken, TrialResult
from ltc_edge.sweep.objectives import Objective, find_objective
from ltc_edge.sweep.pick_reason import COST_WORDS, Choice, reason
from ltc_edge.sweep.tally import tally

NEGLIGIBLE = 0.005
"""Share of the best's return that is not worth a dearer controller: as much as a 16-bit format may lose."""


@dataclass(frozen=True)
class Pick:
    """The trial to ship.

    Attributes:
        trial: its number.
        seed: whose run is shipped: the one that validated best in training. Chosen by the figures that are
            reported, it would do worse than they say.
        run_folder: of that seed, relative to the folder of the sweep.
        reason: in a sentence, without a full stop.
    """

    trial: int
    seed: int
    run_folder: str
    reason: str


def pick(front: Sequence[TrialResult], goals: Sequence[Objective], budget: Budget) -> Pick | None:
    """The cheapest trial of ``front`` that is as good as the best; None of an empty one.

    As good is, in the first goal, what is within one standard error of the best's mean (Breiman et al.
    1984), and so not significantly worse, or within `NEGLIGIBLE` of it. Where the budget says how much of
    the first goal is wanted, that is enough: all of the front has it.

    Args:
        front: see `ltc_edge.sweep.front.pareto_front`.
        goals: what the sweep strives for, the most important first.
        budget: what the front keeps.
    """
    if not front:
        return None
    choice = _choice(front, goals, budget)
    chosen = min(
        choice.enough, key=lambda result: (choice.spent(result), choice.turned(result), result.number)
    )
    if chosen.best_seed is None or chosen.run_folder is None:
        raise ValueError(f"trial {chosen.number} is complete, but names no seed to ship")
    return Pick(chosen.number, chosen.best_seed, chosen.run_folder, reason(chosen, choice))


def _choice(front: Sequence[TrialResult], goals: Sequence[Objective], budget: Budget) -> Choice:
    first = goals[0]
    wanted = (limit for limit in budget.limits if limit.name == first.name)
    limit = next((limit for limit in wanted if limit.is_upper != first.maximised), None)
    cost = next((name for name in COST_WORDS if all(name in result.figures for result in front)), None)
    sign = -1.0 if first.maximised else 1.0
    turned = {result.number: sign * result.figures[first.name].mean for result in front}
    best = min(front, key=lambda result: (turned[result.number], result.number))
    figure = best.figures[first.name]
    most = turned[best.number] + max(figure.standard_error or 0.0, NEGLIGIBLE * abs(figure.mean))
    enough = [result for result in front if limit is not None or turned[result.number] <= most]
    # Without a cost nothing is cheaper than the best.
    return Choice(front, goals, limit, best, enough if cost else [best], cost)


def why_none(results: Sequence[TrialResult]) -> str:
    """Why no trial can be picked: which comes nearest to the budget, and by how much it fails."""
    complete = [result for result in results if result.state == "complete"]
    if not complete:
        return f"no trial is complete: {'; '.join(tally(results).words)}"
    nearest = min(complete, key=lambda result: (sum(each.excess for each in result.broken), result.number))
    said = " and ".join(_shortfall(broken) for broken in nearest.broken)
    return (
        f"no trial keeps the budget; trial {nearest.number} comes nearest: {said}; "
        "relax the budget, or search on with more --trials"
    )


def _shortfall(broken: Broken) -> str:
    limit = broken.limit
    if broken.value is None:
        return f"{limit.name} was not measured"
    has = f"{limit.name} {unit_text(broken.value, find_objective(limit.name, 'the budget'))}"
    if not limit.value or broken.value == limit.value:
        return f"{has}, not {limit}"
    if broken.excess >= 10 and limit.is_upper:
        return f"{has}, {1 + broken.excess:.3g} times what {limit} allows"
    return f"{has}, {100 * broken.excess:.2g} % {'over' if limit.is_upper else 'short of'} {limit}"
