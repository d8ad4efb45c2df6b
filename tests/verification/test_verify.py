"""A verification that can fail: each kind of wrong file is caught by the check that looks for it."""

import dataclasses
import json

import numpy as np
import pytest

from ltc_edge.bundle.pipeline import ExportOptions, verify_artifact
from ltc_edge.errors import ControllerFileError
from ltc_edge.export.artifacts import Artifact, make_artifact
from ltc_edge.export.calibration import excitation
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.reference import ReferenceStepper
from ltc_edge.tasks import load_task
from ltc_edge.verification.closed_loop import ClosedLoopTrial
from ltc_edge.verification.divergence import diverging_tensor
from ltc_edge.verification.report import FormatReport, report_bytes
from ltc_edge.verification.tolerances import TOLERANCES
from ltc_edge.verification.trials import cases, free_run
from ltc_edge.verification.verify import Trials, verify

FLOAT = TOLERANCES["onnx"]


@pytest.fixture(scope="module")
def built(tiny_controller):
    return controller_from_bytes(hub_bytes(tiny_controller()), "hub")


@pytest.fixture(scope="module")
def task(tiny_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_folder)
        yield load_task("tiny_task:Lag")


@pytest.fixture(scope="module")
def trials(built, task):
    run = free_run(built, steps=600)
    return Trials(built, run, cases(built, run), ClosedLoopTrial(task, built, episodes=20), None)


@pytest.fixture(scope="module")
def plan(built):
    return make_plan(built, (excitation(built, sequences=4, steps=60, seed=1),))


class Wrong(ReferenceStepper):
    """The reference, but for what a test breaks."""

    def __init__(self, controller, *, dt=1.0, forgets=False, nan_after=None, rests=False, action=1.0):
        super().__init__(controller)
        self._dt_factor, self._forgets, self._rests, self._gain = dt, forgets, rests, action
        self._nan_after, self._count = nan_after, 0

    def step(self, observation, dt):
        if self._forgets:
            self.reset()
        before = self.state
        action = super().step(observation, dt * self._dt_factor) * self._gain
        if self._rests:
            self.restore(before)
        self._count += 1
        return np.full_like(action, np.nan) if self._nan_after in range(self._count) else action


def test_the_reference_passes_its_own_trials(built, trials):
    verdict = verify(ReferenceStepper(built), trials, FLOAT)
    assert verdict.failures == ()
    assert verdict.single_steps.max_abs_error == 0.0
    assert verdict.free_run.rms_over_sigma == 0.0
    assert verdict.task.return_lost_percent == 0.0


def kinds(verdict):
    return {failure.split(":")[0] for failure in verdict.failures}


def test_wrong_weights_fail_at_the_first_step(built, trials):
    weights = dict(built.parameters)
    weights["readout_weight"] = weights["readout_weight"] * np.float32(1.01)
    verdict = verify(ReferenceStepper(dataclasses.replace(built, parameters=weights)), trials, FLOAT)
    assert kinds(verdict) == {"single steps", "free run"}
    assert verdict.single_steps.beyond.action == "drive"
    assert verdict.free_run.rms_over_sigma > FLOAT.rms_over_sigma


class Asked(Exception):
    """What stops a free run before it starts."""


def test_free_runs_are_long(built, monkeypatch):
    def asked(*_, steps, **__):
        raise Asked(steps)

    monkeypatch.setattr("ltc_edge.verification.trials.excitation", asked)
    with pytest.raises(Asked, match="10000"):
        Trials.of(built, None, None)


@pytest.mark.parametrize("how", ["forgets", "rests"])
def test_a_lost_state_shows_in_the_free_run(built, trials, how):
    verdict = verify(Wrong(built, **{how: True}), trials, TOLERANCES["onnx-int16"])
    assert "free run" in kinds(verdict)
    if how == "rests":  # each single step is right: only runs show it
        assert "single steps" not in kinds(verdict)
        assert verdict.single_steps.max_abs_error == 0.0


def test_a_slightly_wrong_dt_is_found(built, trials):
    verdict = verify(Wrong(built, dt=1.01), trials, FLOAT)
    assert {"single steps", "free run"} <= kinds(verdict)


def test_a_single_wrong_step_late_in_the_run_is_named(built, trials):
    class Late(Wrong):
        def step(self, observation, dt):
            action = super().step(observation, dt)
            return action + (0.1 if self._count == len(trials.cases.dt_s) + 500 else 0.0)

    verdict = verify(Late(built), trials, FLOAT, diverging=lambda step: f"asked about {step}")
    assert verdict.free_run.beyond.step == 499
    assert "asked about 499" in verdict.failures[-1]


