"""Which observation drives which action, measured twice: by integrated gradients and by perturbation.

The action of a step is a function of the last few observations and of the state before them. Its difference
from what it would be, had all of them been at their means, is shared out among the observations:

- integrated gradients (Sundararajan, Taly & Yan, ICML 2017, arXiv 1703.01365): the gradient along the
  straight path from the means to what was seen, times the way. The shares of an action sum up to the whole
  difference (completeness), which is checked;
- perturbation: one observation is put at its mean and everything else left as seen.

The state before the window is one more source, ``earlier``. Actions are taken before their limits.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError, require
from ltc_edge.evaluation.inspection.held import NOTHING, HeldBatch, Hold, Holds
from ltc_edge.evaluation.inspection.means import Means
from ltc_edge.evaluation.inspection.parts import state_columns
from ltc_edge.evaluation.visited import Visited

WINDOW = 16
"""Steps of observations that an action is explained by."""
SAMPLES = 96
"""Actions that are explained."""
NODES = (32, 128)
"""Nodes of the Gauss–Legendre rule along the path; more where too few are not complete."""
COMPLETE = 0.01
"""Largest RMS of what the shares miss of the difference, as a share of its RMS, that counts as complete."""
EARLIER = "earlier"


@dataclass(frozen=True, eq=False)
class Situations:
    """Windows before ``K`` actions: observations ``(K, W, I)``, ``dt_s`` ``(K, W)``, state ``(K, S)``."""

    observation: FloatArray
    dt_s: FloatArray
    state: FloatArray


@dataclass(frozen=True, eq=False)
class Drives:
    """What drives the actions; sources are the observations, then `EARLIER`.

    Attributes:
        gradients: integrated gradients of every explained action, ``(K, I + 1, M)``, in actions' units.
        perturbed: what perturbation takes from it, ``(K, I + 1, M)``.
        difference: of the action from that at the means, ``(K, M)``.
        through: share of an observation's drive that is gone where a neuron is held, ``(I, N)``: 1 where all
            of it goes through that neuron, below 0 where holding it makes the drive stronger. Neurons count
            as in the wiring.
    """

    gradients: FloatArray
    perturbed: FloatArray
    difference: FloatArray
    through: FloatArray

    @property
    def gradient_shares(self) -> FloatArray:
        """Share of each source in driving each action, ``(I + 1, M)``; each column sums up to 1."""
        return _shares(self.gradients)

    @property
    def perturbed_shares(self) -> FloatArray:
        """The same by perturbation."""
        return _shares(self.perturbed)

    @property
    def gap(self) -> float:
        """RMS of what the shares miss of the difference, of the difference's RMS."""
        missed = self.gradients.sum(axis=1) - self.difference
        return float(np.sqrt((missed**2).mean() / max(float((self.difference**2).mean()), 1e-300)))

    @property
    def agreement(self) -> FloatArray:
        """Spearman's rank correlation of the two, over actions and sources, for each action, ``(M,)``."""
        spearmanr = require("scipy.stats", "train").spearmanr
        both = (self.gradients, self.perturbed)
        return np.array(
            [
                spearmanr(*(values[:, :, m].ravel() for values in both)).statistic
                for m in range(self.gradients.shape[2])
            ]
        )


def situations_of(visited: Visited, seed: int) -> Situations:
    """At most `SAMPLES` windows, drawn from all that lie within an episode.

    Raises:
        InputError: no episode has two steps.
    """
    longest = int(visited.valid.sum(axis=1).max())
    if longest < 2:
        raise InputError("no episode has two steps: there is nothing to explain an action by")
    length = min(WINDOW, longest)
    first = np.flatnonzero(visited.valid[:, length - 1 :].ravel())
    drawn = np.random.default_rng(seed).permutation(first)[:SAMPLES]
    episode, start = np.divmod(drawn, visited.valid.shape[1] - length + 1)
    at = start[:, None] + np.arange(length)
    return Situations(
        visited.observation[episode[:, None], at],
        visited.dt_s[episode[:, None], at],
        visited.state[episode, start],
    )


def drives_of(controller: Controller, visited: Visited, means: Means, seed: int = 0) -> Drives:
    """Explain actions of ``visited``.

    Raises:
        InputError: there are no steps to explain.
        MissingExtraError: torch is not installed.
    """
    free = unlimited(controller)
    size = controller.cell.state_size
    seen = situations_of(visited, seed)
    seen = dataclasses.replace(seen, state=seen.state[:, :size])
    whole, without = _perturbed(free, seen, means, NOTHING)
    nothing = Situations(
        np.broadcast_to(means.observation, seen.observation.shape),
        seen.dt_s,
        np.broadcast_to(means.state, seen.state.shape),
    )
    difference = whole - _actions(free, nothing, NOTHING)
    for nodes in NODES:
        gradients = _integrated(free, seen, means, nodes)
        drives = Drives(gradients, whole[:, None] - without, difference, np.zeros((0, 0)))
        if drives.gap <= COMPLETE:
            break
    through = _through(free, seen, means, drives.perturbed[:, : len(means.observation)])
    return dataclasses.replace(drives, through=through)


