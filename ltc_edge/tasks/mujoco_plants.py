"""Plants simulated by MuJoCo, a simulation a row, with Gymnasium's models and semantics.

MuJoCo's own batches do what Gymnasium's environments do, bit for bit, without any Python between the rows.
"""

from __future__ import annotations

import ctypes
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.errors import require
from ltc_edge.tasks.plant_parameters import check_factors
from ltc_edge.tasks.protocol import Readings
from ltc_edge.tasks.seeding import generator

ROWS_A_THREAD = 8
"""Fewer plants than these are stepped before another thread is awake."""
MOST_THREADS = 4
PARAMETERS = ("cart_mass", "pole_mass", "joint_damping", "motor_force")
"""What can be off of Gymnasium's carts; ``pole_mass`` is that of all poles."""


@dataclass(frozen=True)
class Outcome:
    """Reward and termination of the step just made by ``A`` plants, each of shape ``(A,)``."""

    reward: FloatArray
    terminated: BoolArray


def load_model(asset: str) -> Any:
    """The ``MjModel`` of one of Gymnasium's model files, such as ``inverted_pendulum.xml``.

    Raises:
        MissingExtraError: gymnasium or mujoco is not installed.
    """
    gymnasium = require("gymnasium", "train")
    mujoco = require("mujoco", "train")
    assets = Path(str(gymnasium.__file__)).parent / "envs" / "mujoco" / "assets"
    return mujoco.MjModel.from_xml_path(str(assets / asset))


def scale_model(model: Any, factors: Mapping[str, float]) -> None:
    """Multiply parameters of an ``MjModel`` of a cart with poles; a body keeps its shape.

    Raises:
        TaskError: a parameter is none of `PARAMETERS`.
    """
    check_factors(factors, PARAMETERS)
    cart = model.body("cart").id
    poles = slice(cart + 1, model.nbody)
    for bodies, factor in ((cart, factors.get("cart_mass", 1.0)), (poles, factors.get("pole_mass", 1.0))):
        model.body_mass[bodies] *= factor
        model.body_inertia[bodies] *= factor
    model.dof_damping *= factors.get("joint_damping", 1.0)
    model.actuator_gear *= factors.get("motor_force", 1.0)
    mujoco = require("mujoco", "train")
    mujoco.mj_setConst(model, mujoco.MjData(model))  # what MuJoCo derives from masses


@contextmanager
def without_profiler() -> Iterator[None]:
    """MuJoCo without its profiler, which reads the clock so often that small models take half as long again.

    It is off where there is no callback ``mjcb_time``; the Python package can replace it, not take it out.
    """
    clock = _clock()
    before, clock.value = clock.value, None
    try:
        yield
    finally:
        clock.value = before


@cache
def _clock() -> ctypes.c_void_p:
    """The library's own variable ``mjcb_time``."""
    functions = require("mujoco._functions", "train")
    return ctypes.c_void_p.in_dll(ctypes.CDLL(functions.__file__), "mjcb_time")


class MujocoPlants(ABC):
    """A batch of MuJoCo plants; the privileged state is ``[qpos, qvel]``.

    Simulations are made when a batch first needs them and reused by later resets of as many.
    """

    def __init__(
        self,
        asset: str,
        frame_skip: int,
        columns: Sequence[int],
        factors: Mapping[str, float],
        watched: Sequence[str] = (),
        spread: float = 1.0,
        period_s: float | None = None,
    ) -> None:
        """``factors`` are `scale_model`'s; ``watched`` names what reward or sensors need of ``MjData``.

        Initial deviations are ``spread`` times those that an episode draws. With ``period_s`` a step takes so
        long instead of ``frame_skip`` frames, in equal frames no longer than the model's.
        """
        self._mujoco = require("mujoco", "train")
        self._model = load_model(asset)
        if factors:
            scale_model(self._model, factors)
        # No geometry of these models collides; not looking for contacts saves a fifth of the time.
        self._model.opt.disableflags |= self._mujoco.mjtDisableBit.mjDSBL_CONTACT
        frame_s = float(self._model.opt.timestep)
        native_s = frame_s * frame_skip
        self._period_s = native_s if period_s is None else period_s
        self._share = self._period_s / native_s
        # Rounding must not make one frame more of what is a whole number of them.
        self._frame_skip = max(math.ceil(self._period_s / frame_s - 1e-9), 1)
        if self._frame_skip * frame_s != self._period_s:
            self._model.opt.timestep = self._period_s / self._frame_skip
        self._columns = list(columns)
        self._watched = tuple(watched)
        self._spread = spread
        self._batch: Any = None
        # Live arrays of the batch, a row a simulation: the controls; the state and what is watched.
        self._control: FloatArray = np.zeros((0, 0))
        self._fields: list[FloatArray] = []
        self._record: FloatArray = np.zeros((0, 0))
        self._terminated: BoolArray = np.zeros(0, dtype=np.bool_)

    @abstractmethod
    def noise(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Initial deviations of ``qpos`` and ``qvel``, each of shape ``(nq,)``."""

    @abstractmethod
    def outcome(self, record: FloatArray) -> Outcome:
        """Reward and termination, from records ``(A, P + X)``: state, then watched fields."""

    @abstractmethod
    def sense(self, record: FloatArray) -> FloatArray:
        """All sensor values, shape ``(E, S)``, from records ``(E, P + X)``."""

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start ``len(seeds)`` episodes."""
        self._resize(len(seeds))
        batch = self._batch
        batch.reset(stage=self._mujoco.mjtStage.mjSTAGE_NONE.value)
        for row, seed in enumerate(seeds):
            position, velocity = self.noise(generator(seed))
            self._fields[0][row] += self._spread * position
            self._fields[1][row] += self._spread * velocity
        batch.forward()
        self._terminated = np.zeros(len(seeds), dtype=np.bool_)
        self._read()
        return self._readings(np.zeros(len(seeds)))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows by one control period."""
        rows = np.flatnonzero(active)
        reward = np.zeros(len(self._record))
        if len(rows):
            self._control[rows] = action[rows]
            with without_profiler():
                self._batch.step(rows, self._frame_skip)
            self._read()
            outcome = self.outcome(self._record[rows])
            reward[rows] = outcome.reward * self._share
            self._terminated[rows] = outcome.terminated
        return self._readings(reward)

    def close(self) -> None:
        """Free the simulations."""
        self._batch, self._control, self._fields = None, np.zeros((0, 0)), []

    def _resize(self, rows: int) -> None:
        if self._batch is not None and self._batch.nsim == rows:
            return
        threads = min(max(rows // ROWS_A_THREAD, 1), MOST_THREADS, os.cpu_count() or 1)
        self._batch = require("mujoco.batch", "train").Batch(self._model, rows, threads)
        self._control = self._batch.bind("ctrl")
        self._fields = [self._batch.bind(name).reshape(rows, -1) for name in ("qpos", "qvel", *self._watched)]

    def _read(self) -> None:
        self._record = np.concatenate(self._fields, axis=1)

    def _readings(self, reward: FloatArray) -> Readings:
        return Readings(
            observation=self.sense(self._record)[:, self._columns],
            privileged=self._record[:, : 2 * self._model.nv].copy(),
            dt_s=np.full(len(self._record), self._period_s),
            reward=reward,
            terminated=self._terminated.copy(),
        )
