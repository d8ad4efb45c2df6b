"""Plants simulated by MuJoCo, one ``MjData`` a row, with Gymnasium's models and semantics.

Driving MuJoCo directly does what Gymnasium's environments do, without their Python in each step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.errors import require
from ltc_edge.tasks.protocol import Readings
from ltc_edge.tasks.seeding import generator


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


class MujocoPlants(ABC):
    """A batch of MuJoCo plants; the privileged state is ``[qpos, qvel]``.

    Simulators are made when a batch first needs them and reused by later resets.
    """

    def __init__(
        self, asset: str, frame_skip: int, columns: Sequence[int], watched: Sequence[str] = ()
    ) -> None:
        """``watched`` names the fields of ``MjData`` that reward or sensors need besides the state."""
        self._mujoco = require("mujoco", "train")
        self._model = load_model(asset)
        # No geometry of these models collides; not looking for contacts saves a fifth of the time.
        self._model.opt.disableflags |= self._mujoco.mjtDisableBit.mjDSBL_CONTACT
        self._frame_skip = frame_skip
        self._period_s = float(self._model.opt.timestep) * frame_skip
        self._columns = list(columns)
        self._watched = ("qpos", "qvel", *watched)
        self._data: list[Any] = []
        self._ctrl: list[FloatArray] = []
        self._views: list[list[FloatArray]] = []
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
        self._grow(len(seeds))
        self._record = np.zeros((len(seeds), sum(view.size for view in self._views[0])))
        self._terminated = np.zeros(len(seeds), dtype=np.bool_)
        for row, seed in enumerate(seeds):
            data = self._data[row]
            self._mujoco.mj_resetData(self._model, data)
            position, velocity = self.noise(generator(seed))
            data.qpos += position
            data.qvel += velocity
            self._mujoco.mj_forward(self._model, data)
            self._read(row)
        return self._readings(np.zeros(len(seeds)))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows by one control period."""
        mj_step, model, frame_skip = self._mujoco.mj_step, self._model, self._frame_skip
        rows = np.flatnonzero(active)
        for row in rows.tolist():
            self._ctrl[row][:] = action[row]
            mj_step(model, self._data[row], frame_skip)
            self._read(row)
        reward = np.zeros(len(self._record))
        if len(rows):
            outcome = self.outcome(self._record[rows])
            reward[rows] = outcome.reward
            self._terminated[rows] = outcome.terminated
        return self._readings(reward)

    def close(self) -> None:
        """Free the simulators."""
        self._ctrl.clear()
        self._views.clear()
        self._data.clear()

    def _grow(self, rows: int) -> None:
        while len(self._data) < rows:
            data = self._mujoco.MjData(self._model)
            self._data.append(data)
            # Reading a field of MjData makes a new view each time; these stay valid.
            self._ctrl.append(data.ctrl)
            self._views.append([getattr(data, field).reshape(-1) for field in self._watched])

    def _read(self, row: int) -> None:
        np.concatenate(self._views[row], out=self._record[row])

    def _readings(self, reward: FloatArray) -> Readings:
        return Readings(
            observation=self.sense(self._record)[:, self._columns],
            privileged=self._record[:, : 2 * self._model.nv].copy(),
            dt_s=np.full(len(self._record), self._period_s),
            reward=reward,
            terminated=self._terminated.copy(),
        )
