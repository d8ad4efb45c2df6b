"""An expert that a user wrote for one observation at a time, made to serve a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import TaskError
from ltc_edge.tasks.loading import load_object
from ltc_edge.tasks.spaces import ActionCodec
from ltc_edge.tasks.wording import foreign_code


@dataclass(frozen=True)
class UserExpert:
    """The function that ``reference`` names.

    Attributes:
        reference: ``package.module:function``, for messages.
        function: takes one observation, returns what the environment's ``step`` takes.
        codec: turns that into a row of actions.
        dtype: of the observations that the function gets.
    """

    reference: str
    function: Callable[[FloatArray], Any]
    codec: ActionCodec
    dtype: np.dtype[Any]

    @classmethod
    def load(cls, reference: str, codec: ActionCodec, dtype: np.dtype[Any]) -> UserExpert:
        """Import the function.

        Raises:
            TaskError: it cannot be imported, or is no function.
        """
        function = load_object(reference)
        if not callable(function):
            raise TaskError(f"{reference}: a {type(function).__name__}, not a function of an observation")
        return cls(reference, function, codec, dtype)

    def actions(self, observations: FloatArray) -> FloatArray:
        """Actions ``(E, M)`` for observations ``(E, P)``.

        Raises:
            TaskError: the function raised, or returned something that is not an action.
        """
        return np.stack([self._ask(row) for row in observations.astype(self.dtype)])

    def _ask(self, observation: FloatArray) -> FloatArray:
        origin = f"the expert {self.reference}"
        with foreign_code(origin):
            answer = self.function(observation)
        return self.codec.from_expert(answer, origin)
