"""A controller in LiteRT, as a `Stepper`: ai-edge-litert, or tflite-runtime where that is installed."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import ControllerFileError, MissingExtraError, require
from ltc_edge.runtimes.codes import CodeArray, Codes, Interface
from ltc_edge.runtimes.litert_file import MAX_BYTES, read_litert
from ltc_edge.runtimes.litert_graph import LiteRTFile
from ltc_edge.runtimes.stepper import check_state, check_step_input

INTEGER_RANGE = {"int16": (-(1 << 15), (1 << 15) - 1), "int8": (-(1 << 7), (1 << 7) - 1)}


class LiteRTStepper:
    """`Stepper` over a ``.tflite`` file, on one thread.

    The state is fed back as the file's own numbers: integers stay the integers they were.

    Args:
        source: the file, or its bytes.
        controller: what it was exported from; its limits and range of dt are kept here too.
        interface: codes of its inputs and outputs; those that the file states where not given.

    Raises:
        ControllerFileError: the file is damaged, is none of ours, or is of another controller.
        MissingExtraError: no LiteRT is installed.
    """

    def __init__(
        self, source: Path | bytes, controller: Controller, interface: Interface | None = None
    ) -> None:
        content, where = _content(source)
        file = read_litert(content, where)
        codes = file.interface if interface is None else interface
        if codes.to_json() != file.interface.to_json():
            raise ControllerFileError(f"{where}: it is coded in another way than its bundle says")
        codes.check_fits(controller)
        self._where = where
        self._interpreter = _interpreter(content, where)
        self._codes = codes
        self._low, self._high = controller.limits
        self._dt_range = controller.timing.dt_min_s, controller.timing.dt_max_s
        self._indexes = tuple(file.inputs.values())
        self._outputs = tuple(file.outputs.values())
        self._observation = np.empty((1, codes.observation.channels), codes.observation.dtype)
        self._dt = np.empty((1, 1), codes.dt.dtype)
        self._scratch = np.empty(codes.observation.channels)
        self.reset()

    @property
    def state(self) -> FloatArray:
        """A copy of the state, ``(state_size,)``."""
        return self._codes.state.decode(self._state[0])

    @property
    def state_codes(self) -> CodeArray:
        """A copy of the state as the file's own numbers, ``(state_size,)``."""
        codes: CodeArray = self._state[0].copy()
        return codes

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._state: npt.NDArray[Any] = self._codes.state.encode(self._codes.reset_state)[None, :]

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``, one that `state` gave."""
        codes = self._codes.state
        self._state = codes.encode(check_state(state, codes.channels))[None, :]

    def hold(self) -> CodeArray:
        """See `Stepper.hold`."""
        return self._state  # never written to: every step makes a new one

    def resume(self, held: CodeArray) -> None:
        """See `Stepper.resume`."""
        self._state = held

    def step(self, observation: FloatArray, dt: float) -> FloatArray:
        """One step; see `Stepper.step`."""
        values = check_step_input(observation, dt, self._observation.shape[1])
        low, high = self._dt_range
        self._codes.observation.encode_into(values, self._observation[0], self._scratch)
        self._dt[0, 0] = _scalar_code(self._codes.dt, float(min(max(dt, low), high)))
        interpreter = self._interpreter
        for index, given in zip(self._indexes, (self._observation, self._dt, self._state), strict=True):
            interpreter.set_tensor(index, given)
        try:
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ControllerFileError(f"{self._where}: {_line(error)}") from None
        # Copies, so that nothing here refers to memory that the next call overwrites.
        action = self._codes.action.decode(interpreter.get_tensor(self._outputs[0])[0])
        self._state = interpreter.get_tensor(self._outputs[1])
        np.maximum(action, self._low, out=action)
        return np.minimum(action, self._high, out=action)


def intermediate_tensors(
    source: Path | bytes, inputs: Mapping[str, CodeArray]
) -> dict[str, npt.NDArray[np.float64]]:
    """Every tensor of one step, by its name in the program, as real numbers ``(n,)`` in its coordinates.

    Args:
        source: the file, or its bytes.
        inputs: codes of ``observation``, ``dt`` and ``state_in``, ``(n,)`` each.

    Raises:
        ControllerFileError: the file is damaged or none of ours.
        MissingExtraError: no LiteRT is installed.
    """
    content, where = _content(source)
    file = read_litert(content, where)
    interpreter = _interpreter(content, where, preserve=True)
    for name, index in file.inputs.items():
        interpreter.set_tensor(index, np.asarray(inputs[name])[None, :])
    interpreter.invoke()
    return {
        file.tensors[index].name: _real(file, index, interpreter.get_tensor(index)[0])
        for index in (*file.inputs.values(), *(o.outputs[0] for o in file.operators))
    }


def _scalar_code(codes: Codes, raw: float) -> float:
    """`Codes.encode` of one channel: a third of the time for one number."""
    value = (raw - codes.center.item()) / codes.span.item()
    if not codes.is_integer:
        return value
    low, high = INTEGER_RANGE[codes.dtype]
    return min(max(round(value / codes.scale) + codes.zero_point, low), high)


def _real(file: LiteRTFile, index: int, codes: CodeArray) -> npt.NDArray[np.float64]:
    tensor, values = file.tensors[index], codes.astype(np.float64)
    return (values - tensor.zero_point[0]) * tensor.scale[0] if tensor.scale else values


def _content(source: Path | bytes) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, "LiteRT model"
    try:
        with source.open("rb") as file:
            # One byte more than is allowed tells a file that is too long without reading all of it.
            return file.read(MAX_BYTES + 1), str(source)
    except OSError as error:
        raise ControllerFileError(f"{source}: cannot be read ({error.strerror})") from None


def _interpreter(content: bytes, where: str, *, preserve: bool = False) -> Any:
    module = interpreter_module()
    options: dict[str, Any] = {}
    if preserve:
        # XNNPACK keeps what lies between its operators to itself.
        plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        options = {"experimental_preserve_all_tensors": True, "experimental_op_resolver_type": plain}
    try:
        with _quiet():
            interpreter = module.Interpreter(model_content=content, num_threads=1, **options)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ControllerFileError(f"{where}: LiteRT does not accept it ({_line(error)})") from None
    return interpreter


def interpreter_module() -> Any:
    """Whichever module runs LiteRT's files here.

    Raises:
        MissingExtraError: there is none.
    """
    try:
        return require("ai_edge_litert.interpreter", "litert")
    except MissingExtraError:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module("tflite_runtime.interpreter")
        raise


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep LiteRT's notices of what it loaded off standard error; they come from C++."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
