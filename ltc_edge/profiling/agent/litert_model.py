"""A model in LiteRT: ai-edge-litert, or tflite-runtime where that is installed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from .model import ModelError, Spec, check_sizes, check_states, pick_action, rows

SIGNATURE = "serving_default"
PACKAGES = {"ai_edge_litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime"}
"""By module, the first that is there is used."""


class LiteRTModel:
    """See `Model`. A step sets every input, invokes, and gets every output, as a program in Python does.

    Raises:
        ModelError: no LiteRT is here or it refuses the file, or it does not step a state as it was said to.
    """

    def __init__(self, spec: Spec) -> None:
        import numpy

        module, version = runtime()
        self.version = f"{version}, numpy {numpy.__version__}"
        interpreter = _interpreter(module, spec, version)
        inputs, outputs = _tensors(interpreter)
        described = tuple(
            {name: (dtype, shape) for name, (_, dtype, shape) in known.items()} for known in (inputs, outputs)
        )
        check_sizes(spec, *described)
        check_states(spec, *described)
        fed_back = dict(spec.states)
        self._feeds: list[tuple[int, Any, Any]] = []
        self._states: list[tuple[int, int, list[Any]]] = []
        for seed, (name, (index, dtype, shape)) in enumerate(inputs.items()):
            if name in fed_back:
                start = spec.starts.get(name)
                first = numpy.zeros(shape, dtype) if start is None else rows(numpy, start, dtype, shape, 0)[0]
                self._states.append((index, outputs[fed_back[name]][0], [first, first]))
            else:
                values = rows(numpy, spec.feeds.get(name), dtype, shape, seed)
                self._feeds.append((index, numpy.zeros(shape, dtype), values))
        self._action: Any = None
        self.step = self._stepping(interpreter, outputs[pick_action(spec, list(outputs))][0])
        self.invoke = interpreter.invoke

    def _stepping(self, interpreter: Any, action: int) -> Callable[[], None]:
        """One step, of which ``action`` is the index of the output to keep."""
        set_tensor, get_tensor, invoke = interpreter.set_tensor, interpreter.get_tensor, interpreter.invoke
        fed = [(index, array) for index, array, _ in self._feeds]
        states = self._states

        def step() -> None:
            for index, array in fed:
                set_tensor(index, array)
            for index, _, holder in states:
                set_tensor(index, holder[0])
            invoke()
            self._action = get_tensor(action)
            for _, index, holder in states:
                holder[0] = get_tensor(index)

        return step

    def feed(self, index: int) -> None:
        """See `Model.feed`."""
        for _, array, values in self._feeds:
            array[...] = values[index % len(values)]

    def reset(self) -> None:
        """See `Model.reset`."""
        for _, _, holder in self._states:
            holder[0] = holder[1]

    def action(self) -> tuple[str, bytes]:
        """See `Model.action`."""
        return str(self._action.dtype), self._action.tobytes()


def runtime() -> tuple[Any, str]:
    """The module of the interpreter, and what it is of which version."""
    found = [name for name in PACKAGES if importlib.util.find_spec(name) is not None]
    if not found:
        raise ModelError(f"neither {' nor '.join(PACKAGES.values())} is installed")
    package = PACKAGES[found[0]]
    try:
        module = importlib.import_module(f"{found[0]}.interpreter")
    except ImportError as error:
        raise ModelError(f"{package} does not start here: {error}") from None
    return module, f"{package} {metadata.version(package)}"


def _interpreter(module: Any, spec: Spec, version: str) -> Any:
    try:
        with _quiet():
            interpreter = module.Interpreter(model_content=spec.path.read_bytes(), num_threads=1)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{version} does not accept it ({reason[:200]})") from None
    return interpreter


def _tensors(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs: index, type and shape by the name in the signature, or by the tensor's own."""
    if SIGNATURE in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(SIGNATURE)
        named = [runner.get_input_details(), runner.get_output_details()]
    else:
        named = [
            {detail["name"]: detail for detail in details}
            for details in (interpreter.get_input_details(), interpreter.get_output_details())
        ]
    inputs, outputs = ({name: _described(detail) for name, detail in details.items()} for details in named)
    return inputs, outputs


def _described(detail: dict[str, Any]) -> tuple[int, str, tuple[int, ...]]:
    return int(detail["index"]), detail["dtype"].__name__, tuple(int(extent) for extent in detail["shape"])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """LiteRT says what it does on standard error, from C++; a worker's is for what goes wrong."""
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