@pytest.mark.parametrize("after", [0, 30, 200, 700])
def test_a_nan_is_a_failure_and_a_report(built, trials, after):
    verdict = verify(Wrong(built, nan_after=after), trials, dataclasses.replace(FLOAT, atol=1e9, rtol=1e9))
    assert verdict.failures
    report = FormatReport.verified(1, verdict)
    assert report.status == "failed"
    json.dumps(report.summary(), allow_nan=False)
    document = json.loads(report_bytes({"onnx": report}, None))
    assert document["formats"]["onnx"]["failures"]


def test_an_infinite_action_is_a_failure(built, trials):
    with np.errstate(all="ignore"):
        verdict = verify(Wrong(built, action=np.inf), trials, FLOAT)
    assert {"single steps", "free run"} <= kinds(verdict)
    json.loads(report_bytes({"onnx": FormatReport.verified(1, verdict)}, None))


def test_a_file_that_ruins_the_task_is_found_there(built, trials):
    loose = dataclasses.replace(FLOAT, atol=1e9, over_sigma=1e9, rms_over_sigma=1e9)

    class Full(Wrong):
        def step(self, observation, dt):
            return np.ones_like(super().step(observation, dt))

    verdict = verify(Full(built), trials, loose)
    assert kinds(verdict) == {"closed loop"}
    assert verdict.task.return_lost_percent > FLOAT.return_lost_percent
    assert verdict.task.lost_ci95[0] > 0


def test_the_task_is_left_out_where_there_is_none(built, trials):
    without = dataclasses.replace(trials, task=None, task_note="no simulator")
    assert verify(ReferenceStepper(built), without, FLOAT).task is None


def artifact_of(name, controller, plan):
    artifact = make_artifact(FORMATS[name], controller, plan)
    assert isinstance(artifact, Artifact)
    return artifact


NAMES = ["onnx", "onnx-int8", "onnx-int16", "tflite", "tflite-int16x8", "c-float32", "c-int16"]


@pytest.mark.parametrize("name", NAMES)
def test_every_format_passes_and_none_of_its_tensors_differs(built, trials, plan, name):
    if FORMATS[name].runtime == "litert":
        pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")
    artifact = artifact_of(name, built, plan)
    report = verify_artifact(artifact, built, plan, trials, ExportOptions(), lambda *_: None)
    assert report.failures == ()
    assert "no tensor" in diverging_tensor(artifact, built, plan, trials.run, 5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weight", ["readout_weight", "sensory_w"])
def test_the_first_tensor_of_another_controllers_file_is_named(built, trials, plan, name, weight):
    if FORMATS[name].runtime == "litert":
        pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")
    weights = dict(built.parameters)
    weights[weight] = weights[weight] * np.float32(0.5)
    other = dataclasses.replace(built, parameters=weights)
    its_plan = make_plan(other, (excitation(built, sequences=4, steps=60, seed=1),))
    artifact = artifact_of(name, other, its_plan)
    report = verify_artifact(artifact, built, plan, trials, ExportOptions(), lambda *_: None)
    assert {"single steps", "free run"} <= kinds(report.verdict)
    stage = "readout" if weight == "readout_weight" else "ltc"
    culprit = report.failures[-2] if "closed loop" in report.failures[-1] else report.failures[-1]
    if FORMATS[name].runtime == "c":  # sources hold no tensors: their reference is made from the controller
        assert "not of this controller" in culprit
    elif name != "onnx":  # a hub is compared with its own graph's meaning
        assert stage in culprit.split("first tensor to differ is")[-1]


@pytest.mark.parametrize("name", ["onnx-int8", "onnx-int16"])
def test_a_corrupted_constant_is_named(built, trials, plan, name):
    """One weight matrix of the file is other than what it was made from."""
    import onnx
    from onnx import numpy_helper

    artifact = artifact_of(name, built, plan)
    model = onnx.ModelProto.FromString(artifact.content)
    matrices = [
        t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 2
    ]
    largest = max(matrices, key=lambda tensor: np.prod(tensor.dims))
    values = numpy_helper.to_array(largest).copy()
    largest.CopyFrom(numpy_helper.from_array(-values, largest.name))
    broken = dataclasses.replace(artifact, files={artifact.form.file: model.SerializeToString()})
    report = verify_artifact(broken, built, plan, trials, ExportOptions(), lambda *_: None)
    assert any("first tensor to differ is" in failure for failure in report.failures)


@pytest.mark.parametrize("name", ["c-float32", "c-int16"])
def test_a_corrupted_number_in_c_fails(built, trials, plan, name):
    """A controller in C checks itself: one that lost a bit does not come to be verified."""
    artifact = artifact_of(name, built, plan)
    (path,) = (path for path in artifact.files if path.endswith(f"{artifact.c_name}.c"))
    text = artifact.files[path].decode()
    number = text.index("{ ", text.index("} parameters = {")) + 2
    broken = f"{text[:number]}1{text[number:]}"
    other = dataclasses.replace(artifact, files={**artifact.files, path: broken.encode()})
    with pytest.raises(ControllerFileError, match="golden bits"):
        verify_artifact(other, built, plan, trials, ExportOptions(), lambda *_: None)
