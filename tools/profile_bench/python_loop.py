"""The same file in the same runtime, timed by the standard library's `timeit`: none of our code is here.

    python python_loop.py onnx MODEL STATE_IN STATE_OUT NAME=FILE…
    python python_loop.py litert MODEL NAME=FILE…

Answers the requests of ``c/turns.h``, for an even number of steps. What is timed is the runtime's own call:
for ONNX Runtime with two bindings in turn, and below its classes in Python; for LiteRT, an invoke.
"""

from __future__ import annotations

import statistics
import sys
import time
import timeit
from typing import Any

import numpy as np


def first_row(path: str, shape: Any, dtype: Any) -> Any:
    """The first values of a file, in a tensor's shape."""
    return np.fromfile(path, dtype, int(np.prod(shape))).reshape(shape)


def onnx_step(model: str, source: str, target: str, files: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Two steps as a statement, and the names in it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_reuse, options.log_severity_level = False, 4
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": np.float32, "tensor(int16)": np.int16, "tensor(int8)": np.int8}
    bindings = [session.io_binding(), session.io_binding()]

    def value(tensor: Any, content: Any = None) -> Any:
        array = np.zeros(tensor.shape, kinds[tensor.type]) if content is None else content
        return ort.OrtValue.ortvalue_from_numpy(array)

    for tensor in session.get_inputs():
        given = value(tensor, first_row(files[tensor.name], tensor.shape, kinds[tensor.type]))
        if tensor.name != source:
            for binding in bindings:
                binding.bind_ortvalue_input(tensor.name, given)
            continue
        other = value(tensor)
        for binding, (here, there) in zip(bindings, ((given, other), (other, given)), strict=True):
            binding.bind_ortvalue_input(source, here)
            binding.bind_ortvalue_output(target, there)
    for tensor in session.get_outputs():
        if tensor.name != target:
            given = value(tensor)
            for binding in bindings:
                binding.bind_ortvalue_output(tensor.name, given)
    names = {"run": session._sess.run_with_iobinding, "options": ort.RunOptions(), "kept": bindings}
    names |= {"first": bindings[0]._iobinding, "second": bindings[1]._iobinding}
    return "run(first, options); run(second, options)", names


def litert_step(model: str, files: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Two invokes as a statement, and the names in it."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    for name, detail in interpreter.get_signature_runner().get_input_details().items():
        interpreter.set_tensor(detail["index"], first_row(files[name], detail["shape"], detail["dtype"]))
    return "invoke(); invoke()", {"invoke": interpreter.invoke}


def singles(statement: str, names: dict[str, Any], count: int) -> int:
    """Nanoseconds of half a statement between two readings of the clock: the median."""
    code, taken = compile(statement, "statement", "exec"), []
    for _ in range(count // 2):
        start = time.perf_counter_ns()
        exec(code, names)
        taken.append(time.perf_counter_ns() - start)
    return round(statistics.median(taken) / 2)


def main() -> None:
    """Answer requests."""
    runtime, model, *words = sys.argv[1:]
    states = [word for word in words if "=" not in word]
    files = dict(word.split("=", 1) for word in words if "=" in word)
    if runtime == "onnx":
        statement, names = onnx_step(model, *states, files)
    else:
        statement, names = litert_step(model, files)
    timer = timeit.Timer(statement, globals=names)
    print("ready", flush=True)
    for line in sys.stdin:
        what, count = line.split()
        if what == "batch":
            print(
                round(timer.timeit(int(count) // 2) * 1e9) * int(count) // (int(count) // 2 * 2), flush=True
            )
        else:
            print(singles(statement, names, int(count)), singles("", names, int(count)), flush=True)


if __name__ == "__main__":
    main()
