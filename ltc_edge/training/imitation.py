"""Imitation of a task's expert: behaviour cloning first, then DAgger.

Ross, Gordon, Bagnell, "A reduction of imitation learning and structured prediction to no-regret online
learning", AISTATS 2011: the learner acts, the expert says what it would have done, and training sees all
states so far. The expert reads the full state, the learner its sensors alone, so what the learner must
infer, velocities for instance, it learns to infer.

Where the task prices actions (`HasActionValues`) the loss can hold their long-run cost, as AggreVaTe does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import TaskError
from ltc_edge.evaluation.rollout import Episodes, open_plants, rollout
from ltc_edge.runtimes.torch_runtime import TorchBatch
from ltc_edge.tasks.protocol import HasActionValues, Task
from ltc_edge.training.learner import FINAL_RATE, Learner, cosine_rate
from ltc_edge.training.loop import Round
from ltc_edge.training.options import ImitationOptions
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.sequences import Batch, SequenceStore, episode_arrays

VALIDATION_SEED = 1_000_000
"""First seed of the validation episodes; collected ones count up from the run's seed times this."""

OVERSHOOT_WEIGHT = 2.0
"""Weight of the squared excess of a readout beyond the action's limits, where actions are priced."""


class Imitation:
    """DAgger as a `Method`: each round collects episodes, trains on all of them, and validates."""

    metric = "return"
    lower_is_better = False
    later_wins_ties = True  # the learning rate has fallen since

    def __init__(self, task: Task, controller: Controller, options: ImitationOptions, seed: int) -> None:
        if options.value_weight > 0 and not isinstance(task, HasActionValues):
            raise TaskError(
                f"{task.name} does not price actions (action_values), so --value-weight has no use"
            )
        self.rounds = options.rounds
        self._task = task
        self._options = options
        self._seed = seed
        self._learner = Learner(controller)
        self._store = SequenceStore(self._episode_steps)
        self._expert_return: float | None = None
        self._annealing_since: int | None = None
        self._folder: RunFolder | None = None
        self._grid: Tensor | None = None

    @property
    def _episode_steps(self) -> int:
        return min(self._options.episode_steps or self._task.max_steps, self._task.max_steps)

    def start(self, folder: RunFolder, completed: int) -> None:
        """Read back what completed rounds collected."""
        self._folder = folder
        for index in range(completed):
            self._store.add(folder.round_data(index))
        if completed:
            self._set_grid()

    def round(self, index: int, tick: Callable[[float], None]) -> Round:
        """Collect, train, and every few rounds validate; of the annealing only its end."""
        rng = np.random.default_rng([self._seed, index])
        with open_plants(self._task) as plants:
            episodes = self._collect(plants, index, rng)
            tick(0.15)
            loss = self._train(index, rng, lambda share: tick(0.15 + 0.7 * share))
            metrics = {"loss": loss, "collected_return": float(episodes.returns.mean())}
            if not self._is_validated(index):
                return Round(metrics, None)
            value = self._validate(plants)
        if self._annealing_since is None and self._is_enough(value):
            self._annealing_since = index + 1
        return Round(metrics, value, finished=self._annealing_left(index) == 0)

    def _is_validated(self, index: int) -> bool:
        left = self._annealing_left(index)
        if index == self.rounds - 1 or left == 0:
            return True
        return left is None and (index + 1) % self._options.validate_every == 0

    def _annealing_left(self, index: int) -> int | None:
        """Rounds of annealing left after round ``index``, or None before it has begun."""
        if self._annealing_since is None:
            return None
        return max(self._annealing_since + self._options.anneal_rounds - 1 - index, 0)

    def _collect(self, plants: Any, index: int, rng: np.random.Generator) -> Episodes:
        """Episodes of the learner; in the first round of the expert, shaken by noise."""
        options, task = self._options, self._task
        first = (self._seed + 2) * VALIDATION_SEED + index * options.episodes
        seeds = range(first, first + options.episodes)
        if index:
            policy = TorchBatch(self._learner.network)
            episodes = rollout(task, plants, policy, seeds, ask_expert=True, max_steps=self._episode_steps)
        else:
            low, high = self._learner.controller().limits
            reach = options.expert_noise * self._learner.controller().denormalizer.scale

            def shake(_: FloatArray, expert: FloatArray) -> FloatArray:
                return np.clip(expert + reach * rng.standard_normal(expert.shape), low, high)

            episodes = rollout(task, plants, None, seeds, intervene=shake, max_steps=self._episode_steps)
        arrays = episode_arrays(episodes, self._advantage(episodes))
        self._store.add(arrays)
        assert self._folder is not None
        self._folder.save_round_data(index, arrays)
        return episodes

    def _advantage(self, episodes: Episodes) -> FloatArray:
        shape = episodes.reward.shape
        if not self._uses_values:
            return np.empty((*shape, 0))
        self._set_grid()
        assert isinstance(self._task, HasActionValues)
        _, values = self._task.action_values(episodes.privileged.reshape(shape[0] * shape[1], -1))
        advantage: FloatArray = values - values.max(axis=1, keepdims=True)
        return advantage.reshape(*shape, -1)

    @property
    def _uses_values(self) -> bool:
        return self._options.value_weight > 0

    def _set_grid(self) -> None:
        if self._uses_values and self._grid is None:
            assert isinstance(self._task, HasActionValues)
            with open_plants(self._task) as plants:
                grid, _ = self._task.action_values(plants.reset([0]).privileged)
            self._grid = torch.from_numpy(grid.astype(np.float32))

    def _train(self, index: int, rng: np.random.Generator, tick: Callable[[float], None]) -> float:
        options = self._options
        losses = []
        for update in range(options.updates):
            batch = self._store.sample(rng, options)
            loss = self._loss(batch, index / options.rounds)
            rate = self._learning_rate(index + update / options.updates)
            losses.append(self._learner.update(loss, rate))
            tick((update + 1) / options.updates)
        return float(np.mean(losses))

    def _learning_rate(self, position: float) -> float:
        """The rate at ``position``, in rounds: cosine over the run, a straight fall once annealing."""
        options = self._options
        since = self._annealing_since
        if since is None:
            return cosine_rate(options.learning_rate, position / options.rounds)
        start = cosine_rate(options.learning_rate, since / options.rounds)
        left = 1.0 - (position - since) / options.anneal_rounds
        return max(start * left, FINAL_RATE * options.learning_rate)

    def _loss(self, batch: Batch, progress: float) -> Tensor:
        network = self._learner.network
        readout, _ = network(torch.from_numpy(batch.observation), torch.from_numpy(batch.dt_s))
        weight = torch.from_numpy(batch.weight)
        difference = readout - network.scaled(torch.from_numpy(batch.expert_action))
        imitation = _weighted_mean((difference**2).mean(dim=2), weight)
        if self._grid is None:
            return imitation
        regret = _weighted_mean(self._regret(network.actions(readout)[..., 0], batch), weight)
        overshoot = _weighted_mean((torch.relu(readout.abs() - 1.0) ** 2).mean(dim=2), weight)
        # Imitation finds the basin; once there, what an action costs matters more than whose it is.
        share = max(1.0 - 2.0 * progress, 0.05)
        return share * imitation + self._options.value_weight * regret + OVERSHOOT_WEIGHT * overshoot

    def _regret(self, action: Tensor, batch: Batch) -> Tensor:
        """What ``action`` ``(B, L)`` loses against the best, by linear interpolation of the advantages.

        Beyond the limits the last slope goes on, so that a saturated action still has a gradient; the
        penalty on overshoot outweighs what that seems to gain.
        """
        assert self._grid is not None
        grid = self._grid
        position = (action - grid[0]) / (grid[1] - grid[0])
        below = position.detach().floor().clamp(0, len(grid) - 2).long()
        share = position - below
        table = torch.from_numpy(batch.advantage)
        low = table.gather(2, below[..., None])[..., 0]
        high = table.gather(2, below[..., None] + 1)[..., 0]
        regret: Tensor = -(low * (1.0 - share) + high * share)
        return regret

    def _validate(self, plants: Any) -> float:
        seeds = range(VALIDATION_SEED, VALIDATION_SEED + self._options.validation_episodes)
        if self._expert_return is None:
            self._expert_return = float(rollout(self._task, plants, None, seeds).returns.mean())
        return float(rollout(self._task, plants, TorchBatch(self._learner.network), seeds).returns.mean())

    def _is_enough(self, value: float) -> bool:
        assert self._expert_return is not None
        return value >= self._expert_return - self._options.enough * abs(self._expert_return)

    def controller(self) -> Controller:
        """The present controller."""
        return self._learner.controller()

    def arrays(self) -> dict[str, FloatArray]:
        """The learner's state."""
        return self._learner.arrays()

    def state(self) -> dict[str, Any]:
        """What validation has found."""
        return {"expert_return": self._expert_return, "annealing_since": self._annealing_since}

    def load(self, arrays: Mapping[str, FloatArray], state: Mapping[str, Any]) -> None:
        """Put back what `arrays` and `state` gave."""
        self._learner.load(arrays)
        self._expert_return = state["expert_return"]
        self._annealing_since = state["annealing_since"]


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    mean: Tensor = (values * weight).sum() / weight.sum()
    return mean
