"""The example loop as a process of its own, in a closed loop with a plant here."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import (
    ActionSignal,
    Controller,
    ObservationSignal,
    ReferenceStepper,
    Scaling,
    Timing,
    save_controller,
    wiring,
)
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.cells import LTCSpec

LOOP = Path(__file__).parents[2] / "firmware_examples" / "linux_loop" / "loop.py"


@pytest.fixture
def controller(tmp_path):
    rng = np.random.default_rng(0)
    spec = LTCSpec(wiring.auto_ncp(2, 8, 1), unfolds=2)
    controller = Controller(
        name="valve",
        purpose="control",
        observations=(ObservationSignal("level", "m"), ObservationSignal("reference", "m")),
        normalizer=Scaling.identity(2),
        cell=spec,
        parameters={
            name: rng.uniform(0.1, 1.0, size=shape) for name, shape in spec.parameter_shapes().items()
        },
        actions=(ActionSignal("valve", "", low=-1.0, high=1.0),),
        denormalizer=Scaling.identity(1),
        timing=Timing(0.005, 0.002, 1.0, 0.005),
        initial_state=np.zeros(8),
        fallback=np.array([-0.25]),
    )
    save_controller(controller, tmp_path / "controller.safetensors")
    subject = read_subject(tmp_path / "controller.safetensors")
    export_bundle(
        subject,
        tmp_path / "bundle",
        ExportOptions(formats=("onnx-int8",), tolerate_refusals=False, verify=False),
    )
    return controller, tmp_path / "bundle"


@pytest.mark.parametrize(("form", "tolerance"), [("onnx", 1e-5), ("onnx-int8", 1e-3)])
def test_closed_loop_with_bad_readings(controller, form, tolerance):
    expected, path = controller
    process = subprocess.Popen(
        [sys.executable, LOOP, path, form],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    level, actions = 0.0, []
    for step in range(60):
        reading = [level, 0.5] if step != 30 else [float("nan"), 0.5]
        process.stdin.write(json.dumps(reading) + "\n")
        process.stdin.flush()
        (action,) = json.loads(process.stdout.readline())
        actions.append(action)
        level += 0.05 * action
    _, errors = process.communicate(timeout=30)
    report = json.loads(errors.strip().splitlines()[-1])
    assert process.returncode == 0
    assert report["steps"] == 60
    # Where this machine is busy a reading may come late, which the loop also answers with the fallback.
    assert 1 <= report["fallbacks"] <= 60
    assert actions[30] == -0.25
    assert "nan" in errors
    first = ReferenceStepper(expected).step(np.array([0.0, 0.5]), expected.timing.period_s)[0]
    assert actions[0] in (pytest.approx(first, abs=tolerance), -0.25)
    assert all(-1.0 <= action <= 1.0 for action in actions)


def test_a_line_that_is_no_reading_gets_the_fallback(controller):
    _, path = controller
    process = subprocess.run(
        [sys.executable, LOOP, path], input="hello\n", capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(process.stdout) == [-0.25]
    assert json.loads(process.stderr.splitlines()[-1])["fallbacks"] == 1
