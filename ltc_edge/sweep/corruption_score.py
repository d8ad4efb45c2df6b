"""How much corruption a controller stands, in one figure: a small share of ``ltc-edge evaluate --corrupt``.

Four of the pack's kinds stand for the ways in which a loop goes wrong: readings that are noisy, missing and
late, and an actuator that is slow. Of each the area under its curve over all five severities is taken, as
docs/robustness.md defines it, and the mean of these.
"""

from __future__ import annotations

from ltc_edge.errors import InputError
from ltc_edge.evaluation.corruption.campaign import Campaign
from ltc_edge.evaluation.rollout import Policy
from ltc_edge.sweep.performance import SEARCH_SEED
from ltc_edge.tasks.protocol import Task

KINDS = ("noise", "dropout", "delay", "actuator-lag")
EPISODES = 8


def corruption_score(task: Task, policy: Policy) -> float:
    """Mean area under the curves of `KINDS`: 0 for a controller that does nothing, 1 for the expert at rest.

    Args:
        task: the task.
        policy: what executes the controller.

    Raises:
        InputError: the expert of the task is no better than doing nothing, and so no yardstick.
        TaskError: the plant or the expert misbehaves.
    """
    campaign = Campaign(task, policy, range(SEARCH_SEED, SEARCH_SEED + EPISODES))
    areas = [campaign.curve(kind).area for kind in KINDS]
    values = [area.value for area in areas if area is not None]
    if not values:
        raise InputError(
            f"{task.name}: its expert is no better than doing nothing, so corruption has no score"
        )
    return sum(values) / len(values)
