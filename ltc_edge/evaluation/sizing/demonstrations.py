"""A control task as recordings: the expert's demonstrations, which imitation begins with."""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import InputError
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.logs.dataset import Dataset, Segment, Split
from ltc_edge.logs.normalizer import fit_normalizer
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.options import ImitationOptions

DEMONSTRATION_SEED = 510_000
END_OF_SEEDS = 598_000
"""Seeds of the demonstrations, to the first of others': the table in ``docs/training.md`` has them all."""


def demonstrations(task: Task, options: ImitationOptions, seed: int) -> Dataset:
    """Episodes of the expert with noise on its actions, as training's first round has them.

    Inputs are what the controller would see, targets what the expert would have done: a regression. All
    episodes are in the training split, each a recording of its own.

    Raises:
        InputError: the seed is so large that others' seeds would be drawn.
        TaskError: the plant or the expert returns something unusable.
    """
    most = (END_OF_SEEDS - DEMONSTRATION_SEED) // options.episodes - 1
    if seed > most:
        raise InputError(f"seed {seed}: must be at most {most} for a control task; the rest are training's")
    first = DEMONSTRATION_SEED + seed * options.episodes
    seeds = range(first, first + options.episodes)
    steps = min(options.episode_steps or task.max_steps, task.max_steps)
    low = np.array([signal.low for signal in task.actions])
    high = np.array([signal.high for signal in task.actions])
    reach = options.expert_noise * np.where(np.isfinite(high - low), 0.5 * (high - low), 1.0)
    rng = np.random.default_rng(first)

    def shake(_: FloatArray, expert: FloatArray) -> FloatArray:
        return np.clip(expert + reach * rng.standard_normal(expert.shape), low, high)

    with open_plants(task) as plants:
        played = rollout(task, plants, None, seeds, intervene=shake, max_steps=steps)
    segments = tuple(
        Segment(
            source=f"episode {seeds[index]}",
            first_row=0,
            inputs=played.observation[index, :length].astype(np.float64),
            targets=np.clip(played.expert_action[index, :length], low, high).astype(np.float64),
            dt_s=played.dt_s[index, :length].astype(np.float64),
        )
        for index, length in enumerate(played.length.tolist())
    )
    inputs = tuple(signal.name for signal in task.observations)
    targets = tuple(signal.name for signal in task.actions)
    return Dataset(
        kind="regression",
        input_names=inputs,
        target_names=targets,
        classes=(),
        train=Split(segments),
        validation=Split(()),
        test=Split(()),
        input_normalizer=fit_normalizer([each.inputs for each in segments], inputs),
        target_normalizer=fit_normalizer([np.asarray(each.targets) for each in segments], targets),
        period_s=task.period_s,
        window_length=options.window,
        stride=max(1, options.window // 2),
        evaluation_stride=options.window,
        metric="mse",
        notes=(),
    )
