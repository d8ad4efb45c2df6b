"""An exported ONNX file in ONNX Runtime, as a `Stepper`.

Inputs, outputs and both states lie in buffers that are bound once; two bindings alternate, so that the
state one step writes is the one the next step reads. A step copies the observation in and the action
out, and nothing else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.runtimes.codes import CodeArray, Interface
from ltc_edge.runtimes.stepper import check_state, check_step_input

_TENSOR_TYPES = {"float32": "tensor(float)", "int16": "tensor(int16)", "int8": "tensor(int8)"}
_TENSORS = {"observation": "observation", "dt": "dt", "state_in": "state", "state_out": "state"}
_TENSORS |= {"action": "action"}


class OnnxStepper:
    """`Stepper` over ONNX Runtime on the CPU, with one thread.

    Args:
        source: the file, or its content.
        controller: what the file was made from; its limits and range of dt are kept here too.
        interface: codes of the file's inputs and outputs; plain float32 where not given.

    Raises:
        ControllerFileError: ONNX Runtime refuses the file, or its inputs and outputs are not as expected.
        InputError: the interface is of another controller.
    """

    def __init__(
        self, source: Path | str | bytes, controller: Controller, interface: Interface | None = None
    ) -> None:
        self._controller = controller
        self._interface = interface or Interface.floating(controller)
        self._interface.check_fits(controller)
        self._low, self._high = controller.limits
        self._dt_range = controller.timing.dt_min_s, controller.timing.dt_max_s
        session = make_session(source)
        _check_interface(session, self._interface, "this file" if isinstance(source, bytes) else str(source))
        self._bind(session)
        self.reset()

    def _bind(self, session: Any) -> None:
        """Bind every buffer once: observation, dt, action, and the two states in both orders."""
        codes = self._interface
        self._observation, self._observation_value = _buffer(
            codes.observation.dtype, codes.observation.channels
        )
        self._dt, self._dt_value = _buffer(codes.dt.dtype, 1)
        self._action, self._action_value = _buffer(codes.action.dtype, codes.action.channels)
        states = [_buffer(codes.state.dtype, codes.state.channels) for _ in range(2)]
        self._states = [array for array, _ in states]
        values = [value for _, value in states]
        self._bindings = []
        for current in (0, 1):
            binding = session.io_binding()
            binding.bind_ortvalue_input("observation", self._observation_value)
            binding.bind_ortvalue_input("dt", self._dt_value)
            binding.bind_ortvalue_input("state_in", values[current])
            binding.bind_ortvalue_output("action", self._action_value)
            binding.bind_ortvalue_output("state_out", values[1 - current])
            self._bindings.append(binding)
        self._values = values
        self._run = session.run_with_iobinding
        self._options = run_options()
        self._elapsed = np.empty(1)
        self._scratch = np.empty(codes.observation.channels)
        self._dt_scratch = np.empty(1)

    @property
    def state(self) -> FloatArray:
        """A copy of the state in real values, ``(state_size,)``."""
        return self._interface.state.decode(self._states[self._current][0])

    @property
    def state_codes(self) -> CodeArray:
        """A copy of the state as the file holds it, ``(state_size,)``."""
        codes: CodeArray = self._states[self._current][0].copy()
        return codes

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._current = 0
        self._states[0][0] = self._interface.state.encode(self._interface.reset_state)

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``, rounded to what the file's codes can hold."""
        values = check_state(state, self._interface.state.channels)
        self._states[self._current][0] = self._interface.state.encode(values)

    def hold(self) -> CodeArray:
        """See `Stepper.hold`."""
        return self.state_codes

    def resume(self, held: CodeArray) -> None:
        """See `Stepper.resume`."""
        self._states[self._current][0] = held

    def step(self, observation: FloatArray, dt: float) -> FloatArray:
        """One step; see `Stepper.step`."""
        values = check_step_input(observation, dt, self._interface.observation.channels)
        low, high = self._dt_range
        self._elapsed[0] = min(max(dt, low), high)
        self._interface.observation.encode_into(values, self._observation[0], self._scratch)
        self._interface.dt.encode_into(self._elapsed, self._dt[0], self._dt_scratch)
        self._run(self._bindings[self._current], self._options)
        self._current = 1 - self._current
        action = self._interface.action.decode(self._action[0])
        # float32 and integer codes may end a rounding beyond the real limit.
        np.maximum(action, self._low, out=action)
        np.minimum(action, self._high, out=action)
        return action


def make_session(source: Path | str | bytes) -> Any:
    """An ``InferenceSession`` for one step at a time: one thread, in order, all rewrites allowed.

    Raises:
        ControllerFileError: ONNX Runtime refuses the file.
    """
    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # With values this small, planning their reuse costs more at every step than the memory it saves.
    options.enable_mem_reuse = False
    options.log_severity_level = 4
    where = "this file" if isinstance(source, bytes) else str(source)
    try:
        return ort.InferenceSession(
            source if isinstance(source, bytes) else str(source), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors have no common base but this
        reason = " ".join(str(error).split())
        raise ControllerFileError(f"{where}: ONNX Runtime cannot load it ({reason[:200]})") from None


def _onnxruntime() -> Any:
    """The package; since 1.29 it tells its makers of every model that it loads, unless it is told not to."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def run_options() -> Any:
    """Options of a run, made once: without any, every run makes some, which takes a microsecond."""
    options = _onnxruntime().RunOptions()
    # Its default. Where it is not said, onnxruntime 1.32 looks for it at every run, and catches an exception.
    options.add_run_config_entry("gpu_graph_id", "0")
    return options


def _buffer(dtype: str, channels: int) -> tuple[npt.NDArray[Any], Any]:
    """An array ``(1, channels)`` and the OrtValue that shares its memory."""
    ort = _onnxruntime()
    array = np.zeros((1, channels), dtype=dtype)
    value = ort.OrtValue.ortvalue_from_numpy(array)
    if array.size and value.data_ptr() != array.ctypes.data:
        raise InputError("onnxruntime copies arrays instead of sharing them; install version 1.17 or newer")
    return array, value


def _check_interface(session: Any, interface: Interface, where: str) -> None:
    ours = {"observation", "dt", "state_in"}, {"action", "state_out"}
    theirs = session.get_inputs(), session.get_outputs()
    for kind, names, tensors in zip(("inputs", "outputs"), ours, theirs, strict=True):
        found = {tensor.name: tensor for tensor in tensors}
        if found.keys() != names:
            raise ControllerFileError(f"{where}: has the {kind} {sorted(found)}, expected {sorted(names)}")
        for name, tensor in found.items():
            codes = getattr(interface, _TENSORS[name])
            expected = (_TENSOR_TYPES[codes.dtype], [1, codes.channels])
            if (tensor.type, list(tensor.shape)) != expected:
                raise ControllerFileError(
                    f"{where}: {name} is {tensor.type} {tensor.shape}, expected {expected[0]} {expected[1]}"
                )
