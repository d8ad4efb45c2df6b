"""A model in ONNX Runtime, with every buffer bound once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .model import ModelError, Spec, check_sizes, check_states, pick_action, rows

_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


class OnnxModel:
    """See `Model`. Two bindings alternate: the state that one step writes is the one the next reads.

    Raises:
        ModelError: ONNX Runtime refuses the file, or it does not step a state as it was said to.
    """

    def __init__(self, spec: Spec) -> None:
        import numpy
        import onnxruntime as ort

        self.version = f"onnxruntime {ort.__version__}, numpy {numpy.__version__}"
        self._numpy, self._ort = numpy, ort
        session = _session(ort, spec)
        inputs = {tensor.name: _described(tensor) for tensor in session.get_inputs()}
        outputs = {tensor.name: _described(tensor) for tensor in session.get_outputs()}
        check_sizes(spec, inputs, outputs)
        check_states(spec, inputs, outputs)
        self._feeds = []
        self._states: dict[str, tuple[Any, Any, Any]] = {}
        self._bindings = [session.io_binding(), session.io_binding()]
        fed_back = dict(spec.states)
        for seed, (name, (dtype, shape)) in enumerate(inputs.items()):
            if name in fed_back:
                self._bind_state(spec, name, fed_back[name], dtype, shape)
                continue
            array, value = self._buffer(dtype, shape)
            for binding in self._bindings:
                binding.bind_ortvalue_input(name, value)
            self._feeds.append((array, rows(numpy, spec.feeds.get(name), dtype, shape, seed)))
        self._bind_outputs(spec, outputs)
        self._current = 0
        options = _run_options(ort)
        self.step = self._alternating(session.run_with_iobinding, self._bindings, options)
        self.invoke = self._own_part(session, options)
        self.reset()

    def _alternating(self, run: Any, bindings: list[Any], options: Any) -> Callable[[], None]:
        first, second = bindings

        def step() -> None:
            if self._current:
                self._current = 0
                run(second, options)
            else:
                self._current = 1
                run(first, options)

        return step

    def _own_part(self, session: Any, options: Any) -> Callable[[], None] | None:
        """A step without what onnxruntime's classes in Python do around it; None where they hide it."""
        inner = getattr(session, "_sess", None)
        bound = [getattr(binding, "_iobinding", None) for binding in self._bindings]
        if inner is None or None in bound:
            return None
        return self._alternating(inner.run_with_iobinding, bound, options)

    def _bind_state(self, spec: Spec, source: str, target: str, dtype: str, shape: tuple[int, ...]) -> None:
        left, right = self._buffer(dtype, shape), self._buffer(dtype, shape)
        self._bindings[0].bind_ortvalue_input(source, left[1])
        self._bindings[0].bind_ortvalue_output(target, right[1])
        self._bindings[1].bind_ortvalue_input(source, right[1])
        self._bindings[1].bind_ortvalue_output(target, left[1])
        start = spec.starts.get(source)
        first = self._numpy.zeros(shape, dtype)
        if start is not None:
            first = rows(self._numpy, start, dtype, shape, 0)[0]
        self._states[target] = (left[0], right[0], first)

    def _bind_outputs(self, spec: Spec, outputs: dict[str, tuple[str, tuple[int, ...]]]) -> None:
        action = pick_action(spec, list(outputs))
        bound = [target for _, target in spec.states]
        self._action: tuple[Any, ...] = ()
        for name, (dtype, shape) in outputs.items():
            if name in bound:
                continue
            array, value = self._buffer(dtype, shape)
            for binding in self._bindings:
                binding.bind_ortvalue_output(name, value)
            if name == action:
                self._action = (array, array)
        if not self._action:  # the action is a state
            left, right, _ = self._states[action]
            self._action = (left, right)

    def feed(self, index: int) -> None:
        """See `Model.feed`."""
        for array, values in self._feeds:
            array[...] = values[index % len(values)]

    def reset(self) -> None:
        """See `Model.reset`."""
        self._current = 0
        for array, _, first in self._states.values():
            array[...] = first

    def action(self) -> tuple[str, bytes]:
        """See `Model.action`."""
        array = self._action[self._current]
        return str(array.dtype), array.tobytes()

    def _buffer(self, dtype: str, shape: tuple[int, ...]) -> tuple[Any, Any]:
        array = self._numpy.zeros(shape, dtype)
        value = self._ort.OrtValue.ortvalue_from_numpy(array)
        if array.size and value.data_ptr() != array.ctypes.data:
            raise ModelError("this onnxruntime copies arrays instead of sharing them; 1.17 does not")
        return array, value


def _session(ort: Any, spec: Spec) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # As the steppers of ltc-edge: at this size, planning the reuse of memory costs more than it saves.
    options.enable_mem_reuse = False
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(str(spec.path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base but this
        reason = " ".join(str(error).split())
        raise ModelError(f"ONNX Runtime {ort.__version__} cannot load it ({reason[:200]})") from None


def _run_options(ort: Any) -> Any:
    """Made once: without any, every run makes some, which takes a microsecond."""
    options = ort.RunOptions()
    # Its default. Where it is not said, onnxruntime 1.32 looks for it at every run, and catches an exception.
    options.add_run_config_entry("gpu_graph_id", "0")
    return options


def _described(tensor: Any) -> tuple[str, tuple[int, ...]]:
    """Type and shape; an extent that is not said is 1: one step of one controller."""
    if tensor.type not in _TYPES:
        raise ModelError(f"{tensor.name} is a {tensor.type}, which is not fed here")
    shape = tuple(extent if isinstance(extent, int) else 1 for extent in tensor.shape)
    return _TYPES[tensor.type], shape
