"""A controller in C, compiled on this machine, as a `Stepper`."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import ControllerFileError
from ltc_edge.runtimes.c_compiler import FLAGS, find_compiler, shared_library
from ltc_edge.runtimes.stepper import check_state, check_step_input

_POINTER, _WORD = ctypes.c_void_p, ctypes.c_uint32
SELFTEST_FAILED = 1 << 7
_LARGEST = float(np.finfo(np.float32).max)


class CompiledStepper:
    """`Stepper` over the sources that ``c_float32`` makes.

    Args:
        files: the sources, by name.
        controller: what they were made from.
        name: their name.
        compiler: command of the C compiler; where not given CC of the environment, cc, gcc or clang.
        flags: how it compiles.

    Raises:
        InputError: there is no compiler, or it fails.
        ControllerFileError: what it made does not pass its own selftest.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        controller: Controller,
        name: str,
        compiler: str | None = None,
        flags: Sequence[str] = FLAGS,
    ) -> None:
        command = find_compiler(compiler)
        with tempfile.TemporaryDirectory(prefix="ltc-edge-") as folder:
            # Where a library that is in use cannot be deleted, the folder stays for the system to clear.
            library = shared_library(files, Path(folder), command, flags)
            self._library = ctypes.CDLL(str(library))
        try:
            self._step = self._function(f"{name}_step", _POINTER, _POINTER, ctypes.c_float, _POINTER)
            self._reset = self._function(f"{name}_reset", _POINTER)
            self._selftest = self._function(f"{name}_selftest")
            self._version = self._function(f"{name}_version")
        except AttributeError as error:
            raise ControllerFileError(f"the sources are not of a controller {name!r} ({error})") from None
        self._version.restype = ctypes.c_char_p
        self._inputs, self._state_size = controller.cell.inputs, controller.state_size
        self._low, self._high = controller.limits
        timing = controller.timing
        self._dt_range = timing.dt_min_s, timing.dt_max_s
        # seal, state, and the previous action where slew is limited: all words of 4 bytes.
        self._context = np.zeros(1 + self._state_size, dtype=np.uint32)
        self._values: npt.NDArray[np.float32] = self._context[1:].view(np.float32)
        self._observation = np.zeros(self._inputs, dtype=np.float32)
        self._action = np.zeros(len(controller.actions), dtype=np.float32)
        self._addresses = tuple(a.ctypes.data for a in (self._context, self._observation, self._action))
        self.status = 0
        if failed := self.selftest():
            raise ControllerFileError(
                f"{command[0]} {' '.join(flags)} does not give this controller's golden bits (status "
                f"{failed:#x}); compile it without flags that change arithmetic"
            )
        self.reset()

    def _function(self, name: str, *arguments: Any) -> Any:
        function = getattr(self._library, name)
        function.argtypes, function.restype = arguments, _WORD
        return function

    @property
    def state(self) -> FloatArray:
        """A copy of the state, ``(state_size,)``."""
        state: FloatArray = self._values.astype(np.float64)
        return state

    @property
    def version(self) -> str:
        """What the controller says that it is."""
        text: bytes = self._version()
        return text.decode("ascii")

    def selftest(self) -> int:
        """Status bits of the selftest; 0 where it passed."""
        return int(self._selftest())

    def reset(self) -> None:
        """Return to the state before the first step.

        Raises:
            ControllerFileError: the parameters' CRC is wrong.
        """
        self.status = int(self._reset(self._addresses[0]))
        if self.status:
            raise ControllerFileError(f"the controller's parameters are corrupt (status {self.status:#x})")

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``, as float32."""
        self._values[:] = check_state(state, self._state_size)

    def step(self, observation: FloatArray, dt: float) -> FloatArray:
        """One step; see `Stepper.step`. ``status`` then holds the status bits of the C step."""
        values = check_step_input(observation, dt, self._inputs)
        # What is finite in float64 must be so in float32.
        np.clip(values, -_LARGEST, _LARGEST, out=self._observation, casting="same_kind")
        low, high = self._dt_range
        self.status = int(
            self._step(
                self._addresses[0],
                self._addresses[1],
                min(max(dt, 0.5 * low), 2.0 * high),
                self._addresses[2],
            )
        )
        action: npt.NDArray[np.float64] = self._action.astype(np.float64)
        np.maximum(action, self._low, out=action)
        return np.minimum(action, self._high, out=action)
