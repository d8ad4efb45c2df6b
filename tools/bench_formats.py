"""What each export format costs and loses, against `ncps` run the same way. Prints JSON.

    python tools/bench_formats.py                          # untrained LTC and CfC of 19 and 32 neurons
    python tools/bench_formats.py --run RUN [--run RUN …]  # trained controllers as well

Times are medians over interleaved rounds on one thread, and a ratio is the median of the rounds' ratios:
what else the machine does meanwhile then falls on both sides. Needs the extras train, litert and dev.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import io
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ltc_edge import Controller, NcpsOptions, Timing, import_ncps
from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.export.artifacts import Artifact, make_artifact
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.exported import exported_stepper
from ltc_edge.runtimes.onnx_runtime import make_session
from ltc_edge.verification.open_loop import check_free_run
from ltc_edge.verification.tolerances import TOLERANCES
from ltc_edge.verification.trials import free_run

INPUTS, OUTPUTS = 4, 1
ROUNDS, STEPS = 41, 300


def peer(cell: str, units: int) -> torch.nn.Module:
    """An `ncps` module: an AutoNCP LTC, or a CfC with its backbone and one output."""
    import ncps.torch
    from ncps.wirings import AutoNCP

    torch.manual_seed(units)
    if cell == "ltc":
        return ncps.torch.LTC(INPUTS, AutoNCP(units, OUTPUTS))
    return (
        ncps.torch.CfC(INPUTS, AutoNCP(units, OUTPUTS))
        if cell == "cfc-wired"
        else ncps.torch.CfC(INPUTS, units)
    )


def imported(module: torch.nn.Module, name: str) -> Controller:
    """The same network as a controller, as the hub holds it."""
    controller = import_ncps(module.state_dict(), options=NcpsOptions(), period_s=1.0, name=name)
    controller = dataclasses.replace(controller, timing=Timing.of_period(1.0))
    return controller_from_bytes(hub_bytes(controller), name)


def accuracy(controller: Controller) -> dict[str, Any]:
    """Errors and sizes of every format over 10,000 free steps."""
    plan = make_plan(controller, (from_excitation(controller),))
    run = free_run(controller)
    results: dict[str, Any] = {}
    for name, form in FORMATS.items():
        made = make_artifact(form, controller, plan)
        if not isinstance(made, Artifact):
            results[name] = {"refused": made.reason, "detail": made.detail}
            continue
        stepper = exported_stepper(made, controller)
        found = check_free_run(controller, stepper, run, TOLERANCES[name])
        assert found.rms_over_sigma is not None
        results[name] = {
            "bytes": made.bytes,
            "max_abs_error": found.max_abs_error,
            "rms_over_sigma_percent": 100 * found.rms_over_sigma,
        }
    return results


def interleaved(contenders: dict[str, Callable[[], Any]], against: str) -> dict[str, Any]:
    """Median microseconds a call of each, and how many times faster than ``against`` the others are."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            call()
            start = time.perf_counter()
            for _ in range(STEPS):
                call()
            taken[name].append((time.perf_counter() - start) / STEPS * 1e6)
    return {
        "median_us": {name: statistics.median(times) for name, times in taken.items()},
        "times_faster": {
            name: statistics.median(a / b for a, b in zip(taken[against], times, strict=True))
            for name, times in taken.items()
            if name != against
        },
    }


class _OneStep(torch.nn.Module):
    def __init__(self, cell: torch.nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, observation: torch.Tensor, dt: torch.Tensor, state: torch.Tensor) -> Any:
        return self.cell(observation, state, dt)


def exported_peer(module: Any) -> bytes:
    """One step of the peer through `torch.onnx.export`."""
    buffer = io.BytesIO()
    inputs = torch.zeros(1, INPUTS), torch.ones(1, 1), torch.zeros(1, module.state_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _OneStep(module.rnn_cell).eval(),
            inputs,
            buffer,
            input_names=["observation", "dt", "state_in"],
            output_names=["action", "state_out"],
            dynamo=False,
            opset_version=17,
        )
    return buffer.getvalue()


