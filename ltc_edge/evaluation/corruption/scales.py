"""How much each channel of a task moves: the unit in which the pack measures what it does to readings."""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.tasks.protocol import Task


def channel_scales(task: Task) -> FloatArray:
    """Standard deviation of each observation, ``(I,)``, under the task's expert on the pack's own seeds.

    It depends on the task alone, so that all controllers of it meet the same corruption. The expert's actions
    are shaken, because a regulator that has come to rest hardly moves: without it, σ would tell how long
    an episode is. Where an action has no limits, the noise is a share of the expert's action instead.

    Raises:
        TaskError: the plant or the expert misbehaves.
    """
    rng = np.random.default_rng(PACK.scale_seed)
    low, high = np.array([a.low for a in task.actions]), np.array([a.high for a in task.actions])
    half = 0.5 * (high - low)

    def shake(_: FloatArray, expert: FloatArray) -> FloatArray:
        reach = PACK.scale_shake * np.where(np.isfinite(half), half, np.abs(expert))
        return np.clip(expert + reach * rng.standard_normal(expert.shape), low, high)

    seeds = range(PACK.scale_seed, PACK.scale_seed + PACK.scale_episodes)
    with open_plants(task) as plants:
        steps = min(task.max_steps, PACK.scale_steps)
        episodes = rollout(task, plants, None, seeds, intervene=shake, max_steps=steps)
    scales: FloatArray = episodes.observation[episodes.valid].std(axis=0)
    return scales
