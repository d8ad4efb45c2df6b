"""The controller a run starts from: signals, scaling and timing fixed, weights drawn from the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.logs import Dataset
from ltc_edge.network import initial_parameters
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.model import cell_spec, needs_readout
from ltc_edge.training.options import ModelOptions
from ltc_edge.version import __version__

CLIP = 10.0
"""Largest normalised input: far outside what training saw, and a bound for fixed-point arithmetic."""

SCALING_EPISODES = 32
SCALING_SEED = 500_000
MIN_SCALE = 1e-3

UNTRAINED_DT = (0.5, 2.0)
"""Share of the period that a controller accepts as dt even where training saw no other dt."""


def controller_for_task(task: Task, options: ModelOptions, expert_noise: float, seed: int) -> Controller:
    """An untrained controller for ``task``, its normaliser fitted on the expert's demonstrations.

    Raises:
        InputError: sizes do not fit together.
        TaskError: the plant or the expert misbehaves.
    """
    cell = cell_spec(options, len(task.observations), len(task.actions))
    normalizer, expert_scale = _demonstrated_scaling(task, expert_noise)
    offset, scale = _action_scaling(task.actions, expert_scale)
    low = np.array([signal.low for signal in task.actions])
    high = np.array([signal.high for signal in task.actions])
    shortest, longest = task.dt_range_s
    dt_range = (min(shortest, UNTRAINED_DT[0] * task.period_s), max(longest, UNTRAINED_DT[1] * task.period_s))
    return Controller(
        name=task.name,
        purpose="control",
        observations=task.observations,
        normalizer=normalizer,
        cell=cell,
        parameters=initial_parameters(cell, len(task.actions), readout=needs_readout(options), seed=seed),
        actions=task.actions,
        denormalizer=Scaling(offset, scale),
        timing=Timing.of_period(task.period_s, dt_range),
        initial_state=np.zeros(cell.state_size),
        fallback=np.clip(np.zeros(len(task.actions)), low, high),
        clip=CLIP,
        provenance={"task": task.name, "seed": str(seed), "ltc_edge": __version__},
    )


def _demonstrated_scaling(task: Task, expert_noise: float) -> tuple[Scaling, FloatArray]:
    """Normaliser of the observations, and the spread of the expert's actions, over noisy demonstrations."""
    rng = np.random.default_rng(SCALING_SEED)
    low = np.array([signal.low for signal in task.actions])
    high = np.array([signal.high for signal in task.actions])
    reach = expert_noise * np.where(np.isfinite(high - low), 0.5 * (high - low), 1.0)

    def shake(_: FloatArray, expert: FloatArray) -> FloatArray:
        return np.clip(expert + reach * rng.standard_normal(expert.shape), low, high)

    seeds = range(SCALING_SEED, SCALING_SEED + SCALING_EPISODES)
    with open_plants(task) as plants:
        episodes = rollout(task, plants, None, seeds, intervene=shake, max_steps=min(task.max_steps, 200))
    seen = episodes.observation[episodes.valid]
    scaling = Scaling(seen.mean(axis=0), seen.std(axis=0) + MIN_SCALE)
    return scaling, episodes.expert_action[episodes.valid].std(axis=0) + MIN_SCALE


def _action_scaling(actions: Sequence[ActionSignal], spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Middle and half of each action's range; zero and the expert's spread where it has no limits."""
    low, high = np.array([signal.low for signal in actions]), np.array([signal.high for signal in actions])
    bounded = np.isfinite(low) & np.isfinite(high)
    with np.errstate(invalid="ignore"):
        return np.where(bounded, 0.5 * (low + high), 0.0), np.where(bounded, 0.5 * (high - low), spread)


def controller_for_data(
    data: Dataset,
    options: ModelOptions,
    name: str,
    seed: int,
    units: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Controller:
    """An untrained controller for recordings.

    Args:
        data: the recordings.
        options: the network.
        name: of the controller.
        seed: of the weights.
        units: units of inputs and targets, where they are known.

    Raises:
        InputError: sizes do not fit together.
    """
    input_units, target_units = units or ([""] * len(data.input_names), [""] * len(data.target_names))
    if data.kind == "classification":
        actions = tuple(ActionSignal(f"{data.target_names[0]}={label}") for label in data.classes)
        denormalizer = Scaling.identity(len(actions))
    else:
        suffix = "_next" if data.kind == "prediction" else ""
        actions = tuple(
            ActionSignal(f"{column}{suffix}", unit)
            for column, unit in zip(data.target_names, target_units, strict=True)
        )
        assert data.target_normalizer is not None
        denormalizer = Scaling(data.target_normalizer.mean, data.target_normalizer.scale)
    cell = cell_spec(options, len(data.input_names), len(actions))
    low, high = data.dt_range_s
    dt_range = (min(low, UNTRAINED_DT[0] * data.period_s), max(high, UNTRAINED_DT[1] * data.period_s))
    return Controller(
        name=name,
        purpose=data.kind,
        observations=tuple(
            ObservationSignal(n, u) for n, u in zip(data.input_names, input_units, strict=True)
        ),
        normalizer=Scaling(data.input_normalizer.mean, data.input_normalizer.scale),
        cell=cell,
        parameters=initial_parameters(cell, len(actions), readout=needs_readout(options), seed=seed),
        actions=actions,
        denormalizer=denormalizer,
        timing=Timing.of_period(data.period_s, dt_range),
        initial_state=np.zeros(cell.state_size),
        fallback=denormalizer.offset.copy(),
        clip=CLIP,
        provenance={"task": name, "seed": str(seed), "ltc_edge": __version__},
    )
