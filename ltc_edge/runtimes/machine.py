"""What executes a generated controller: this processor, an emulated one, or a board on a line."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


@runtime_checkable
class Machine(Protocol):
    """A generated controller with a context of its own; statuses are the bits of its header."""

    def reset(self) -> int:
        """``<name>_reset``: check the parameters and go to the state before the first step."""
        ...

    def step(self, observation: Float32, dt: float) -> tuple[int, Float32]:
        """``<name>_step``: status and action ``(M,)`` of an observation ``(I,)``, ``dt`` in seconds."""
        ...

    def read_state(self) -> bytes:
        """The context's items after its seal, little-endian."""
        ...

    def write_state(self, state: bytes) -> None:
        """``<name>_restore``: go on from items that `read_state` gave.

        Raises:
            InputError: they are beyond their bounds.
        """
        ...

    def selftest(self) -> int:
        """``<name>_selftest``: status; 0 where the golden bits came out."""
        ...

    def version(self) -> str:
        """``<name>_version``: controller, exporter, CRC-32 of the parameters."""
        ...

    def close(self) -> None:
        """Let go of whatever it holds; it is not used afterwards."""
        ...
