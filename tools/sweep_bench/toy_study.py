"""Studies of trials that train nothing."""

from __future__ import annotations

from pathlib import Path

from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.plan import Sampler, SweepPlan
from ltc_edge.sweep.space import make_space
from ltc_edge.sweep.storage import open_storage
from ltc_edge.sweep.study import Study
from ltc_edge.training.sources import TaskSource


def toy_plan(trials: int, sampler: Sampler = "random", storage: str | None = None, seeds: int = 2,
             lookahead: int = 8) -> SweepPlan:  # fmt: skip
    """A space of 10⁶ points and more, two objectives."""
    source = TaskSource("cartpole")
    measure = MeasurementPlan(source, objectives=("return", "parameters"))
    space = make_space(source, 1, {"units": "4:400", "unfolds": "1:50", "learning_rate": "1e-5:1e-1"})
    return SweepPlan(
        measure, space, trials, seeds, sampler=sampler, lookahead=lookahead, storage=storage,
        give_up=0.0, name="toy",
    )  # fmt: skip


def toy_study(plan: SweepPlan, folder: Path) -> Study:
    """Its study, new or as ``folder`` has it."""
    folder.mkdir(parents=True, exist_ok=True)
    return Study(plan, open_storage(folder, plan.storage)[0])


class Nobody:
    """A watcher that looks away."""

    def working(self, busy: int) -> None:
        """See `Watcher`."""

    def lost(self, lost: object) -> None:
        """See `Watcher`."""

    def told(self, asked: object, told: object) -> None:
        """See `Watcher`."""
