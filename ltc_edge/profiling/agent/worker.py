"""A process of its own for one model: so that it starts cold, and what it takes and breaks is its own."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

from . import frames, timing
from .model import Model, ModelError, Spec
from .realtime import RealtimeRefused, lock_memory, pin, set_fifo

NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"
"""Since 1.29 onnxruntime tells its makers of every model, in a thread that would be timed too."""


def load(document: dict[str, Any], folder: Path) -> tuple[Model, dict[str, Any]]:
    """The model of a request, and when each stage of a cold start was over, by the monotonic clock.

    Raises:
        ModelError: it cannot be loaded.
    """
    entered = time.monotonic_ns()
    spec = Spec.from_json(document, folder)
    model: Model
    try:
        if document["runtime"] == "onnx":
            os.environ.setdefault(NO_TELEMETRY, "1")
            import onnxruntime  # noqa: F401  its import is no part of loading the model

            from .onnx_model import OnnxModel

            imported = time.monotonic_ns()
            model = OnnxModel(spec)
        else:
            from .litert_model import LiteRTModel, runtime

            runtime()
            imported = time.monotonic_ns()
            model = LiteRTModel(spec)
    except ImportError as error:
        raise ModelError(f"the runtime does not start: {error}") from None
    model.feed(0)
    loaded = time.monotonic_ns()
    try:
        model.step()
    except Exception as error:  # the runtimes' errors have no common base but this
        raise ModelError(f"its first step fails ({' '.join(str(error).split())[-200:]})") from None
    times = {"entered_ns": entered, "imported_ns": imported, "loaded_ns": loaded}
    return model, times | {"first_ns": time.monotonic_ns(), "version": model.version}


def answer(model: Model, request: dict[str, Any]) -> frames.Message:
    """What comes of a request; see ``docs/device-agent.md``.

    Raises:
        RealtimeRefused: the system does not allow it.
    """
    do = request["do"]
    if do == "actions":
        return _actions(model, int(request["steps"]))
    if do == "singles":
        step = timing.nothing if request["empty"] else model.step
        block, usage = timing.singles(model.feed, step, int(request["steps"]), int(request["limit_ns"]))
        return usage, block
    if do == "batches":
        model.feed(0)
        return {}, timing.batches(model.step, int(request["count"]), int(request["steps"]))
    if do == "invoke":
        if model.invoke is None:
            return {}, b""
        return {}, timing.batches(model.invoke, int(request["count"]), int(request["steps"]))
    if do == "realtime":
        _become_realtime(request)
        return {}, b""
    if do == "paced":
        block, usage = timing.paced(
            model.feed, model.step, int(request["period_ns"]), int(request["periods"])
        )
        return usage, block
    raise ModelError(f"no such request: {do!r}")


def _actions(model: Model, steps: int) -> frames.Message:
    model.reset()
    blocks, dtype = [], ""
    for index in range(steps):
        model.feed(index)
        model.step()
        dtype, block = model.action()
        blocks.append(block)
    return {"dtype": dtype}, b"".join(blocks)


def _become_realtime(request: dict[str, Any]) -> None:
    if request["cpu"] is not None:
        pin(int(request["cpu"]))
    if request["lock"]:
        lock_memory()
    if request["fifo"]:
        set_fifo(int(request["fifo"]))


def serve(requests: IO[bytes], answers: IO[bytes], model: Model) -> None:
    """Answer requests until there are no more."""
    while True:
        message = frames.read(requests)
        if message is None:
            return
        try:
            frames.write(answers, *answer(model, message[0]))
        except (RealtimeRefused, ModelError) as error:
            frames.write(answers, {"refused": str(error)})
        except (RuntimeError, ValueError, MemoryError) as error:
            frames.write(answers, {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]})


def main() -> None:
    """Load the model that the argument describes, say when, and answer requests."""
    # What a library prints must not come between messages.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    try:
        model, times = load(json.loads(sys.argv[1]), Path.cwd())
    except (ModelError, OSError) as error:
        frames.write(answers, {"refused": str(error)})
        return
    frames.write(answers, times)
    serve(requests, answers, model)