def _shares(values: FloatArray) -> FloatArray:
    size = np.abs(values).mean(axis=0)
    shares: FloatArray = size / np.maximum(size.sum(axis=0), 1e-300)
    return shares


def unlimited(controller: Controller) -> Controller:
    """The controller without limits of its actions: what it asks for, not what it is allowed."""
    actions = tuple(
        dataclasses.replace(signal, low=-np.inf, high=np.inf, slew=np.inf) for signal in controller.actions
    )
    return dataclasses.replace(controller, actions=actions)


def _actions(controller: Controller, seen: Situations, neuron: Hold) -> FloatArray:
    """Actions ``(K, M)`` at the end of the windows."""
    batch = HeldBatch(controller, Holds(NOTHING, neuron, NOTHING))
    batch.go_on(np.asarray(seen.state, dtype=np.float64))
    for t in range(seen.dt_s.shape[1]):
        action = batch.step(seen.observation[:, t], seen.dt_s[:, t])
    return action


def _perturbed(
    controller: Controller, seen: Situations, means: Means, held: Hold
) -> tuple[FloatArray, FloatArray]:
    """Actions as seen ``(K, M)``, and with each source at its mean ``(K, I + 1, M)``."""
    k, sources = len(seen.state), seen.observation.shape[2]
    observation = np.tile(seen.observation, (sources + 2, 1, 1, 1))
    state = np.tile(seen.state, (sources + 2, 1, 1))
    for source in range(sources):
        observation[1 + source, :, :, source] = means.observation[source]
    state[-1] = means.state
    variants = Situations(
        observation.reshape(-1, *observation.shape[2:]),
        np.tile(seen.dt_s, (sources + 2, 1)),
        state.reshape(-1, state.shape[2]),
    )
    actions = _actions(controller, variants, held).reshape(sources + 2, k, -1)
    return actions[0], actions[1:].transpose(1, 0, 2)


def _through(controller: Controller, seen: Situations, means: Means, drive: FloatArray) -> FloatArray:
    """See `Drives.through`; ``drive`` is what perturbation takes with no neuron held, ``(K, I, M)``."""
    columns, sources = state_columns(controller.cell), drive.shape[1]
    held = np.empty((len(columns), *drive.shape))
    for neuron, column in enumerate(columns.tolist()):
        rows = len(seen.state) * (sources + 2)
        hold = Hold.of(means.state[: controller.cell.units], [column] * rows)
        whole, without = _perturbed(controller, seen, means, hold)
        held[neuron] = (whole[:, None] - without)[:, :sources]
    size = (drive**2).sum(axis=(0, 2))[:, None]
    # What is left is taken along the drive, so that shares of parallel paths add up.
    left = (held * drive).sum(axis=(1, 3)).T
    through: FloatArray = np.where(size > 0, 1.0 - left / np.where(size > 0, size, 1.0), 0.0)
    return through


def _integrated(controller: Controller, seen: Situations, means: Means, nodes: int) -> FloatArray:
    """Integrated gradients ``(K, I + 1, M)``, summed over each source's window."""
    torch = require("torch", "train")
    from ltc_edge.network import Network

    exact = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
    network = Network(dataclasses.replace(controller, parameters=exact))
    points, weights = np.polynomial.legendre.leggauss(nodes)
    way = seen.observation - means.observation, seen.state - means.state
    shares = np.zeros((len(seen.state), way[0].shape[2] + 1, len(controller.actions)))
    dt_s = torch.from_numpy(np.ascontiguousarray(seen.dt_s))
    for point, weight in zip(0.5 * (points + 1.0), 0.5 * weights, strict=True):
        observation, state = (
            torch.from_numpy(mean + point * part).requires_grad_()
            for mean, part in zip((means.observation, means.state), way, strict=True)
        )
        action = network.actions(network(observation, dt_s, state)[0][:, -1])
        for m in range(action.shape[1]):
            slopes = torch.autograd.grad(action[:, m].sum(), (observation, state), retain_graph=True)
            by_source = (slopes[0].numpy() * way[0]).sum(axis=1), (slopes[1].numpy() * way[1]).sum(axis=1)
            shares[:, :-1, m] += weight * by_source[0]
            shares[:, -1, m] += weight * by_source[1]
    return shares
