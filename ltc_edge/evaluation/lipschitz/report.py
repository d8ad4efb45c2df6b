"""All that ``ltc-edge robustness`` finds of one controller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ltc_edge.controller import Controller
from ltc_edge.evaluation.lipschitz.bracket import steps_visited
from ltc_edge.evaluation.lipschitz.contraction import (
    Contraction,
    contraction_everywhere,
    contraction_near,
)
from ltc_edge.evaluation.lipschitz.proved import Proved, proved
from ltc_edge.evaluation.lipschitz.survey import Surveyed, boxes, state_spread, survey
from ltc_edge.evaluation.margins.loop import LoopMargins, loop_margins
from ltc_edge.evaluation.visited import Visited

if TYPE_CHECKING:
    from ltc_edge.tasks.protocol import Task


@dataclass(frozen=True, eq=False)
class RobustnessReport:
    """What was found; a reason in words stands where something is not to be had.

    Attributes:
        points: visited steps around which boxes were laid.
        surveyed: brackets, a row a kind of box.
        near: the rate of contraction over boxes, by radius.
        everywhere: over all that is possible.
        proved: the theorems' bounds and their use.
        margins: of the loop at rest.
    """

    points: int
    surveyed: tuple[Surveyed, ...]
    near: dict[float, Contraction]
    everywhere: Contraction | str
    proved: Proved | str
    margins: LoopMargins | str


def robustness_report(
    controller: Controller,
    visited: Visited,
    task: Task | None,
    seeds: Sequence[int],
    *,
    radii: Sequence[float],
    steps: int,
    points: int,
    budget: int,
    on_share: Callable[[str, float], None] = lambda *_: None,
) -> RobustnessReport:
    """Find it all; the same seeds give the same figures.

    Args:
        controller: the controller.
        visited: where it goes.
        task: its task, or None where there is no loop to close.
        seeds: of the episodes.
        radii, steps: of the boxes, see `boxes`.
        points: at most so many visited steps have boxes around them.
        budget: see `lipschitz_brackets`.
        on_share: told stages, and the share of each that is done.

    Raises:
        InputError: no episode has so many steps, or a radius is none.
        TaskError: the plant misbehaves.
    """
    rows = []
    for box in boxes(radii, steps):
        on_share(box.name, 0.0)
        share = partial(on_share, box.name)
        rows.append(
            survey(controller, visited, box, points=points, budget=budget, seed=seeds[0], on_share=share)
        )
    on_share("contraction", 0.0)
    centres = steps_visited(controller, visited, 1, points, seeds[0])
    spread = state_spread(controller, visited)
    near = {radius: contraction_near(controller, centres, radius, radius * spread) for radius in radii}
    on_share("margins", 0.0)
    found = (
        loop_margins(task, controller, seeds)
        if task is not None
        else "recordings have no loop that could be closed"
    )
    return RobustnessReport(
        len(rows[0].brackets.upper),
        tuple(rows),
        near,
        contraction_everywhere(controller),
        proved(controller, visited),
        found,
    )
