"""What an exported file loses of its score on recordings, where its controller has no closed loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ltc_edge.controller import Controller
from ltc_edge.evaluation.recordings import evaluate_recordings
from ltc_edge.evaluation.rollout import Policy, StepperPolicy
from ltc_edge.logs import METRICS, Dataset
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.verification.closed_loop import three_decimals


@dataclass(frozen=True)
class ScoreResult:
    """The score of the file and of the float controller on the same test windows.

    Attributes:
        metric: its name.
        value, float_value: of the file and of the float64 reference.
        samples: rows scored.
        lost_percent: how much worse, of the float controller's score.
    """

    metric: str
    value: float
    float_value: float
    samples: int
    lost_percent: float

    def figures(self) -> tuple[str, str]:
        """Score and loss, for a table."""
        return f"{self.value:.5g}", three_decimals(self.lost_percent)


class ScoreTrial:
    """Test recordings with the float controller's score."""

    def __init__(self, data: Dataset, controller: Controller) -> None:
        self._data, self._controller = data, controller
        self._float = self._score(ReferenceBatch(controller))

    @property
    def float_value(self) -> float:
        """The float controller's score."""
        return self._float[0]

    def _score(self, policy: Policy, on_share: Callable[[float], None] = lambda _: None) -> tuple[float, int]:
        report = evaluate_recordings(self._data, self._controller, policy=policy, on_share=on_share)
        return report.value, report.samples

    def play(self, stepper: Stepper, on_share: Callable[[float], None] = lambda _: None) -> ScoreResult:
        """Score the file."""
        value, samples = self._score(StepperPolicy(stepper), on_share)
        worse = value - self._float[0]
        if not METRICS[self._data.metric].lower_is_better:
            worse = -worse
        return ScoreResult(
            self._data.metric,
            value,
            self._float[0],
            samples,
            100.0 * worse / max(abs(self._float[0]), 1e-12),
        )
