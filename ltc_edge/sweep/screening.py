"""What a controller will cost, told before it is trained.

Instructions, memory and parameters follow from the network and the format; the values of the weights move
them by little. So a network that is beyond a budget is not trained. `MARGINS` is how far beyond: more than
training was seen to lower a figure, which docs/sweep-objectives.md has in numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ltc_edge.controller import Controller
from ltc_edge.sweep.exported import Exported, export_untrained
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.objectives import OBJECTIVES

MARGINS: Mapping[str, float] = {
    "instructions": 0.02,
    "flash": 0.02,
    "ram": 0.0,
    "stack": 0.02,
    "parameters": 0.0,
}
"""By figure, the share of a limit that it may be exceeded by before training."""


Costs = Callable[[Exported, str], Mapping[str, float]]
"""(exported controller, target) → instructions, flash, RAM and stack, or those of them that are known."""


@dataclass(frozen=True)
class Screened:
    """What an untrained controller shows.

    Attributes:
        figures: that were looked at.
        verdict: why training would be in vain, in one line; None where it is worth it.
    """

    figures: Mapping[str, float]
    verdict: str | None


def screen(
    untrained: Controller,
    form: str,
    plan: MeasurementPlan,
    costs: Costs,
    margins: Mapping[str, float] = MARGINS,
) -> Screened:
    """Judge a controller by the costs that are budgeted, and by whether it has its format at all.

    Args:
        untrained: the controller that training would start from.
        form: name of its format.
        plan: whose budget counts.
        costs: what finds them.
        margins: by figure, the share of a limit that it may be exceeded by.

    Raises:
        FormatRefusedError: the controller has no such form.
        InputError: it does not fit the target.
        EmulationError: it faults there.
        MissingExtraError: a compiler or the emulator is not here.
    """
    exported = export_untrained(untrained, form)
    limits = [limit for limit in plan.budget.limits if limit.name in margins and limit.is_upper]
    figures: dict[str, float] = {}
    if limits:
        figures["parameters"] = float(untrained.parameters_effective())
    if any(OBJECTIVES[limit.name].stage == "emulate" for limit in limits):
        figures |= costs(exported, plan.target)
    for limit in limits:
        figure = figures.get(limit.name)
        if figure is not None and limit.violation(figure) > margins[limit.name]:
            return Screened(figures, f"{limit.name} {figure:,.10g} > {limit.value:,.10g} before training")
    return Screened(figures, None)
