"""Any Gymnasium environment with vectors in and out as a task, with an expert of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import TaskError, require
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks.environment_plants import EnvironmentPlants
from ltc_edge.tasks.loading import current_folder_importable
from ltc_edge.tasks.protocol import PlantBatch
from ltc_edge.tasks.spaces import ActionCodec, columns_of, observation_signals
from ltc_edge.tasks.user_expert import UserExpert
from ltc_edge.tasks.wording import one_line


def make_environment(env_id: str) -> Any:
    """The environment without time limit and checker: the caller counts steps, and checks cost time.

    Raises:
        TaskError: no environment has this id, or it cannot be made; in one line.
        MissingExtraError: gymnasium is not installed.
    """
    gymnasium = require("gymnasium", "train")
    try:
        # An id may name the module that registers it: my_module:MyEnv-v0.
        with current_folder_importable():
            return gymnasium.make(env_id, max_episode_steps=-1, disable_env_checker=True)
    except Exception as error:
        raise TaskError(f"environment {env_id!r} cannot be made: {one_line(error)}") from None


def _period(env: Any, env_id: str, period_s: float | None) -> float:
    """The control period in seconds: what the user said, the environment's ``dt``, or its frame rate."""
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


def _episode_length(env_id: str, registered: int | None, max_steps: int | None) -> int:
    length = registered if max_steps is None else max_steps
    if length is None:
        raise TaskError(f"{env_id} declares no episode length: give one in steps (max_steps)")
    if length < 1:
        raise TaskError(f"{env_id}: max_steps must be a positive number of steps, not {length}")
    return length


class GymTask:
    """A Gymnasium environment as a task; made by ``from_environment``."""

    def __init__(
        self,
        env_id: str,
        expert: UserExpert,
        signals: Sequence[ObservationSignal],
        columns: Sequence[int],
        period_s: float,
        max_steps: int,
        reward_threshold: float | None,
    ) -> None:
        self.name = env_id
        self.summary = f"Gymnasium environment {env_id} with the expert {expert.reference}"
        self.observations = tuple(signals[column] for column in columns)
        self.actions: tuple[ActionSignal, ...] = expert.codec.signals
        self.period_s = period_s
        self.dt_range_s = (period_s, period_s)
        self.max_steps = max_steps
        self.reward_threshold = reward_threshold
        self._expert, self._columns = expert, tuple(columns)

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
            period_s = _period(env, env_id, period_s)
            # The environment's own copy of the specification has lost the time limit.
            specification = require("gymnasium", "train").spec(env.unwrapped.spec.id)
            dtype = env.observation_space.dtype
        finally:
            env.close()
        return cls(
            env_id,
            UserExpert.load(expert_reference, codec, dtype),
            signals,
            columns_of(observe, len(signals), env_id),
            period_s,
            _episode_length(env_id, specification.max_episode_steps, max_steps),
            specification.reward_threshold,
        )

    def make_plants(self) -> PlantBatch:
        """Environments in lockstep."""
        return EnvironmentPlants(
            lambda: make_environment(self.name), self.name, self._expert.codec, self._columns, self.period_s
        )

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The user's expert, called for each row of ``(E, P)``.

        Raises:
            TaskError: it raised, or returned something that is not an action.
        """
        return self._expert.actions(privileged)