def bound(content: bytes) -> Callable[[], Any]:
    """A step of an ONNX file with every input and output bound once."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # a thread of its own, which would be timed too
    import onnxruntime

    session = make_session(content)
    binding = session.io_binding()
    kinds = {"tensor(float)": np.float32, "tensor(int16)": np.int16}
    for tensors, bind in (
        (session.get_inputs(), binding.bind_ortvalue_input),
        (session.get_outputs(), binding.bind_ortvalue_output),
    ):
        for tensor in tensors:
            values = np.full(tensor.shape, 0.5).astype(kinds[tensor.type])
            bind(tensor.name, onnxruntime.OrtValue.ortvalue_from_numpy(values))
    return lambda: session.run_with_iobinding(binding)


def litert_step(content: bytes) -> Callable[[], Any]:
    """Set, invoke and get of a LiteRT file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    given = [(d["index"], np.zeros(d["shape"], d["dtype"])) for d in interpreter.get_input_details()]
    asked = [d["index"] for d in interpreter.get_output_details()]

    def step() -> None:
        for index, values in given:
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        for index in asked:
            interpreter.get_tensor(index)

    return step


def latency(module: Any, controller: Controller) -> dict[str, Any]:
    """Times of one step: ONNX Runtime against the exported peer, LiteRT against the peer in torch."""
    plan = make_plan(controller, (from_excitation(controller),))
    files = {}
    for name, form in FORMATS.items():
        made = make_artifact(form, controller, plan)
        if isinstance(made, Artifact) and form.runtime != "c":
            files[name] = made.content
    onnx_steps = {"ncps exported": bound(exported_peer(module))}
    onnx_steps |= {name: bound(content) for name, content in files.items() if name.startswith("onnx")}
    inputs = torch.zeros(1, 1, INPUTS), torch.zeros(1, module.state_size), torch.ones(1, 1)
    cell_inputs = torch.zeros(1, INPUTS), torch.zeros(1, module.state_size), torch.ones(1, 1)
    with torch.no_grad():
        litert_steps: dict[str, Callable[[], Any]] = {
            "ncps in torch": lambda: module(*inputs),
            "its cell alone": lambda: module.rnn_cell(*cell_inputs),
        }
        litert_steps |= {
            name: litert_step(content) for name, content in files.items() if name.startswith("tflite")
        }
        return {
            "onnxruntime, bound": interleaved(onnx_steps, "ncps exported"),
            "litert, set + invoke + get": interleaved(litert_steps, "ncps in torch"),
        }


def export_of(run: Path) -> dict[str, Any]:
    """A whole `ltc-edge export --format all` of a run, verification included."""
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        result = export_bundle(read_subject(run), Path(scratch) / "bundle", ExportOptions())
        seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "formats": {name: report.summary() for name, report in result.reports.items()},
    }


def megabytes(root: str, without: set[str] = frozenset()) -> float:
    """Installed size of a distribution and all it needs, in MB."""
    from packaging.requirements import Requirement

    seen: dict[str, int] = {}
    waiting = [Requirement(root)]
    while waiting:
        wanted = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if name in seen or name in without:
            continue
        distribution = importlib.metadata.distribution(wanted.name)
        files = distribution.files or []
        seen[name] = sum(p.stat().st_size for f in files if (p := Path(str(f.locate()))).is_file())
        for line in distribution.requires or []:
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in ("", *wanted.extras)):
                waiting.append(need)
    return sum(seen.values()) / 1e6


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", type=Path, action="append", default=[], help="trained run folder; repeatable"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    document: dict[str, Any] = {
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("torch", "onnx", "onnxruntime", "ai-edge-litert", "numpy", "ncps")
        },
        "environment_mb_without_torch": megabytes("ltc-edge[litert]", {"torch"}),
        "controllers": {},
        "runs": {},
    }
    for cell, units in (("ltc", 19), ("ltc", 32), ("cfc", 19), ("cfc", 32)):
        name = f"{cell}-{units}"
        print(name, file=sys.stderr)
        module = peer(cell, units).eval()
        controller = imported(module, name)
        document["controllers"][name] = {
            "accuracy": accuracy(controller),
            "latency": latency(module, controller),
        }
    for run in arguments.run:
        print(run, file=sys.stderr)
        document["runs"][run.name] = export_of(run)
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
