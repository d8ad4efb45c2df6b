"""What a closed loop pays where a controller is called at another rate than the one it was trained at.

The same episodes are played at the native rate and at others. Only the controller's rate changes: the plant
is simulated in the same fine steps, and the action is held between two readings. Each rate is played twice:
with the controller told the time that has passed, and told its native period whatever has passed, which is
what a network without dt as an input does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.controller import Timing
from ltc_edge.deploy.rate import RatePlan, plan_rate
from ltc_edge.errors import InputError
from ltc_edge.evaluation.corruption.scores import Score, Yardstick, score
from ltc_edge.evaluation.native_rate_task import FINEST, Grid, SampledTask, grid_of
from ltc_edge.evaluation.rollout import Policy, ZeroPolicy, open_plants, rollout
from ltc_edge.evaluation.statistics import ReturnStatistics, return_statistics
from ltc_edge.tasks.protocol import Task

SAME = 1e-6
"""Periods that differ by less than this share are one: they are played once."""

OnShare = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Played:
    """One way of calling the controller, against its native rate on the same seeds.

    Attributes:
        score: returns and failures.
        lost: return lost against the native rate, episode by episode.
        lost_percent: the same in percent of the magnitude of the native mean return.
    """

    score: Score
    lost: ReturnStatistics
    lost_percent: ReturnStatistics


@dataclass(frozen=True, eq=False)
class RateResult:
    """One rate of the loop.

    Attributes:
        rate_hz: of the loop.
        plan: how the controller is stepped; None where that is refused.
        refusal: why it is.
        told: with the controller told the real dt.
        ignored: with the controller told its native period.
        gained: return of ``told`` over ``ignored``, episode by episode: what the real dt is worth.
    """

    rate_hz: float
    plan: RatePlan | None
    refusal: str | None
    told: Played | None = None
    ignored: Played | None = None
    gained: ReturnStatistics | None = None


@dataclass(frozen=True, eq=False)
class RateReport:
    """All rates.

    Attributes:
        yardstick: the expert and the zero controller at the native rate.
        native: the score at the native rate, on the plants that the rates are played on.
        as_trained: the score on the task as it is, which simulates and samples in its own way.
        physics_step_s: longest step of the simulation.
        rates: in the order asked for.
    """

    yardstick: Yardstick
    native: Score
    as_trained: Score
    physics_step_s: float
    rates: tuple[RateResult, ...]


class BothWays:
    """A policy with twice the episodes: the first half is told the real dt, the second its native period.

    Itself a `Policy`. Plants are simulated in one batch then, which costs little more than half of it.
    """

    def __init__(self, policy: Policy, period_s: float) -> None:
        self._policy, self._period_s = policy, period_s

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes, an even number."""
        self._policy.reset(size)

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """One step of every episode."""
        told = dt_s.copy()
        told[len(told) // 2 :] = self._period_s
        return self._policy.step(observation, told)


def evaluate_rates(
    task: Task,
    policy: Policy,
    timing: Timing,
    rates_hz: Sequence[float],
    seeds: Sequence[int],
    on_share: OnShare = lambda _: None,
) -> RateReport:
    """Play the episodes of ``seeds`` at each rate.

    Args:
        task: the task; its signals must be the controller's.
        policy: what executes the controller.
        timing: the controller's.
        rates_hz: of the loop.
        seeds: of the episodes.
        on_share: told the share of the work that is done.

    Raises:
        InputError: none of the rates can be had.
        TaskError: the plant or the expert misbehaves.
        LtcEdgeError: what executes the controller fails, or is gone.
    """
    planned = [_planned(task, timing, rate_hz) for rate_hz in rates_hz]
    plans = [plan for plan in planned if isinstance(plan, RatePlan)]
    if not plans:
        raise InputError("; ".join(dict.fromkeys(str(reason) for reason in planned)))
    longest_s = min(timing.period_s / FINEST, *(plan.step_s for plan in plans))
    player = _Player(task, policy, timing.period_s, longest_s, seeds, on_share, 4 + len(plans))
    as_trained = player.play(policy, None, seeds)
    expert, zero = (player.play(each, task.period_s, seeds) for each in (None, ZeroPolicy(task)))
    yardstick = Yardstick(expert.returns, zero.returns, expert.ended, zero.ended)
    native = player.play(policy, timing.period_s, seeds)
    player.know(timing.period_s, native, native)
    native_score = score(native.returns, native.ended, yardstick)
    results = tuple(
        player.result(rate_hz, plan, native_score, yardstick)
        if isinstance(plan, RatePlan)
        else RateResult(rate_hz, None, plan)
        for rate_hz, plan in zip(rates_hz, planned, strict=True)
    )
    trained_score = score(as_trained.returns, as_trained.ended, yardstick)
    return RateReport(yardstick, native_score, trained_score, longest_s, results)


def _planned(task: Task, timing: Timing, rate_hz: float) -> RatePlan | str:
    """How a rate is had, or why it is not."""
    try:
        plan = plan_rate(timing, rate_hz)
    except InputError as refused:
        return str(refused)
    if grid_of(task, plan.step_s, plan.step_s) is None:
        return (
            f"rate: {task.name} cannot be read every {1000 * plan.step_s:.6g} ms: it does not say how its "
            f"plants move in less than {1000 * task.period_s:.6g} ms; see make_plants_every in docs/tasks.md"
        )
    return plan


@dataclass(frozen=True, eq=False)
class _Ends:
    """Returns of the episodes ``(E,)``, and which of them the plant ended ``(E,)``."""

    returns: FloatArray
    ended: BoolArray

    def halves(self) -> tuple[_Ends, _Ends]:
        """Of the first and the second half of the episodes."""
        half = len(self.returns) // 2
        return _Ends(self.returns[:half], self.ended[:half]), _Ends(self.returns[half:], self.ended[half:])


class _Player:
    """Plays the same episodes at many rates, each once."""

    def __init__(
        self,
        task: Task,
        policy: Policy,
        native_s: float,
        longest_s: float,
        seeds: Sequence[int],
        on_share: OnShare,
        plays: int,
    ) -> None:
        self._task, self._policy, self._seeds = task, policy, list(seeds)
        self._native_s, self._longest_s = native_s, longest_s
        self._on_share, self._plays, self._done = on_share, plays, 0
        self._known: dict[int, tuple[_Ends, _Ends]] = {}

    def know(self, step_s: float, told: _Ends, ignored: _Ends) -> None:
        """What is not to be played again."""
        self._known[self._key(step_s)] = told, ignored

    def result(self, rate_hz: float, plan: RatePlan, native: Score, yardstick: Yardstick) -> RateResult:
        """One rate, in both ways."""
        told, ignored = (
            _against(score(ends.returns, ends.ended, yardstick), native) for ends in self._both(plan.step_s)
        )
        gained = return_statistics(told.score.each - ignored.score.each)
        return RateResult(rate_hz, plan, None, told, ignored, gained)

    def play(self, policy: Policy | None, step_s: float | None, seeds: Sequence[int]) -> _Ends:
        """Episodes that are read every ``step_s``; with None for the task as it is."""
        grid = None if step_s is None else grid_of(self._task, step_s, self._longest_s)
        task = SampledTask(self._task, grid or Grid(self._task.period_s, 1.0, False))
        start = self._done
        with open_plants(task) as plants:
            played = rollout(
                task,
                plants,
                policy,
                seeds,
                on_step=lambda step: self._on_share((start + (step + 1) / task.max_steps) / self._plays),
            )
        self._done += 1
        assert task.plants is not None
        return _Ends(played.returns, task.plants.ended_early)

    def _both(self, step_s: float) -> tuple[_Ends, _Ends]:
        """Told the real dt, and with dt ignored."""
        key = self._key(step_s)
        if key not in self._known:
            played = self.play(BothWays(self._policy, self._native_s), step_s, self._seeds * 2)
            self._known[key] = played.halves()
        else:
            self._done += 1
        return self._known[key]

    def _key(self, step_s: float) -> int:
        return round(step_s / (SAME * self._native_s))


def _against(played: Score, native: Score) -> Played:
    lost = native.each - played.each
    scale = max(abs(native.returns.mean), 1e-9)
    return Played(played, return_statistics(lost), return_statistics(100.0 * lost / scale))
