"""A generated controller compiled for this processor, and called in this process."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.export.c import CSources
from ltc_edge.runtimes.c_compiler import FLAGS, find_compiler, shared_library
from ltc_edge.runtimes.machine import Float32

_POINTER, _WORD = ctypes.c_void_p, ctypes.c_uint32
_SEAL = 4
"""Bytes of a context before its state."""


class HostMachine:
    """`Machine` over a shared library that a C compiler of this machine makes.

    Args:
        sources: the controller in C.
        controller: what they were made from.
        compiler: command of the C compiler; where not given CC of the environment, cc, gcc or clang.
        flags: how it compiles.

    Raises:
        InputError: there is no compiler, or it fails.
        ControllerFileError: the sources are of another name.
    """

    def __init__(
        self,
        sources: CSources,
        controller: Controller,
        compiler: str | None = None,
        flags: Sequence[str] = FLAGS,
    ) -> None:
        command = find_compiler(compiler)
        with tempfile.TemporaryDirectory(prefix="ltc-edge-") as folder:
            # Where a library that is in use cannot be deleted, the folder stays for the system to clear.
            library = shared_library(sources.files, Path(folder), command, flags)
            self._library = ctypes.CDLL(str(library))
        name = sources.name
        try:
            self._step = self._function(f"{name}_step", _POINTER, _POINTER, ctypes.c_float, _POINTER)
            self._reset = self._function(f"{name}_reset", _POINTER)
            self._restore = self._function(f"{name}_restore", _POINTER, _POINTER)
            self._selftest = self._function(f"{name}_selftest")
            self._version = self._function(f"{name}_version")
        except AttributeError as error:
            raise ControllerFileError(f"the sources are not of a controller {name!r} ({error})") from None
        self._version.restype = ctypes.c_char_p
        self._size = controller.state_size * sources.item_bytes
        # Seal, state and checksum, in words: a context is aligned as its seal is.
        self._context = np.zeros(2 + -(-self._size // 4), dtype=np.uint32)
        self._state = self._context.view(np.uint8)[_SEAL : _SEAL + self._size]
        self._observation = np.zeros(controller.cell.inputs, dtype=np.float32)
        self._action = np.zeros(len(controller.actions), dtype=np.float32)
        self._addresses = tuple(a.ctypes.data for a in (self._context, self._observation, self._action))

    def _function(self, name: str, *arguments: Any) -> Any:
        function = getattr(self._library, name)
        function.argtypes, function.restype = arguments, _WORD
        return function

    def reset(self) -> int:
        """See `Machine.reset`."""
        return int(self._reset(self._addresses[0]))

    def step(self, observation: Float32, dt: float) -> tuple[int, Float32]:
        """See `Machine.step`."""
        self._observation[:] = observation
        context, given, action = self._addresses
        status = int(self._step(context, given, dt, action))
        return status, self._action.copy()

    def read_state(self) -> bytes:
        """See `Machine.read_state`."""
        return self._state.tobytes()

    def write_state(self, state: bytes) -> None:
        """See `Machine.write_state`."""
        if status := int(self._restore(self._addresses[0], state)):
            raise InputError(f"a state lies beyond its bounds (status {status:#x}); give one that was read")

    def selftest(self) -> int:
        """See `Machine.selftest`."""
        return int(self._selftest())

    def version(self) -> str:
        """See `Machine.version`."""
        text: bytes = self._version()
        return text.decode("ascii")

    def close(self) -> None:
        """Nothing to do: a library stays loaded as long as the process lives."""
