"""From a controller to its bundle: what is refused, what fails, and what is left then."""

import json

import numpy as np
import pytest

from ltc_edge import InputError, Timing
from ltc_edge.bundle import pipeline
from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.bundle.folder import read_bundle_files
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.recheck import verify_bundle
from ltc_edge.bundle.subject import read_subject, with_dt_range, with_task
from ltc_edge.controller_file import save_controller
from ltc_edge.errors import (
    ControllerFileError,
    FormatRefusedError,
    MissingExtraError,
    OutputError,
    VerificationFailedError,
)
from ltc_edge.verification.trials import free_run


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    monkeypatch.setattr(
        "ltc_edge.verification.verify.free_run", lambda built, about=None: free_run(built, about, steps=200)
    )


@pytest.fixture(scope="module")
def subject(tiny_controller, tmp_path_factory):
    path = tmp_path_factory.mktemp("subject") / "tiny.safetensors"
    save_controller(tiny_controller(), path)
    return read_subject(path)


INTEGER = ExportOptions(formats=("onnx-int16",))


def test_the_hub_is_always_made(subject, tmp_path):
    result = export_bundle(subject, tmp_path / "b", INTEGER)
    assert list(result.reports) == ["onnx", "onnx-int16"]
    assert {report.status for report in result.reports.values()} == {"ok"}


def refusing(error, name):
    """`exported_stepper` on a machine whose runtime does not take one format."""
    original = pipeline.exported_stepper

    def stepper(artifact, *arguments):
        if artifact.form.name == name:
            raise error
        return original(artifact, *arguments)

    return stepper


@pytest.mark.parametrize(
    ("error", "reason", "asked"),
    [
        (MissingExtraError("no runtime"), "needs-extra", MissingExtraError),
        (ControllerFileError("opset 21"), "runtime", FormatRefusedError),
    ],
)
def test_what_the_runtime_here_does_not_take_is_refused(subject, tmp_path, monkeypatch, error, reason, asked):
    monkeypatch.setattr(pipeline, "exported_stepper", refusing(error, "onnx-int16"))
    result = export_bundle(subject, tmp_path / "b", INTEGER)
    assert (result.reports["onnx-int16"].status, result.reports["onnx-int16"].reason) == ("refused", reason)
    assert "controller-int16.onnx" not in read_bundle_files(tmp_path / "b").contents
    with pytest.raises(asked):
        export_bundle(subject, tmp_path / "c", ExportOptions(("onnx-int16",), tolerate_refusals=False))
    assert not (tmp_path / "c").exists()


class Broken:
    """A stepper that gives no number from its third step on."""

    def __init__(self, stepper):
        self._stepper, self._count = stepper, 0

    def __getattr__(self, name):
        return getattr(self._stepper, name)

    def step(self, observation, dt):
        self._count += 1
        action = self._stepper.step(observation, dt)
        return action if self._count < 3 else np.full_like(action, np.nan)


@pytest.fixture
def broken(monkeypatch):
    original = pipeline.exported_stepper
    monkeypatch.setattr(pipeline, "exported_stepper", lambda *arguments: Broken(original(*arguments)))


@pytest.mark.usefixtures("broken")
def test_a_file_that_gives_no_numbers_fails_with_a_report(subject, tmp_path):
    with pytest.raises(VerificationFailedError) as caught:
        export_bundle(subject, tmp_path / "b", INTEGER)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "b").exists()
    report = json.loads((tmp_path / "b.failed.json").read_text(encoding="utf-8"))
    assert report["formats"]["onnx"]["free_run"]["max_abs_error"] is None
    assert report["formats"]["onnx"]["failures"]


@pytest.mark.usefixtures("broken")
def test_a_failure_stays_a_failure_where_its_report_cannot_be_written(subject, tmp_path, monkeypatch):
    def full(*_):
        raise OutputError("no space left")

    monkeypatch.setattr(pipeline, "write_atomically", full)
    with pytest.raises(VerificationFailedError, match="no space left"):
        export_bundle(subject, tmp_path / "b", INTEGER)


def test_only_what_may_be_refused_is(subject, tmp_path, monkeypatch):
    """`tflite-int8` is left out where it is not good enough; any other format that fails stops the export."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")
    original = pipeline.exported_stepper

    def stepper(artifact, *arguments):
        made = original(artifact, *arguments)
        return Broken(made) if artifact.form.name == "tflite-int8" else made

    monkeypatch.setattr(pipeline, "exported_stepper", stepper)
    result = export_bundle(subject, tmp_path / "b", ExportOptions(("tflite-int8",)))
    assert (result.reports["tflite-int8"].status, result.reports["tflite-int8"].reason) == (
        "refused",
        "accuracy",
    )
    assert "controller-int8.tflite" not in read_bundle_files(tmp_path / "b").contents
    with pytest.raises(VerificationFailedError):
        export_bundle(subject, tmp_path / "c", ExportOptions(("tflite-int8",), tolerate_refusals=False))


def test_a_place_that_is_taken_is_refused_before_the_work(subject, tmp_path, monkeypatch):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_text("x")
    monkeypatch.setattr(pipeline, "plan_formats", lambda *_, **__: pytest.fail("the work was begun"))
    for force in (False, True):
        with pytest.raises(OutputError):
            export_bundle(subject, tmp_path / "b", ExportOptions(force=force))


def test_a_recording_says_how_the_inputs_of_the_trials_move(subject, tmp_path):
    rng = np.random.default_rng(0)
    rows = 5.0 + 0.5 * rng.normal(size=(200, 2))
    text = "target,level\n" + "\n".join(f"{a},{b}" for a, b in rows)
    (tmp_path / "log.csv").write_text(text)
    export_bundle(subject, tmp_path / "b", ExportOptions(("onnx",), calibration=tmp_path / "log.csv"))
    bundle = load_bundle(tmp_path / "b")
    usual = bundle.files.manifest["usual_values"]
    np.testing.assert_allclose(usual["center"], rows.mean(axis=0))
    np.testing.assert_allclose(usual["span"], rows.std(axis=0))
    reports, _ = verify_bundle(bundle, (), ExportOptions())
    assert reports["onnx"].failures == ()


def test_a_task_must_be_the_controllers(subject, tiny_folder, monkeypatch):
    monkeypatch.chdir(tiny_folder)
    assert with_task(subject, "tiny_task:Lag", "positions").source.name == "tiny_task:Lag"
    for name in ("cartpole", "no-such-task", "tiny_task:Lags", "tiny_task:missing", "math:pi"):
        with pytest.raises(InputError):
            with_task(subject, name, "positions")


def test_the_range_of_dt_holds_for_every_format(subject):
    narrowed = with_dt_range(subject, 0.015, 0.03)
    assert narrowed.trained.timing == Timing(0.02, 0.015, 0.03, 0.02)
    assert narrowed.controller.timing.dt_max_s == pytest.approx(0.03)
    with pytest.raises(InputError, match="--dt-range"):
        with_dt_range(subject, 0.03, 0.05)
