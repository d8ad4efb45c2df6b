"""Our latencies against programs that are not ours, on the same file, in turns.

Each round times ours, as a profile does, and theirs, one after the other, the other way round every second
time; a ratio is the median of the rounds' ratios, and above 1 where ours is longer. Theirs are

- ``c``: a loop in C, on the shared library inside the runtime's wheel. The Python module of ONNX Runtime has
  a copy of its own, which is not the same machine code. LiteRT's library has only the interface
  CompiledModel, which locks and registers every buffer in each run, where an Interpreter does not;
- ``timeit``: the standard library's, around the runtime's own call in Python;
- ``litert-benchmark``, which times something else in LiteRT; see `litert_own`.

``step`` is what a program in Python has of a step, ``invoke`` the runtime's own call in it, both in batches;
``p50`` is of single steps with a clock around each.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ltc_edge.profiling.jobs import ModelJob
from profile_bench import litert_own
from profile_bench.in_turns import Round, in_turns
from profile_bench.subject import Bundle, last_cpu, spread
from profile_bench.turns import Turns, compiled

FORMATS = ("onnx", "onnx-int8", "onnx-int16", "tflite", "tflite-int16x8")
TYPES = {"tensor(float)": 1, "tensor(int8)": 3, "tensor(int16)": 5}
"""Their numbers in ONNX."""
Words = list[str | Path]


def measure(bundle: Bundle, rounds: int) -> dict[str, Any]:
    """Ours and theirs for each format that has independent programs."""
    names = [name for name in FORMATS if name in bundle.subject.artifacts]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        programs = {"onnx": compiled("ort_loop", folder), "litert": compiled("litert_loop", folder)}
        theirs: dict[str, dict[str, Turns]] = {}
        for name in names:
            job = bundle.job(name)
            assert isinstance(job, ModelJob)
            in_c = _onnx_words if job.runtime == "onnx" else _litert_words
            place = _written(job, folder / name)
            commands = {"c": [programs[job.runtime], *in_c(job, place)], "timeit": _python_words(job, place)}
            theirs[name] = {
                what: stack.enter_context(Turns(command, last_cpu())) for what, command in commands.items()
            }
        found = in_turns([bundle.job(name) for name in names], bundle.inputs, theirs, rounds)
        report = {name: _compared(rounds_of) for name, rounds_of in found.items()}
        # The other LiteRT file has int16 inputs, which its own benchmark takes for float32.
        report["tflite"]["litert-benchmark"] = litert_own.measure(folder / "tflite" / "model.tflite", rounds)
    return report


def _compared(rounds: list[Round]) -> dict[str, Any]:
    ours = {
        "step": [figures["step_us"] for figures, _ in rounds],
        "invoke": [figures["invoke_us"] for figures, _ in rounds],
        "p50": [figures["latency_us"]["p50"] for figures, _ in rounds],
    }
    found: dict[str, Any] = {"ours_us": {what: spread(taken) for what, taken in ours.items()}}
    for what in rounds[0][1]:
        batch, single = zip(*(theirs[what] for _, theirs in rounds), strict=True)
        pairs = {"step": batch, "invoke": batch, "p50": single}
        found[what] = {"batch_us": spread(batch), "p50_us": spread(single)} | {
            f"{key}_ratio": spread([a / b for a, b in zip(ours[key], other, strict=True)])
            for key, other in pairs.items()
        }
    return found


def _written(job: ModelJob, folder: Path) -> Path:
    folder.mkdir()
    for name, content in job.files.items():
        (folder / name).write_bytes(content)
    return folder


def _given(job: ModelJob, folder: Path) -> dict[str, Path]:
    """The file of each input."""
    files = {**job.document["feeds"], **job.document["starts"]}
    return {name: folder / file for name, file in files.items()}


def _onnx_words(job: ModelJob, folder: Path) -> Words:
    """The arguments of ``ort_loop``: the library inside the installed wheel, and what every tensor is."""
    import onnxruntime

    library = max(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"))
    model, given = folder / job.document["model"], _given(job, folder)
    session = onnxruntime.InferenceSession(str(model))
    states = dict(job.document["states"])
    words: Words = [library, model, "0"]
    for tensor in session.get_inputs():
        target = [states[tensor.name]] if tensor.name in states else []
        known = [str(TYPES[tensor.type]), str(tensor.shape[-1])]
        words += ["state" if target else "in", tensor.name, *target, *known, given[tensor.name]]
    for tensor in session.get_outputs():
        if tensor.name not in states.values():
            words += ["out", tensor.name, str(TYPES[tensor.type]), str(tensor.shape[-1])]
    return words


def _litert_words(job: ModelJob, folder: Path) -> Words:
    """The arguments of ``litert_loop``."""
    import ai_edge_litert

    given = _given(job, folder)
    library = Path(ai_edge_litert.__file__).parent / "libLiteRt.so"
    words: Words = [library, folder / job.document["model"], str(len(given)), "2"]
    return words + [word for name, file in given.items() for word in (name, file)]


def _python_words(job: ModelJob, folder: Path) -> Words:
    """The command of ``python_loop.py``."""
    states = [name for pair in job.document["states"] for name in pair] if job.runtime == "onnx" else []
    files = [f"{name}={file}" for name, file in _given(job, folder).items()]
    script = Path(__file__).parent / "python_loop.py"
    return [sys.executable, script, job.runtime, folder / job.document["model"], *states, *files]
