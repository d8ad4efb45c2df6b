"""What a change after training costs: the changed controller against that which was trained, in floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.evaluation.statistics import return_statistics
from ltc_edge.logs import METRICS, Dataset
from ltc_edge.verification.closed_loop import ClosedLoopTrial
from ltc_edge.verification.scored import ScoreTrial
from ltc_edge.verification.task_trial import Loaded
from ltc_edge.verification.verify import TaskTrial

GREATEST_LOSS_PERCENT = 1.0
"""What a change may cost, as much as the loosest format may; what is worth it is the user's to say."""


@dataclass(frozen=True)
class ChangeResult:
    """The figure of the task before and after a change.

    Attributes:
        metric: ``return``, or the recordings' metric.
        trained, changed: of the controller as it was trained, and of the changed one, in float64.
        lost_percent: of the trained controller's figure.
        lost_ci95: 95 % bootstrap interval of that over the paired episodes; None for recordings.
    """

    metric: str
    trained: float
    changed: float
    lost_percent: float
    lost_ci95: tuple[float, float] | None

    @property
    def failure(self) -> str | None:
        """What is beyond `GREATEST_LOSS_PERCENT`, in words, and not by chance."""
        within = self.lost_percent <= GREATEST_LOSS_PERCENT
        if within or (self.lost_ci95 is not None and self.lost_ci95[0] <= 0.0):
            return None
        return (
            f"the change loses {self.lost_percent:.3g} % of the trained controller's {self.metric} "
            f"({self.trained:.5g} to {self.changed:.5g}), at most {GREATEST_LOSS_PERCENT:g} % are allowed"
        )

    def lost(self, value: float) -> float:
        """What a file with the figure ``value`` loses of the trained controller's, in percent."""
        worse = self.trained - value
        if self.metric != "return" and METRICS[self.metric].lower_is_better:
            worse = -worse
        return 100.0 * worse / max(abs(self.trained), 1e-12)

    def to_json(self) -> Mapping[str, Any]:
        """For the manifest and ``--json``."""
        return {
            "metric": self.metric,
            "trained": self.trained,
            "changed": self.changed,
            "lost_percent": self.lost_percent,
            "lost_ci95": None if self.lost_ci95 is None else list(self.lost_ci95),
        }


def compare(loaded: Loaded, trained: Controller, changed: TaskTrial, *, episodes: int) -> ChangeResult:
    """The trained controller on the very episodes or rows of the changed one's trial.

    Args:
        loaded: the task, or recordings.
        trained: the controller as it was trained.
        changed: the trial of the changed controller.
        episodes: of that trial.
    """
    if isinstance(changed, ScoreTrial):
        assert isinstance(loaded, Dataset)
        before, after = ScoreTrial(loaded, trained).float_value, changed.float_value
        result = ChangeResult(loaded.metric, before, after, 0.0, None)
        return ChangeResult(loaded.metric, before, after, result.lost(after), None)
    assert not isinstance(loaded, Dataset)
    returns = ClosedLoopTrial(loaded, trained, episodes=episodes).float_returns
    scale = max(abs(float(returns.mean())), 1e-9)
    lost = return_statistics(100.0 * (returns - changed.float_returns) / scale)
    after = float(changed.float_returns.mean())
    return ChangeResult("return", float(returns.mean()), after, lost.mean, lost.ci95)
