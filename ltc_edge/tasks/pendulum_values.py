"""The pendulum's optimal value function, and the torques that follow from it.

The undiscounted problem has a finite value everywhere, because the upright pendulum costs nothing: no
discount is needed, and 200 steps are long compared with the 60 of a swing-up.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.errors import require
from ltc_edge.tasks.pendulum_physics import MAX_SPEED_RAD_S, MAX_TORQUE_NM, advance, wrapped

ANGLES, VELOCITIES = 361, 321  # odd, so that the upright rest is a node and its value exactly zero
PLANNING_TORQUES = 9
TORQUES = 25
MAX_IMPROVEMENTS = 60
EVALUATIONS = 30
TOLERANCE = 1e-3
ROWS_AT_ONCE = 4096  # keeps the temporaries of a look-ahead inside the processor's cache


def _cell(angle: FloatArray, velocity: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Index of the grid cell's first corner in the flat table, and the position inside the cell."""
    x = (wrapped(angle) + np.pi) * ((ANGLES - 1) / (2 * np.pi))
    y = (velocity + MAX_SPEED_RAD_S) * ((VELOCITIES - 1) / (2 * MAX_SPEED_RAD_S))
    i = np.minimum(x.astype(np.int32), ANGLES - 2)
    j = np.minimum(y.astype(np.int32), VELOCITIES - 2)
    return i * VELOCITIES + j, x - i, y - j


def _interpolate(table: FloatArray, angle: FloatArray, velocity: FloatArray) -> FloatArray:
    """Bilinear interpolation of the flat ``table`` at points of any common shape."""
    corner, x, y = _cell(angle, velocity)
    near = table[corner] * (1 - y) + table[corner + 1] * y
    corner += VELOCITIES
    far = table[corner] * (1 - y) + table[corner + 1] * y
    return np.asarray(near + (far - near) * x)


def _model() -> tuple[Any, FloatArray]:
    """The successors of every node under every torque as an interpolation matrix, and the rewards.

    The matrix is ``(K·N, N)`` for ``N`` nodes and ``K`` torques, torques outermost; rewards are ``(K, N)``.
    """
    sparse = require("scipy.sparse", "train")
    angles = np.linspace(-np.pi, np.pi, ANGLES)
    velocities = np.linspace(-MAX_SPEED_RAD_S, MAX_SPEED_RAD_S, VELOCITIES)
    nodes = ANGLES * VELOCITIES
    angle, velocity = np.repeat(angles, VELOCITIES), np.tile(velocities, ANGLES)
    torque = np.linspace(-MAX_TORQUE_NM, MAX_TORQUE_NM, PLANNING_TORQUES)[:, None]
    next_angle, next_velocity, reward = advance(angle, velocity, torque)
    corner, x, y = _cell(next_angle, next_velocity)
    weights = np.stack([(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y], axis=-1)
    columns = np.stack([corner, corner + 1, corner + VELOCITIES, corner + VELOCITIES + 1], axis=-1)
    starts = np.arange(0, weights.size + 1, 4, dtype=np.int32)
    matrix = sparse.csr_matrix(
        (weights.ravel(), columns.ravel(), starts), shape=(PLANNING_TORQUES * nodes, nodes)
    )
    return matrix, reward


@lru_cache(maxsize=1)
def value_table() -> FloatArray:
    """The optimal return from each node of the grid, flat, shape ``(361 · 321,)``.

    Modified policy iteration: each improvement, which prices every torque, is followed by cheap
    evaluations of the chosen ones. Source: Puterman, *Markov Decision Processes* (1994), section 6.5.
    """
    matrix, reward = _model()
    nodes = np.arange(reward.shape[1])
    values: FloatArray = np.zeros(len(nodes))
    for _ in range(MAX_IMPROVEMENTS):
        priced = reward + (matrix @ values).reshape(reward.shape)
        chosen = priced.argmax(axis=0)
        improved = priced[chosen, nodes]
        settled = np.abs(improved - values).max() < TOLERANCE
        values = improved
        if settled:
            break
        chosen_reward, chosen_matrix = reward[chosen, nodes], matrix[chosen * len(nodes) + nodes]
        for _ in range(EVALUATIONS):
            values = chosen_reward + chosen_matrix @ values
    values.flags.writeable = False  # the cache hands out this very array
    return values


def _look_ahead(state: FloatArray, torque: FloatArray) -> FloatArray:
    """Return of each torque, ``(E, K)``, from states ``(E, 2)``; ``torque`` is ``(K,)`` or ``(E, K)``."""
    table = value_table()
    returns = np.empty((len(state), torque.shape[-1]))
    for start in range(0, len(state), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        torques = torque[rows] if torque.ndim == 2 else torque
        angle, velocity, reward = advance(state[rows, :1], state[rows, 1:2], torques)
        returns[rows] = reward + _interpolate(table, angle, velocity)
    return returns


def action_values(state: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Torques ``(25,)`` and the undiscounted return of each, ``(E, 25)``, from states ``(E, 2)``."""
    torques = np.linspace(-MAX_TORQUE_NM, MAX_TORQUE_NM, TORQUES)
    return torques, _look_ahead(state, torques)


def best_torque(state: FloatArray) -> FloatArray:
    """The torque with the largest return, ``(E,)``: the best of the grid, then of a finer one around it."""
    torques, returns = action_values(state)
    spacing = torques[1] - torques[0]
    coarse = torques[returns.argmax(axis=1)]
    fine = coarse[:, None] + np.linspace(-spacing, spacing, TORQUES)
    fine = np.clip(fine, -MAX_TORQUE_NM, MAX_TORQUE_NM)
    return np.asarray(fine[np.arange(len(fine)), _look_ahead(state, fine).argmax(axis=1)])
