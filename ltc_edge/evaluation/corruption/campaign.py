"""A controller through the pack: every kind, every severity, the same episodes throughout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.evaluation.corruption.areas import Area, curve_area
from ltc_edge.evaluation.corruption.corrupted_task import CorruptedTask, Corruption
from ltc_edge.evaluation.corruption.pack import SEVERITIES
from ltc_edge.evaluation.corruption.scales import channel_scales
from ltc_edge.evaluation.corruption.scores import Score, Yardstick, score
from ltc_edge.evaluation.rollout import Policy, ZeroPolicy, open_plants, rollout
from ltc_edge.tasks.protocol import Task

OnShare = Callable[[float], None]


@dataclass(frozen=True)
class Curve:
    """One kind at every severity.

    Attributes:
        kind: its name in the pack.
        scores: of severities 1 to 5.
        area: see `curve_area`; None where returns cannot be normalised.
        relative_area: as a share of the float64 reference's, where something else executes the controller:
            below 1, that costs robustness.
    """

    kind: str
    scores: tuple[Score, ...]
    area: Area | None
    relative_area: Area | None


class Campaign:
    """Plays a controller under corruption.

    Args:
        task: the task.
        policy: what executes the controller.
        seeds: of the episodes.
        reference: the same controller in float64, where ``policy`` is something else.
        on_share: told the share of the uncorrupted episodes that is done.

    Attributes:
        sigma: scale of each channel, ``(I,)``.
        yardstick: what scores are normalised by.
        nominal: the score without corruption.

    Raises:
        TaskError: the plant or the expert misbehaves.
        LtcEdgeError: what executes the controller fails, or is gone.
    """

    def __init__(
        self,
        task: Task,
        policy: Policy,
        seeds: Sequence[int],
        *,
        reference: Policy | None = None,
        on_share: OnShare = lambda _: None,
    ) -> None:
        self._task, self._policy, self._seeds, self._reference = task, policy, seeds, reference
        self.sigma = channel_scales(task)
        expert, expert_ended = self._play(None, None, _part(on_share, 0, 4))
        zero, zero_ended = self._play(ZeroPolicy(task), None, _part(on_share, 1, 4))
        self.yardstick = Yardstick(expert, zero, expert_ended, zero_ended)
        self.nominal = self._score(policy, None, _part(on_share, 2, 4))
        self._reference_nominal = self.nominal
        if reference is not None:
            self._reference_nominal = self._score(reference, None, _part(on_share, 3, 4))

    def curve(self, kind: str, on_share: OnShare = lambda _: None) -> Curve:
        """Play one kind at every severity.

        Raises:
            TaskError: the plant misbehaves.
            LtcEdgeError: what executes the controller fails, or is gone.
        """
        scores, reference_scores = [self.nominal], [self._reference_nominal]
        for severity in SEVERITIES:
            corruption, part = Corruption(kind, severity), _part(on_share, severity - 1, len(SEVERITIES))
            scores.append(self._score(self._policy, corruption, part))
            if self._reference is not None:
                reference_scores.append(self._score(self._reference, corruption))
        own = curve_area(scores, self.yardstick)
        relative = None
        if own is not None and self._reference is not None:
            reference = curve_area(reference_scores, self.yardstick)
            relative = None if reference is None else own.relative_to(reference)
        return Curve(kind, tuple(scores[1:]), None if own is None else own.area, relative)

    def _score(
        self, policy: Policy, corruption: Corruption | None, on_share: OnShare = lambda _: None
    ) -> Score:
        return score(*self._play(policy, corruption, on_share), self.yardstick)

    def _play(
        self, policy: Policy | None, corruption: Corruption | None, on_share: OnShare
    ) -> tuple[FloatArray, BoolArray]:
        """Returns of all episodes ``(E,)``, and which the plant ended before their longest."""
        task = CorruptedTask(self._task, corruption, self.sigma)
        with open_plants(task) as plants:
            played = rollout(
                task, plants, policy, self._seeds, on_step=lambda step: on_share((step + 1) / task.max_steps)
            )
        assert task.plants is not None
        return played.returns, task.plants.ended_early


def _part(on_share: OnShare, index: int, count: int) -> OnShare:
    """Tells the share of one of ``count`` equal parts as one of the whole."""
    return lambda share: on_share((index + share) / count)
