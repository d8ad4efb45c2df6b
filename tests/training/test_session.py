"""Runs from start to summary: what is in the folder, and what a kill, a resume or a failure leaves of it."""

import contextlib
import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge import load_controller
from ltc_edge.errors import (
    ControllerFileError,
    InputError,
    OutputError,
    RecordingError,
    TaskError,
    TrainingDivergedError,
)
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import Plan, resume_run, start_run
from ltc_edge.training.sources import EnvironmentSource, RecordingsSource, TaskSource


def write_recordings(folder):
    rng = np.random.default_rng(0)
    for number in range(5):
        u = rng.normal(size=90).cumsum()
        y = np.convolve(u, [0.5, 0.3, 0.2])[:90]
        rows = "\n".join(f"{0.1 * i:.3f},{a:.6f},{b:.6f}" for i, (a, b) in enumerate(zip(u, y, strict=True)))
        (folder / f"log{number}.csv").write_text(f"t,u,y\n{rows}\n")
    return RecordingsSource((str(folder / "log*.csv"),), "u", "y", time="t", window_length=16)


@pytest.fixture
def recordings(tmp_path):
    return write_recordings(tmp_path)


@pytest.fixture(autouse=True, scope="module")
def few_validations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ltc_edge.training.refinement.VALIDATION_EPISODES", 6)
        yield


@pytest.fixture
def imitation_plan(small_imitation, small_model):
    return Plan(TaskSource("cartpole"), small_imitation, small_model)


@pytest.fixture
def prediction_plan(small_prediction, small_model, recordings):
    return Plan(recordings, small_prediction, small_model)


TRAINER = """
import json, os, pathlib, sys
import torch  # which takes longer than a small run: once for all of them
import ltc_edge.training.imitation
from ltc_edge.cli.output import TrainingProgress
from ltc_edge.training.session import Plan, resume_run, start_run

run, plan = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        if (run / "config.json").exists() and (run / "initial.safetensors").exists():
            resume_run(run, TrainingProgress("return"))
        else:
            read = Plan.from_json(json.loads(plan.read_text()), plan)
            start_run(read, run, TrainingProgress("return"), force=True)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""A process that trains in a child of its own for each line it reads."""


class Stop(Exception):
    """What a test raises in place of a kill."""


class Killer:
    """A progress that dies after ``rounds`` rounds, or in the middle of the next one."""

    def __init__(self, rounds: int, share: float) -> None:
        self.rounds, self.share = rounds, share

    def begin(self, rounds, completed):
        pass

    def tick(self, index, share):
        if index >= self.rounds and share >= self.share:
            raise Stop

    def record(self, record):
        if self.share == 0.0 and record["round"] + 1 >= self.rounds:
            raise Stop


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory, small_imitation, small_refinement, small_prediction, small_model):
    """Makes a plan of a kind and the folder of its run, which nothing disturbed; once for all tests."""

    @functools.cache
    def make(kind):
        folder = tmp_path_factory.mktemp(kind)
        if kind == "imitation":
            plan = Plan(TaskSource("cartpole"), small_imitation, small_model)
        elif kind == "prediction":
            plan = Plan(write_recordings(folder), small_prediction, small_model)
        else:
            origin = make("imitation")[1] / "controller.safetensors"
            plan = Plan(TaskSource("cartpole"), small_refinement, None, start=str(origin))
        start_run(plan, folder / "whole", Killer(sys.maxsize, 1.0))
        return plan, folder / "whole"

    return make


