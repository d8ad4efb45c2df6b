"""What can be asked of a controller: figures, which way each is better, and what measures it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ltc_edge.errors import InputError
from ltc_edge.logs import METRICS

Stage = Literal["count", "evaluate", "compare", "emulate", "corrupt", "time"]
"""What measures a figure: see `Objective.stage`."""


@dataclass(frozen=True)
class Objective:
    """A figure of a trial.

    Attributes:
        name: as on the command line and in `Outcome.figures`.
        unit: for tables; empty for none.
        maximised: whether more is better.
        stage: what measures it: ``count`` the network alone, ``evaluate`` the task with the exported file,
            ``compare`` the file beside its float64 reference, ``emulate`` the compiled C in an emulator,
            ``corrupt`` the task under corruption, ``time`` a device.
        summary: one line.
    """

    name: str
    unit: str
    maximised: bool
    stage: Stage
    summary: str

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """As Optuna spells it."""
        return "maximize" if self.maximised else "minimize"

    def is_better(self, value: float, other: float) -> bool:
        """Whether ``value`` beats ``other``: a figure that is no number beats nothing."""
        return value > other if self.maximised else value < other


RETURN = Objective("return", "", True, "evaluate", "mean return of the closed loop with the exported file")

_METRICS = tuple(
    Objective(
        metric.name,
        "",
        not metric.lower_is_better,
        "evaluate",
        f"{metric.name} of the exported file on the validation recordings",
    )
    for metric in METRICS.values()
)

OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        RETURN,
        *_METRICS,
        Objective("instructions", "", False, "emulate", "instructions of the longest step, on the target"),
        Objective("flash", "B", False, "emulate", "bytes of code and constants, on the target"),
        Objective("ram", "B", False, "emulate", "bytes of variables and one context, on the target"),
        Objective("stack", "B", False, "emulate", "bytes of stack that steps write to, on the target"),
        Objective(
            "error", "σ", False, "compare", "RMS error of a free run over the action's standard deviation"
        ),
        Objective("corruption", "", True, "corrupt", "mean area under the curves of corruption, 0 to 1"),
        Objective("parameters", "", False, "count", "effective parameters"),
        Objective("p99_us", "µs", False, "time", "99th percentile of a step on the device"),
    )
}
"""Every figure by name."""

TASK_METRICS = (RETURN.name, *METRICS)
"""What says how well a controller does what it is for; of a task one of them."""

COSTS = ("instructions", "flash", "ram", "stack", "parameters")
"""Figures that hardly depend on what was trained, and so can be told before training."""


def read_objectives(text: str) -> tuple[Objective, ...]:
    """The objectives that ``text`` names, such as ``return,instructions,error``.

    Raises:
        InputError: a name is unknown, missing or there twice.
    """
    names = [part.strip() for part in text.split(",")]
    found = tuple(find_objective(name, "--objectives") for name in names)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--objectives: names {name} twice; leave one out")
    return found


def find_objective(name: str, where: str) -> Objective:
    """The objective of a name.

    Args:
        name: of the figure.
        where: what the name was said to, for the message.

    Raises:
        InputError: there is none; the nearest is named.
    """
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    if not name:
        raise InputError(f"{where}: a figure's name is missing; there are {_list(OBJECTIVES)}")
    nearest = difflib.get_close_matches(name, OBJECTIVES, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {_list(OBJECTIVES)}"
    raise InputError(f"{where}: {name[:60]!r} is no figure that is measured; {hint}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
