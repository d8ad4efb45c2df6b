"""Refinement on the return itself: CMA-ES (Hansen 2016, arXiv 1604.00772) from a trained controller.

All candidates of a generation play the same episodes in one batch of plants, so it is meant for tasks
with vectorised plants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import require
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.network import Network
from ltc_edge.runtimes.torch_runtime import TorchBatch
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.imitation import VALIDATION_SEED
from ltc_edge.training.loop import Round
from ltc_edge.training.options import RefinementOptions
from ltc_edge.training.run_folder import RunFolder

VALIDATION_EPISODES = 100
VALIDATE_EVERY = 5


class PopulationPolicy:
    """``P`` networks, each over its own ``E`` episodes; rows are ordered candidate by candidate."""

    def __init__(self, network: Network, candidates: FloatArray) -> None:
        self._network = network
        low, high = network.controller().limits
        self._low, self._high = torch.from_numpy(low).float(), torch.from_numpy(high).float()
        self._parameters = unflatten(network, torch.from_numpy(candidates).float())
        self._population = len(candidates)
        self._state = torch.empty(0)

    def reset(self, size: int) -> None:
        """Start ``size = P·E`` episodes."""
        self._state = self._network.initial.expand(self._population, size // self._population, -1)

    @torch.no_grad()
    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """One step of every candidate in every one of its episodes."""

        def one(parameters: dict[str, Tensor], x: Tensor, dt: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
            readout, state = functional_call(self._network, parameters, (x, dt, state))
            return self._network.actions(readout[:, 0]), state

        rows = self._population, -1, 1
        x = torch.from_numpy(observation).float().reshape(*rows, observation.shape[1])
        dt = torch.from_numpy(np.asarray(dt_s)).float().reshape(rows)
        action, self._state = vmap(one)(self._parameters, x, dt, self._state)
        return action.clamp(self._low, self._high).flatten(0, 1).numpy().astype(np.float64)


def flatten(network: Network) -> FloatArray:
    """All parameters as one float64 vector."""
    return np.concatenate([p.detach().numpy().ravel() for p in network.parameters()]).astype(np.float64)


def unflatten(network: Network, vectors: Tensor) -> dict[str, Tensor]:
    """Vectors ``(..., D)`` as the network's named parameters, the leading axes kept."""
    named, start = {}, 0
    for name, parameter in network.named_parameters():
        part = vectors[..., start : start + parameter.numel()]
        named[name] = part.reshape(*vectors.shape[:-1], *parameter.shape)
        start += parameter.numel()
    return named


class Refinement:
    """CMA-ES as a `Method`: a round is a generation.

    The strategy's own state is not saved but replayed: it is a function of its seed and the returns it
    was told, and telling it again costs no simulation.
    """

    metric = "return"
    lower_is_better = False
    later_wins_ties = True

    def __init__(self, task: Task, controller: Controller, options: RefinementOptions, seed: int) -> None:
        self.rounds = options.generations
        self._task = task
        self._options = options
        self._seed = seed
        self._network = Network(controller)
        self._told: list[list[float]] = []
        start = flatten(self._network)
        # Steps in proportion to each parameter: sigma is about 5, a weight about 0.5.
        self._scale = np.maximum(np.abs(start), 0.1)
        self._random = np.random.default_rng([seed, 0x434D41])
        self._strategy = require("cma", "train").CMAEvolutionStrategy(
            start / self._scale,
            options.sigma,
            {
                "popsize": options.population,
                "CMA_diagonal": True,  # few generations for hundreds of parameters
                "randn": lambda *shape: self._random.standard_normal(shape),
                "seed": np.nan,
                "verbose": -9,
                "tolfun": 0,
                "tolx": 0,
            },
        )

    def start(self, folder: RunFolder, completed: int) -> None:
        """Replay the completed generations."""
        del folder
        for returns in self._told[:completed]:
            self._strategy.tell(self._strategy.ask(), returns)
        if completed:
            self._adopt_mean()

    def round(self, index: int, tick: Callable[[float], None]) -> Round:
        """One generation; every few of them the mean is validated."""
        options = self._options
        asked = self._strategy.ask()
        candidates = np.stack(asked) * self._scale
        first = (self._seed + 2) * VALIDATION_SEED + index * options.episodes
        seeds = list(range(first, first + options.episodes)) * len(candidates)
        with open_plants(self._task) as plants:
            policy = PopulationPolicy(self._network, candidates)
            steps = self._task.max_steps
            episodes = rollout(self._task, plants, policy, seeds, on_step=lambda step: tick(step / steps))
            costs = [-float(value) for value in episodes.returns.reshape(len(candidates), -1).mean(axis=1)]
            tick(1.0)
            self._strategy.tell(asked, costs)
            self._told.append(costs)
            self._adopt_mean()
            metrics = {"loss": float(np.mean(costs)), "best_candidate_return": -min(costs)}
            if index and (index + 1) % VALIDATE_EVERY and index != self.rounds - 1:
                return Round(metrics, None)
            validation = range(VALIDATION_SEED, VALIDATION_SEED + VALIDATION_EPISODES)
            value = rollout(self._task, plants, TorchBatch(self._network), validation).returns.mean()
        return Round(metrics, float(value))

    def _adopt_mean(self) -> None:
        vector = torch.from_numpy(self._strategy.mean * self._scale).float()
        with torch.no_grad():
            for name, value in unflatten(self._network, vector).items():
                self._network.get_parameter(name).copy_(value)
        self._network.constrain()

    def controller(self) -> Controller:
        """The controller at the strategy's mean."""
        return self._network.controller()

    def arrays(self) -> dict[str, FloatArray]:
        """The mean; for the record, since it can be replayed."""
        return {"mean": np.asarray(self._strategy.mean, dtype=np.float64)}

    def state(self) -> dict[str, Any]:
        """What the strategy was told."""
        return {"told": self._told}

    def load(self, arrays: Mapping[str, FloatArray], state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        del arrays
        self._told = [list(map(float, returns)) for returns in state["told"]]