def metrics(path):
    """The metrics without the times, which differ from run to run."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_a_run_leaves_what_its_folder_promises(tmp_path, silent, imitation_plan):
    summary = start_run(imitation_plan, tmp_path / "run", silent)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "config.json", "metrics.jsonl", "initial.safetensors", "controller.safetensors", "learning_curve.png",
        "summary.json",
    }  # fmt: skip
    controller = load_controller(tmp_path / "run" / "controller.safetensors")
    assert summary["parameters_effective"] == controller.parameters_effective()
    assert summary["value"] == max(r["return"] for r in silent.records if r["return"] is not None)
    assert (tmp_path / "run" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert controller.actions[0].high == 1.0
    assert len(metrics(tmp_path / "run")) == summary["rounds"]


def test_a_seed_gives_the_same_bytes(tmp_path, silent, whole_run):
    plan, first = whole_run("imitation")
    start_run(plan, tmp_path / "again", silent)
    start_run(dataclasses.replace(plan, seed=1), tmp_path / "other", silent)
    folders = first, tmp_path / "again", tmp_path / "other"
    a, b, c = ((folder / "controller.safetensors").read_bytes() for folder in folders)
    assert a == b
    assert a != c


@pytest.mark.parametrize("kind", ["imitation", "prediction", "refinement"])
@pytest.mark.parametrize(("rounds", "share"), [(1, 0.0), (2, 0.3), (3, 0.8)])
def test_a_killed_run_goes_on_bit_for_bit(kind, rounds, share, tmp_path, silent, whole_run):
    plan, whole = whole_run(kind)
    with pytest.raises(Stop):
        start_run(plan, tmp_path / "killed", Killer(rounds, share))
    resume_run(tmp_path / "killed", silent)
    assert silent.completed >= 1
    for name in ("controller.safetensors", "initial.safetensors", "config.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (whole / name).read_bytes(), name
    assert metrics(tmp_path / "killed") == metrics(whole)


@pytest.mark.slow
def test_sigkill_at_any_moment(tmp_path, whole_run):
    """A real process, killed again and again until it gets through."""
    plan, whole = whole_run("imitation")
    (tmp_path / "plan.json").write_text(json.dumps(plan.to_json()))
    script = tmp_path / "train.py"
    script.write_text(TRAINER)
    rng = np.random.default_rng(3)
    with subprocess.Popen(
        [sys.executable, script, tmp_path / "killed", tmp_path / "plan.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as trainer:
        for attempt in range(6):
            trainer.stdin.write("train\n")
            trainer.stdin.flush()
            child = int(trainer.stdout.readline())
            if attempt < 5:
                # Once the run has begun, at any time; it may be over by then.
                give_up = time.monotonic() + 60
                while not (tmp_path / "killed" / "config.json").exists():
                    assert time.monotonic() < give_up
                    time.sleep(0.005)
                time.sleep(rng.uniform(0.0, 0.3) * (1 + attempt))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            status = int(trainer.stdout.readline())
        trainer.stdin.close()
    assert status == 0
    assert (tmp_path / "killed" / "summary.json").exists()
    expected = (whole / "controller.safetensors").read_bytes()
    assert (tmp_path / "killed" / "controller.safetensors").read_bytes() == expected
    assert not list((tmp_path / "killed").glob(".*")), "a temporary file was left where the run completed"


def test_recordings_that_changed_are_noticed(tmp_path, silent, prediction_plan):
    with pytest.raises(Stop):
        start_run(prediction_plan, tmp_path / "run", Killer(2, 0.0))
    log = tmp_path / "log0.csv"
    original = log.read_text()
    lines = original.splitlines()
    lines[50] = ",".join([*lines[50].split(",")[:2], "7.5"])
    log.write_text("\n".join(lines) + "\n")
    with pytest.raises(RecordingError, match="changed since the run began"):
        resume_run(tmp_path / "run", silent)
    log.write_text(original)
    resume_run(tmp_path / "run", silent)


def test_a_complete_run_is_not_trained_again(tmp_path, silent, prediction_plan):
    summary = start_run(prediction_plan, tmp_path / "run", silent)
    before = (tmp_path / "run" / "controller.safetensors").stat().st_mtime_ns
    assert resume_run(tmp_path / "run", silent) == summary
    assert (tmp_path / "run" / "controller.safetensors").stat().st_mtime_ns == before


def test_existing_folders_are_kept(tmp_path, silent, prediction_plan):
    start_run(prediction_plan, tmp_path / "run", silent)
    with pytest.raises(OutputError, match="--force"):
        start_run(prediction_plan, tmp_path / "run", silent)
    start_run(prediction_plan, tmp_path / "run", silent, force=True)
    precious = tmp_path / "home"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="not a run folder"):
        start_run(prediction_plan, precious, silent, force=True)
    assert (precious / "thesis.txt").exists()


def test_a_folder_that_cannot_be_written(tmp_path, silent, prediction_plan):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be written|not a folder"):
        start_run(prediction_plan, tmp_path / "file" / "run", silent)


def test_an_expert_that_fails_leaves_nothing(tmp_path, silent, small_imitation, small_model, monkeypatch):
    pytest.importorskip("gymnasium", reason="gymnasium is not installed (extra: train)")
    (tmp_path / "bad_experts.py").write_text(
        "def raising(observation):\n    raise RuntimeError('out of ideas')\n"
    )
    monkeypatch.chdir(tmp_path)
    plan = Plan(EnvironmentSource("CartPole-v1", "bad_experts:raising"), small_imitation, small_model)
    with pytest.raises(TaskError, match="out of ideas"):
        start_run(plan, tmp_path / "run", silent)
    assert not (tmp_path / "run").exists()


def test_an_environment_of_the_users(tmp_path, silent, small_imitation, small_model, monkeypatch):
    pytest.importorskip("gymnasium", reason="gymnasium is not installed (extra: train)")
    (tmp_path / "my_expert.py").write_text(
        "def push(observation):\n    return int(observation[2] + 0.3 * observation[3] > 0)\n"
    )
    monkeypatch.chdir(tmp_path)
    source = EnvironmentSource("CartPole-v1", "my_expert:push", observe=(0, 2))
    plan = Plan(source, small_imitation, small_model)
    start_run(plan, tmp_path / "run", silent)
    assert Plan.from_json(RunFolder(tmp_path / "run").config(), tmp_path) == plan
    assert len(load_controller(tmp_path / "run" / "controller.safetensors").observations) == 2


def test_divergence_names_the_update_and_keeps_the_best(tmp_path, silent, prediction_plan, monkeypatch):
    from ltc_edge.training.prediction import Prediction

    honest = Prediction._loss

    def poisoned(self, readout, targets):
        loss = honest(self, readout, targets)
        return loss * float("nan") if self._learner.updates >= 10 else loss

    monkeypatch.setattr(Prediction, "_loss", poisoned)
    with pytest.raises(TrainingDivergedError, match="at update 11; try a smaller --learning-rate"):
        start_run(prediction_plan, tmp_path / "run", silent)
    assert np.isfinite(load_controller(tmp_path / "run" / "controller.safetensors").parameters["w"]).all()


def test_start_from_a_controller_of_other_signals(tmp_path, silent, imitation_plan, prediction_plan):
    start_run(prediction_plan, tmp_path / "run", silent)
    start = str(tmp_path / "run" / "controller.safetensors")
    with pytest.raises(InputError, match="does not fit cartpole"):
        start_run(dataclasses.replace(imitation_plan, model=None, start=start), tmp_path / "other", silent)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "config.json").unlink(), "not a run folder"),
        (lambda run: (run / "config.json").write_text("{"), "not a run folder"),
        (lambda run: (run / "config.json").write_text('{"schema": 99}'), "schema version 99"),
        (lambda run: (run / "config.json").write_text('{"schema": 1, "source": []}'), "unreadable"),
    ],
)
def test_damaged_run_folders_are_refused(tmp_path, silent, prediction_plan, damage, message):
    start_run(prediction_plan, tmp_path / "run", silent)
    damage(tmp_path / "run")
    with pytest.raises(ControllerFileError, match=message):
        resume_run(tmp_path / "run", silent)


def test_a_damaged_checkpoint_is_refused(tmp_path, silent, prediction_plan):
    with pytest.raises(Stop):
        start_run(prediction_plan, tmp_path / "run", Killer(2, 0.0))
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ControllerFileError, match="safetensors"):
        resume_run(tmp_path / "run", silent)


def edit_config(run, change):
    document = json.loads((run / "config.json").read_text())
    change(document)
    (run / "config.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["options"].update(batch={}),
        lambda document: document["options"].update(learning_rate="fast"),
        lambda document: document["source"].update(stride=[[]]),
        lambda document: document["source"].update(data="log.csv"),
        lambda document: document["model"].update(cell="rnn"),
        lambda document: document["model"].update(units=True),
    ],
)
def test_a_config_of_other_types_is_refused(tmp_path, silent, prediction_plan, change):
    start_run(prediction_plan, tmp_path / "run", silent)
    edit_config(tmp_path / "run", change)
    with pytest.raises(ControllerFileError, match="unreadable"):
        resume_run(tmp_path / "run", silent)


def test_a_checkpoint_goes_with_its_own_run_alone(tmp_path, silent, prediction_plan):
    with pytest.raises(Stop):
        start_run(prediction_plan, tmp_path / "run", Killer(2, 0.0))
    edit_config(tmp_path / "run", lambda document: document.update(seed=7))
    with pytest.raises(ControllerFileError, match=r"is not of the run that config\.json"):
        resume_run(tmp_path / "run", silent)


def edit_tensors(path, name):
    """Change one number, as an editor of tensors would: the file stays valid."""
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = {key: array.copy() for key, array in load_file(path).items()}
    tensors[name].flat[0] += 1.0
    save_file(tensors, path, metadata)


def test_edited_checkpoints_and_data_are_refused(tmp_path, silent, imitation_plan):
    for name, file, tensor in (
        ("a", "checkpoint.safetensors", "updates"),
        ("b", "data/round_0000.safetensors", "observation"),
    ):
        with pytest.raises(Stop):
            start_run(imitation_plan, tmp_path / name, Killer(1, 0.0))
        edit_tensors(tmp_path / name / file, tensor)
        with pytest.raises(ControllerFileError, match="was damaged or edited"):
            resume_run(tmp_path / name, silent)


def test_a_file_never_takes_the_place_of_a_device(tmp_path):
    from ltc_edge.files import write_atomically

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="not a regular file"):
        write_atomically(tmp_path / "pipe", b"content")
    assert not (tmp_path / "pipe").is_file()


def test_a_damaged_best_controller_is_refused_before_training_goes_on(tmp_path, silent, prediction_plan):
    with pytest.raises(Stop):
        start_run(prediction_plan, tmp_path / "run", Killer(2, 0.0))
    (tmp_path / "run" / "controller.safetensors").write_bytes(b"damage")
    with pytest.raises(ControllerFileError, match=r"controller\.safetensors"):
        resume_run(tmp_path / "run", silent)
    assert not silent.records
