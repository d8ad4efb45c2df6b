"""Gymnasium's spaces as signals."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import TaskError, require
from ltc_edge.signals import ActionSignal, ObservationSignal


def observation_signals(space: Any, env_id: str) -> tuple[ObservationSignal, ...]:
    """``obs0``, ``obs1``… for a Box of one axis.

    Raises:
        TaskError: an image, a dictionary, or any other space.
    """
    boxes = require("gymnasium.spaces", "train").Box
    if not isinstance(space, boxes) or len(space.shape) != 1 or space.shape[0] == 0:
        raise TaskError(
            f"{env_id}: observations must be a vector (a Box of one axis), not {_described(space)}; "
            "wrap the environment so that they are"
        )
    return tuple(ObservationSignal(f"obs{index}") for index in range(space.shape[0]))


@dataclass(frozen=True)
class ActionCodec:
    """Between a controller's action signals and what an environment's ``step`` takes.

    A Box passes values through, within its limits. A Discrete space of ``n`` choices becomes ``n`` scores
    in [−1, 1]: the environment gets the choice with the largest, an expert's choice is +1 among −1.
    """

    signals: tuple[ActionSignal, ...]
    space: Any
    discrete: bool

    @classmethod
    def of(cls, space: Any, env_id: str) -> ActionCodec:
        """The codec of an action space.

        Raises:
            TaskError: the space is neither a Box of one axis nor Discrete.
        """
        spaces = require("gymnasium.spaces", "train")
        if isinstance(space, spaces.Discrete):
            scores = tuple(ActionSignal(f"score{index}", "", -1.0, 1.0) for index in range(int(space.n)))
            return cls(scores, space, True)
        if not isinstance(space, spaces.Box) or len(space.shape) != 1 or space.shape[0] == 0:
            raise TaskError(
                f"{env_id}: actions must be a vector (a Box of one axis) or Discrete, not {_described(space)}"
            )
        limits = zip(space.low.tolist(), space.high.tolist(), strict=True)
        signals = tuple(
            ActionSignal(f"action{index}", "", low, high) for index, (low, high) in enumerate(limits)
        )
        return cls(signals, space, False)

    def to_environment(self, row: FloatArray) -> Any:
        """A controller's actions ``(M,)`` as the environment takes them."""
        if self.discrete:
            return int(self.space.start) + int(np.argmax(row))
        return np.clip(row, self.space.low, self.space.high).astype(self.space.dtype)

    def from_expert(self, answer: Any, origin: str) -> FloatArray:
        """An expert's answer as a row of actions ``(M,)``.

        Raises:
            TaskError: a wrong shape, a choice that does not exist, or a value that is not finite;
                ``origin`` names the expert.
        """
        if self.discrete:
            return self._scores(answer, origin)
        expected = f"expected {len(self.signals)} finite numbers"
        try:
            row = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError):
            raise TaskError(f"{origin} returned {_shortened(answer)}, {expected}") from None
        if row.shape == () and len(self.signals) == 1:
            row = row.reshape(1)
        if row.shape != (len(self.signals),):
            raise TaskError(f"{origin} returned shape {row.shape}, {expected}: shape ({len(self.signals)},)")
        if not np.isfinite(row).all():
            raise TaskError(f"{origin} returned {_shortened(row.tolist())}, {expected}")
        return np.clip(row, self.space.low, self.space.high).astype(np.float64)

    def _scores(self, answer: Any, origin: str) -> FloatArray:
        first, count = int(self.space.start), len(self.signals)
        expected = f"expected an integer from {first} to {first + count - 1}"
        try:
            # Policies often return the choice as an array of one element.
            choice = operator.index(np.asarray(answer).item()) - first
        except (TypeError, ValueError):
            raise TaskError(f"{origin} returned {_shortened(answer)}, {expected}") from None
        if not 0 <= choice < count:
            raise TaskError(f"{origin} returned {_shortened(answer)}, {expected}")
        scores = np.full(count, -1.0)
        scores[choice] = 1.0
        return scores


def columns_of(observe: Sequence[int] | None, count: int, env_id: str) -> tuple[int, ...]:
    """The observations that the controller sees: all of them, or the ones of ``observe``.

    Raises:
        TaskError: an index is out of range or given twice, or there is none.
    """
    if observe is None:
        return tuple(range(count))
    columns = tuple(int(index) for index in observe)
    if not columns or len(set(columns)) < len(columns) or not all(0 <= index < count for index in columns):
        raise TaskError(
            f"{env_id}: observe must be different indices from 0 to {count - 1}, not {list(columns)}"
        )
    return columns


def _described(space: Any) -> str:
    shape = getattr(space, "shape", None)
    return f"{type(space).__name__}{'' if shape is None else f' of shape {shape}'}"


def _shortened(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
