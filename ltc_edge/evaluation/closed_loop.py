"""How well a controller does its task, against the expert and against doing nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.rollout import Episodes, Policy, ZeroPolicy, open_plants, rollout
from ltc_edge.evaluation.statistics import ReturnStatistics, return_statistics
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task

MAX_SEED = 400_000
"""Seeds from here on belong to training, scaling and validation."""


@dataclass(frozen=True, eq=False)
class ClosedLoopReport:
    """Returns of the same episodes under the controller, the expert and the zero controller."""

    controller: ReturnStatistics
    expert: ReturnStatistics
    zero: ReturnStatistics
    first: Episodes
    """The controller's episode on the first seed."""


def evaluate_closed_loop(
    task: Task,
    controller: Controller,
    *,
    episodes: int,
    seed: int = 0,
    policy: Policy | None = None,
    on_share: Callable[[float], None] = lambda _: None,
) -> ClosedLoopReport:
    """Play ``episodes`` episodes, seeded ``seed``, ``seed + 1``…, that training never saw.

    Args:
        task: the task.
        controller: the controller; its signals must be the task's.
        episodes: how many.
        seed: of the first.
        policy: what executes the controller; None for the float64 reference.
        on_share: told the share of the work that is done.

    Raises:
        InputError: the controller does not fit the task, or the seeds reach into training's.
        TaskError: the plant or the expert misbehaves.
    """
    check_fit(task, controller)
    seeds = evaluation_seeds(episodes, seed)
    policies: tuple[Policy | None, ...] = (policy or ReferenceBatch(controller), None, ZeroPolicy(task))
    played = []
    with open_plants(task) as plants:
        for index, policy in enumerate(policies):

            def report(step: int, index: int = index) -> None:
                on_share((index + (step + 1) / task.max_steps) / len(policies))

            played.append(rollout(task, plants, policy, seeds, on_step=report))
            on_share((index + 1) / len(policies))
    own, expert, zero = (return_statistics(episode.returns) for episode in played)
    return ClosedLoopReport(own, expert, zero, played[0])


def evaluation_seeds(episodes: int, seed: int) -> range:
    """The seeds of ``episodes`` episodes from ``seed`` on.

    Raises:
        InputError: they reach into training's.
    """
    if not 0 <= seed <= MAX_SEED - episodes:
        raise InputError(
            f"seeds {seed} to {seed + episodes} must lie in 0 to {MAX_SEED}: the rest are training's"
        )
    return range(seed, seed + episodes)


def check_fit(task: Task, controller: Controller) -> None:
    """Raise `InputError` unless the controller's signals are the task's."""
    for what, own, wanted in (
        ("reads", controller.observations, task.observations),
        ("drives", controller.actions, task.actions),
    ):
        names, expected = [s.name for s in own], [s.name for s in wanted]
        if names != expected:
            raise InputError(
                f"the controller {what} {', '.join(names)}, but {task.name} has {', '.join(expected)}; "
                "was it trained with other --sensors?"
            )
