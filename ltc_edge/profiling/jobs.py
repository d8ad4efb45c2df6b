"""What is sent to a device for each format, and what it is told to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np

from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.c import CSources
from ltc_edge.profiling.agent import bootstrap
from ltc_edge.profiling.inputs import Array, Inputs
from ltc_edge.runtimes.codes import Codes, Interface

Runtime = Literal["onnx", "litert"]

PACKAGES: Mapping[Runtime, tuple[str, ...]] = {
    "onnx": ("onnxruntime",),
    "litert": ("ai-edge-litert", "tflite-runtime"),
}
"""What runs a format's files, the first that is there."""


@dataclass(frozen=True, eq=False)
class ModelJob:
    """A model for a runtime in Python.

    Attributes:
        name: of the format.
        runtime: that it needs.
        files: to send, by their names in the job's folder.
        document: what a worker loads; see `ltc_edge.profiling.agent.model.Spec`.
        action: codes of its action; None where these are not known.
        size: bytes of the model.
    """

    name: str
    runtime: Runtime
    files: Mapping[str, bytes]
    document: Mapping[str, Any]
    action: Codes | None
    size: int

    def decode(self, block: bytes, dtype: str) -> Array | None:
        """Actions ``(T, M)`` in the actuators' units; None where the codes are not known."""
        if self.action is None:
            return None
        codes = np.frombuffer(block, np.dtype(dtype).newbyteorder("<")).reshape(-1, self.action.channels)
        return np.stack([self.action.decode(row) for row in codes])


@dataclass(frozen=True, eq=False)
class CJob:
    """A generated controller.

    Attributes:
        name: of the format.
        sources: its files.
        harness: what times it, by file name.
        feed: rows of observations and dt, in float32.
        actions: how many there are.
        size: bytes of the format's files.
    """

    name: str
    sources: CSources
    harness: Mapping[str, bytes]
    feed: bytes
    actions: int
    size: int

    def decode(self, block: bytes, _: str) -> Array:
        """Actions ``(T, M)`` in the actuators' units."""
        return np.frombuffer(block, "<f4").reshape(-1, self.actions).astype(np.float64)


Job = ModelJob | CJob

BEFORE = ".before"
"""Ends the name of a format of the bundle that a profile is compared with."""


def job_of(artifact: Artifact, inputs: Inputs) -> Job:
    """What is sent for an exported format."""
    name = artifact.form.name
    size = artifact.bytes
    if artifact.form.runtime == "c":
        return _c_job(name, artifact.c_sources(), inputs, size)
    runtime: Runtime = "onnx" if artifact.form.runtime == "onnx" else "litert"
    return _model_job(name, runtime, artifact.content, artifact.interface, inputs)


def foreign_job(name: str, content: bytes, states: tuple[tuple[str, str], ...]) -> ModelJob:
    """What is sent for a model of somebody else's; what no state feeds is drawn at random.

    Args:
        name: of its file, which says by its end what it is.
        content: the file.
        states: pairs of an input and the output that goes back into it.
    """
    runtime: Runtime = "litert" if name.endswith(".tflite") else "onnx"
    document = {"runtime": runtime, "model": name, "feeds": {}, "starts": {}, "states": states}
    return ModelJob(name, runtime, {name: content}, document, None, len(content))


def _model_job(name: str, runtime: Runtime, content: bytes, codes: Interface, inputs: Inputs) -> ModelJob:
    model = f"model.{'tflite' if runtime == 'litert' else 'onnx'}"
    files = {
        model: content,
        "observation.bin": _rows(codes.observation, inputs.observation),
        "dt.bin": _rows(codes.dt, inputs.dt_s[:, None]),
        "state.bin": _rows(codes.state, codes.reset_state[None, :]),
    }
    document = {
        "runtime": runtime,
        "model": model,
        "feeds": {"observation": "observation.bin", "dt": "dt.bin"},
        "starts": {"state_in": "state.bin"},
        "states": [["state_in", "state_out"]],
        "action": "action",
    }
    return ModelJob(name, runtime, files, document, codes.action, len(content))


def _rows(codes: Codes, values: Array) -> bytes:
    rows = np.stack([codes.encode(row) for row in values])
    return rows.astype(rows.dtype.newbyteorder("<")).tobytes()


def _c_job(name: str, sources: CSources, inputs: Inputs, size: int) -> CJob:
    rows = np.column_stack([inputs.observation, inputs.dt_s]).astype("<f4")
    return CJob(name, sources, c_harness(sources.name), rows.tobytes(), inputs.expected.shape[1], size)


def c_harness(name: str) -> dict[str, bytes]:
    """The program that times a controller of this name, and what it calls of it, by file name."""
    harness = resources.files(bootstrap.__package__).joinpath("harness.c").read_bytes()
    return {"harness.c": harness, "harness_controller.h": _glue(name)}


def _glue(name: str) -> bytes:
    upper = name.upper()
    return f"""#include "{name}.h"
#define HARNESS_OBSERVATIONS {upper}_OBSERVATIONS
#define HARNESS_ACTIONS {upper}_ACTIONS
#define harness_context {name}_context
#define harness_reset {name}_reset
#define harness_step {name}_step
""".encode()
