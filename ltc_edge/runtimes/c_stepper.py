"""A generated C controller, on whatever machine executes it, as a `Stepper`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import ControllerFileError
from ltc_edge.export.c.guard import NO_ACTION, STATUS
from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.machine import Machine
from ltc_edge.runtimes.stepper import check_state, check_step_input

_LARGEST = float(np.finfo(np.float32).max)


class CStepper:
    """`Stepper` over a `Machine`.

    Args:
        machine: what executes the controller.
        controller: what its sources were made from.
        state: codes of the items in the controller's context.

    Raises:
        ControllerFileError: the machine does not give the controller's golden bits.
    """

    def __init__(self, machine: Machine, controller: Controller, state: Codes) -> None:
        self.machine = machine
        self.status = 0
        self._codes = state
        self._inputs = controller.cell.inputs
        self._low, self._high = controller.limits
        timing = controller.timing
        # Beyond its range, but finite in float32, so that the controller itself can say that it clamped.
        self._dt_range = 0.5 * timing.dt_min_s, 2.0 * timing.dt_max_s
        if failed := machine.selftest():
            raise ControllerFileError(
                f"{machine.version()}: the selftest does not give the golden bits (status {failed:#x}); the "
                "compiler or its flags change arithmetic, or the program is damaged"
            )
        self.reset()

    @property
    def state(self) -> FloatArray:
        """A copy of the state in real values, ``(state_size,)``."""
        return self._codes.decode(np.frombuffer(self.machine.read_state(), dtype=self._dtype))

    def reset(self) -> None:
        """Return to the state before the first step.

        Raises:
            ControllerFileError: the parameters' CRC is wrong.
        """
        self.status = self.machine.reset()
        if self.status:
            raise ControllerFileError(f"the controller's parameters are corrupt (status {self.status:#x})")

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``, as far as its codes can hold it."""
        values = check_state(state, self._codes.channels)
        self.machine.write_state(self._codes.encode(values).astype(self._dtype).tobytes())

    def hold(self) -> bytes:
        """See `Stepper.hold`."""
        return self.machine.read_state()

    def resume(self, held: bytes) -> None:
        """See `Stepper.resume`."""
        self.machine.write_state(held)

    def step(self, observation: FloatArray, dt: float) -> FloatArray:
        """One step; see `Stepper.step`. ``status`` then holds the status bits of the C step.

        Raises:
            ControllerFileError: the controller gave its fallback, since its memory was corrupted.
        """
        values = check_step_input(observation, dt, self._inputs)
        # What is finite in float64 must be so in float32.
        given = np.minimum(np.maximum(values, -_LARGEST), _LARGEST).astype(np.float32)
        low, high = self._dt_range
        self.status, found = self.machine.step(given, min(max(dt, low), high))
        if self.status & NO_ACTION:
            bits = " and ".join(key for key, bit in STATUS.items() if self.status & bit & NO_ACTION)
            raise ControllerFileError(
                f"{self.machine.version()}: gave its fallback instead of an action ({bits}); reset it, and "
                "find what writes to its memory"
            )
        action: npt.NDArray[np.float64] = found.astype(np.float64)
        # The float32 nearest to a limit may lie beyond it.
        np.maximum(action, self._low, out=action)
        return np.minimum(action, self._high, out=action)

    @property
    def _dtype(self) -> np.dtype[np.generic]:
        return np.dtype(self._codes.dtype).newbyteorder("<")
