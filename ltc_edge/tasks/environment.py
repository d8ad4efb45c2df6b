"""Any Gymnasium environment with vectors in and out as a task, with an expert of the user's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import LtcEdgeError, TaskError, require
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks.environment_plants import EnvironmentPlants
from ltc_edge.tasks.loading import load_object
from ltc_edge.tasks.protocol import PlantBatch
from ltc_edge.tasks.spaces import ActionCodec, columns_of, observation_signals


def make_environment(env_id: str) -> Any:
    """The environment without time limit and checker, which cost time and do nothing here.

    Raises:
        TaskError: no environment has this id, or it cannot be made; in one line.
        MissingExtraError: gymnasium is not installed.
    """
    gymnasium = require("gymnasium", "train")
    try:
        return gymnasium.make(env_id, max_episode_steps=-1, disable_env_checker=True)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise TaskError(f"environment {env_id!r} cannot be made: {reason}") from None


def _period(env: Any, env_id: str, period_s: float | None) -> float:
    """The environment's control period: what the user said, its ``dt``, or its frame rate."""
    if period_s is None:
        plain = env.unwrapped
        frames_per_s = (plain.metadata or {}).get("render_fps")
        declared = getattr(plain, "dt", None) or (frames_per_s and 1.0 / frames_per_s)
        if not declared:
            raise TaskError(f"{env_id} declares no control period: give one in seconds (period_s)")
        period_s = float(declared)
    if not 0 < period_s < np.inf:
        raise TaskError(f"{env_id}: period_s must be a positive time in seconds, not {period_s}")
    return period_s


def _episode_length(env_id: str, max_steps: int | None) -> int:
    registered = require("gymnasium", "train").spec(env_id).max_episode_steps
    length = registered if max_steps is None else max_steps
    if length is None or length < 1:
        raise TaskError(f"{env_id} declares no episode length: give one in steps (max_steps)")
    return int(length)


class GymTask:
    """A Gymnasium environment as a task; made by ``from_environment``."""

    def __init__(
        self,
        env_id: str,
        expert: Callable[[FloatArray], Any],
        expert_name: str,
        period_s: float,
        max_steps: int,
        codec: ActionCodec,
        signals: Sequence[ObservationSignal],
        columns: Sequence[int],
        dtype: np.dtype[Any],
    ) -> None:
        self.name = env_id
        self.summary = f"Gymnasium environment {env_id} with the expert {expert_name}"
        self.observations = tuple(signals[column] for column in columns)
        self.actions: tuple[ActionSignal, ...] = codec.signals
        self.period_s = period_s
        self.dt_range_s = (period_s, period_s)
        self.max_steps = max_steps
        self.reward_threshold: float | None = require("gymnasium", "train").spec(env_id).reward_threshold
        self._expert, self._expert_name = expert, expert_name
        self._codec, self._columns, self._dtype = codec, tuple(columns), dtype

    @classmethod
    def from_environment(
        cls,
        env_id: str,
        expert_reference: str,
        period_s: float | None = None,
        observe: Sequence[int] | None = None,
        max_steps: int | None = None,
    ) -> GymTask:
        """The task of environment ``env_id`` and the expert ``package.module:function``.

        The expert gets one observation of the environment, all of it, in its own dtype, and returns what
        the environment's ``step`` takes: an array, or the integer of a Discrete space.

        Args:
            env_id: as for ``gymnasium.make``.
            expert_reference: where the expert is.
            period_s: control period; by default the environment's ``dt`` or ``render_fps``.
            observe: indices of the observations that the controller sees; by default all.
            max_steps: length of an episode; by default the registered one.

        Raises:
            TaskError: an unknown environment or expert, spaces that are not vectors, or a period or
                length that the environment does not declare.
        """
        env = make_environment(env_id)
        try:
            signals = observation_signals(env.observation_space, env_id)
            codec = ActionCodec.of(env.action_space, env_id)
            dtype = env.observation_space.dtype
            period_s = _period(env, env_id, period_s)
        finally:
            env.close()
        expert = load_object(expert_reference)
        if not callable(expert):
            raise TaskError(
                f"{expert_reference} is a {type(expert).__name__}, not a function of an observation"
            )
        columns = columns_of(observe, len(signals), env_id)
        length = _episode_length(env_id, max_steps)
        return cls(env_id, expert, expert_reference, period_s, length, codec, signals, columns, dtype)

    def make_plants(self) -> PlantBatch:
        """Environments in lockstep."""
        return EnvironmentPlants(
            lambda: make_environment(self.name), self.name, self._codec, self._columns, self.period_s
        )

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The user's expert, called for each row of ``(E, P)``.

        Raises:
            TaskError: it raised, or returned something that is not an action.
        """
        return np.stack([self._ask(row) for row in privileged.astype(self._dtype)])

    def _ask(self, observation: FloatArray) -> FloatArray:
        origin = f"the expert {self._expert_name}"
        try:
            answer = self._expert(observation)
        except LtcEdgeError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())
            raise TaskError(f"{origin} raised {type(error).__name__}: {reason}") from error
        return self._codec.from_expert(answer, origin)
