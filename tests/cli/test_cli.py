"""The command line as a user meets it: what it prints, where, and with which exit code."""

import dataclasses
import json
import subprocess
import sys

import click
import numpy as np
import pytest

from ltc_edge import load_controller
from ltc_edge.cli.main import COMMANDS, INTERRUPTED
from ltc_edge.cli.main import cli as group


@pytest.fixture
def torch_needed():
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")


@pytest.fixture(autouse=True)
def quick_training(monkeypatch):
    """Few updates and few validations where nothing is said: nobody looks at what is learnt here."""
    from ltc_edge.training import choose

    usual = choose.task_defaults

    def few(name):
        defaults = usual(name)
        few = dataclasses.replace(defaults.imitation, updates=20, validation_episodes=4)
        return dataclasses.replace(defaults, imitation=few)

    monkeypatch.setattr(choose, "task_defaults", few)


@pytest.fixture
def log(tmp_path):
    """Recordings of a first-order lag, long enough to be cut into three blocks."""
    rng = np.random.default_rng(0)
    u = rng.normal(size=600).cumsum() * 0.1
    y = np.zeros(600)
    for t in range(1, 600):
        y[t] = 0.9 * y[t - 1] + 0.1 * u[t - 1]
    path = tmp_path / "log.csv"
    rows = "\n".join(f"{0.01 * t:.4f},{u[t]:.6f},{y[t]:.6f}" for t in range(600))
    path.write_text(f"t,u,y\n{rows}\n")
    return path


SMALL = ("--rounds", 2, "--units", 4, "--wiring", "dense")


def test_help_lists_every_command_without_importing_torch():
    code = (
        "import sys\nfrom ltc_edge.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'scipy', 'gymnasium', 'rich', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy - {'numpy'} else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def every_command():
    """Names of all commands, those of groups too."""
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from (f"{name} {each}" for each in command.commands)
        else:
            yield name


@pytest.mark.parametrize("command", list(every_command()))
def test_every_command_has_help(command, cli):
    out, _ = cli(*command.split(), "--help")
    assert out.startswith(f"Usage: ltc-edge {command}")
    assert "--json" in out


def test_tasks_as_table_and_as_json(cli):
    out, _ = cli("tasks")
    assert "inverted-double-pendulum" in out
    document = json.loads(cli("tasks", "--json")[0])
    assert {"half-cheetah", "occupancy", "emps"} == {task["name"] for task in document["log_tasks"]}


@pytest.mark.usefixtures("torch_needed")
def test_train_and_evaluate_a_task(tmp_path, cli):
    pytest.importorskip("scipy", reason="scipy is not installed (extra: train)")
    out, _ = cli(
        "train", "cartpole", "-o", tmp_path / "run", *SMALL, "--episodes", 8, "--batch", 16, "--json"
    )
    summary = json.loads(out)
    keys = {"run", "cell", "units", "parameters_effective", "parameters_dense", "seconds", "metric", "value"}
    assert keys <= summary.keys()
    out, _ = cli("evaluate", tmp_path / "run", "--episodes", 5, "--json")
    report = json.loads(out)
    assert report["episodes"] == 5
    assert report["return_ci95"][0] <= report["return_mean"] <= report["return_ci95"][1]
    assert report["expert_return_mean"] == 500.0
    assert report["zero_return_mean"] < 100
    assert (tmp_path / "run" / "episode.png").read_bytes().startswith(b"\x89PNG")
    torch_report = json.loads(
        cli("evaluate", tmp_path / "run", "--episodes", 5, "--format", "torch", "--json")[0]
    )
    assert torch_report["return_mean"] == pytest.approx(report["return_mean"], rel=0.05)
    table, _ = cli("evaluate", tmp_path / "run", "--episodes", 2)
    assert "zero controller" in table


@pytest.mark.usefixtures("torch_needed")
@pytest.mark.parametrize("cell", ["ltc", "cfc", "ctrnn", "lstm", "gru"])
def test_train_and_evaluate_recordings(cell, tmp_path, log, cli):
    columns = ("--inputs", "u", "--targets", "y", "--time", "t")
    wiring = () if cell in ("ctrnn", "lstm", "gru") else ("--wiring", "dense")
    out, _ = cli(
        "train", "--data", log, *columns, "-o", tmp_path / "run", "--rounds", 3, "--units", 6, "--cell", cell,
        *wiring, "--json",
    )  # fmt: skip
    summary = json.loads(out)
    assert summary["metric"] == "rmse" or summary["metric"] == "mse"
    report = json.loads(cli("evaluate", tmp_path / "run", "--json")[0])
    assert report["value"] == pytest.approx(summary["value"], rel=1e-3)
    assert report["samples"] > 0
    assert (tmp_path / "run" / "window.png").exists()
    assert "these are recordings" in cli("evaluate", tmp_path / "run", "--corrupt", "noise", expect=2)[1]


@pytest.mark.usefixtures("torch_needed")
def test_mixed_memory_and_wirings(tmp_path, log, cli):
    for name, options in {
        "mixed": ("--mixed-memory", "--wiring", "ncp", "--units", 12),
        "wired": ("--cell", "cfc", "--wiring", "ncp", "--units", 12),
        "random": ("--wiring", "random", "--sparsity", 0.3, "--units", 8, "--solver", "exponential"),
    }.items():
        out, _ = cli(
            "train", "--data", log, "--inputs", "u", "--targets", "y", "--time", "t",
            "-o", tmp_path / name, "--rounds", 1, "--json", *options,
        )  # fmt: skip
        assert json.loads(out)["parameters_effective"] > 0
    assert load_controller(tmp_path / "random" / "controller.safetensors").cell.solver == "exponential"


@pytest.mark.usefixtures("torch_needed")
def test_import_ncps(tmp_path, cli):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ncps_torch = pytest.importorskip("ncps.torch", reason="ncps is not installed (extra: dev)")
    import torch

    torch.save(ncps_torch.LTC(3, 6).state_dict(), tmp_path / "ltc.pt")
    target = tmp_path / "ltc.safetensors"
    summary = json.loads(cli("import-ncps", tmp_path / "ltc.pt", "-o", target, "--json")[0])
    assert (summary["cell"], summary["units"], summary["inputs"], summary["outputs"]) == ("ltc", 6, 3, 6)
    _, err = cli("import-ncps", tmp_path / "ltc.pt", "-o", target, expect=2)
    assert "--force" in err
    cli("import-ncps", tmp_path / "ltc.pt", "-o", target, "--force")
    _, err = cli("import-ncps", tmp_path / "absent.pt", "-o", tmp_path / "x", expect=2)
    assert "absent.pt: no such file" in err


BAD_USAGE = [
    (("train", "-o", "RUN"), "say one of TASK, --env or --data"),
    (("train", "inverted-double-pendulun", "-o", "RUN"), "did you mean 'inverted-double-pendulum'?"),
    (("train", "half-cheeta", "-o", "RUN"), "did you mean 'half-cheetah'?"),
    (("train", "half-cheetah", "-o", "RUN"), "needs its recordings: --data-dir"),
    (("train", "half-cheetah", "--data-dir", "/nowhere", "-o", "RUN"), "Get it from"),
    (("train", "cartpole", "--env", "CartPole-v1", "-o", "RUN"), "TASK and --env given"),
    (("train", "--env", "CartPole-v1", "-o", "RUN"), "needs an expert"),
    (("train", "cartpole", "--targets", "y", "-o", "RUN"), "--targets says nothing about TASK"),
    (("train", "cartpole", "--units", "0", "-o", "RUN"), "--units"),
    (("train", "cartpole", "--wiring", "ncp", "--units", "3", "-o", "RUN"), "ask for at least 4 units"),
    (("train", "cartpole", "--cell", "lstm", "--wiring", "ncp", "-o", "RUN"), "no wiring to choose"),
    (("train", "cartpole", "--cell", "lstm", "--mixed-memory", "-o", "RUN"), "is a memory already"),
    (("train", "cartpole", "--learning-rate", "-1", "-o", "RUN"), "--learning-rate"),
    (("train", "cartpole", "--refine", "5", "-o", "RUN"), "give it with --from"),
    (("train", "cartpole", "--value-weight", "1", "-o", "RUN"), "does not price actions"),
    (("train", "cartpole", "--from", "/nowhere", "-o", "RUN"), "/nowhere"),
    (("train", "cartpole", "--resume", "-o", "RUN"), "no such run folder"),
    (("train", "cartpole", "--resume", "--units", "5", "-o", "RUN"), "leave out --units"),
    (("train", "--env", "CartPol-v1", "--expert", "os:getcwd", "-o", "RUN"), "CartPol"),
    (("train", "--env", "CartPole-v1", "--expert", "nowhere:f", "-o", "RUN"), "no module nowhere"),
    (("train", "--env", "CartPole-v1", "--expert", "f", "-o", "RUN"), "module:"),
    (("train", "--data", "/nowhere/*.csv", "--inputs", "a", "--targets", "b", "-o", "RUN"), "/nowhere/*.csv"),
    (("train", "--data", "x.csv", "--targets", "b", "-o", "RUN"), "--data needs --inputs"),
    (("train", "cartpole"), "Missing option '-o' / '--output'; see `ltc-edge train --help`"),
    (("train", "cartpole", "-o", "RUN", "--unit", "4"), "see `ltc-edge train --help`"),
    (("nothing",), "see `ltc-edge --help`"),
    (("train", "cartpole", "--seed", "9" * 30, "-o", "RUN"), "--seed"),
    (("train", "cartpole", "--threads", "99999", "-o", "RUN"), "--threads"),
    (("train", "cartpole", "--batch", "9" * 30, "-o", "RUN"), "--batch"),
    (("train", "cartpole", "--sparsity", "nan", "-o", "RUN"), "--sparsity says nothing about --cell ltc"),
    (("train", "cartpole", "--backbone-units", "8", "-o", "RUN"), "--backbone-units says nothing"),
    (("train", "cartpole", "--cell", "gru", "--unfolds", "2", "-o", "RUN"), "--unfolds says nothing"),
    (("train", "cartpole", "--cell", "ctrnn", "--solver", "rk4", "-o", "RUN"), "--solver says nothing"),
    (("train", "cartpole", "--solver", "midpoint", "-o", "RUN"), "'midpoint' is not one of 'fused'"),
    (("train", "cartpole", "--window", "8", "-o", "RUN"), "--window says nothing about TASK"),
    (("train", "cartpole", "--inputs", "", "-o", "RUN"), "--inputs says nothing about TASK"),
    (
        ("train", "--env", "CartPole-v1", "--expert", "a:b", "--sensors", "full", "-o", "RUN"),
        "--sensors says nothing about --env",
    ),
    (
        ("train", "cartpole", "--from", "x", "--refine", "1", "--rounds", "2", "-o", "RUN"),
        "--rounds is for training by gradients",
    ),
    (("evaluate", "/nowhere"), "no such run folder"),
    (("evaluate", "/tmp"), "not a run folder"),
]


@pytest.mark.usefixtures("torch_needed")
@pytest.mark.parametrize(("arguments", "message"), BAD_USAGE, ids=[message for _, message in BAD_USAGE])
def test_bad_usage_is_one_line_and_leaves_nothing(arguments, message, tmp_path, cli):
    target = tmp_path / "run"
    out, err = cli(*(target if argument == "RUN" else argument for argument in arguments), expect=2)
    assert message in err
    assert out == ""
    assert len(err.splitlines()) == 1
    assert not target.exists()


CSV_FAULTS = {
    "missing column": (lambda text: text.replace("t,u,y", "t,u,z"), "y"),
    "text in a number": (lambda text: text.replace("0.0500,", "0.0500,oops", 1), "oops"),
    "nan": (
        lambda text: text.replace("0.0500,", "0.0500,nan,\n0.0501,", 1).replace("nan,\n0.0501,", "nan,", 1),
        "row",
    ),
    "single row": (lambda text: "\n".join(text.splitlines()[:2]), "row"),
    "time backwards": (lambda text: text.replace("\n0.0500,", "\n0.0100,", 1), "row"),
    "empty": (lambda _: "", "empty"),
}


@pytest.mark.usefixtures("torch_needed")
@pytest.mark.parametrize("fault", CSV_FAULTS)
def test_bad_recordings(fault, log, tmp_path, cli):
    spoil, message = CSV_FAULTS[fault]
    log.write_text(spoil(log.read_text()))
    _, err = cli(
        "train",
        "--data",
        log,
        "--inputs",
        "u",
        "--targets",
        "y",
        "--time",
        "t",
        "-o",
        tmp_path / "run",
        expect=2,
    )
    assert message in err
    assert str(log) in err
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("torch_needed")
def test_ctrl_c_says_how_to_go_on(tmp_path, log, cli, monkeypatch):
    from ltc_edge.training.prediction import Prediction

    honest = Prediction.round

    def interrupted(self, index, tick):
        if index == 2:
            raise KeyboardInterrupt
        return honest(self, index, tick)

    options = (
        "--data",
        log,
        "--inputs",
        "u",
        "--targets",
        "y",
        "--time",
        "t",
        "--units",
        4,
        "--wiring",
        "dense",
    )
    with monkeypatch.context() as patch:
        patch.setattr(Prediction, "round", interrupted)
        _, err = cli("train", *options, "--rounds", 4, "-o", tmp_path / "run", expect=INTERRUPTED)
    assert f"Interrupted. Go on with: ltc-edge train --resume -o {tmp_path / 'run'}" in err
    assert err.count("Interrupted") == 1
    out, err = cli("train", "--resume", "-o", tmp_path / "run", "--json")
    assert "Continuing after round 2 of 4" in err
    assert json.loads(out)["rounds"] == 4
    _, err = cli("train", "pendulum", "--resume", "-o", tmp_path / "run", expect=2)
    assert "not of pendulum" in err


@pytest.mark.usefixtures("torch_needed")
def test_refine_from_a_run(tmp_path, cli, monkeypatch):
    monkeypatch.setattr("ltc_edge.training.refinement.VALIDATION_EPISODES", 4)
    cli("train", "cartpole", "-o", tmp_path / "run", *SMALL, "--episodes", 8, "--batch", 16)
    out, _ = cli(
        "train", "cartpole", "--from", tmp_path / "run", "--refine", 2, "--episodes", 2, "--json",
        "-o", tmp_path / "better",
    )  # fmt: skip
    assert json.loads(out)["rounds"] == 2


@pytest.mark.usefixtures("torch_needed")
def test_force_replaces_runs_alone(tmp_path, cli, monkeypatch):
    options = ("train", "cartpole", *SMALL[2:], "--rounds", 1, "--episodes", 2, "--batch", 4)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "config.json").write_text('{"model_type": "somebody else\'s"}')
    _, err = cli(*options, "-o", foreign, "--force", expect=2)
    assert "is not a run folder, so --force does not replace it" in err
    assert (foreign / "config.json").exists()
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    cli(*options, "-o", ".")
    _, err = cli(*options, "-o", ".", expect=2)
    assert "exists already" in err
    cli(*options, "-o", ".", "--force")
    assert (tmp_path / "run" / "summary.json").exists()


def test_a_terminal_without_unicode():
    import os

    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    code = "from ltc_edge.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "tasks"], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"inverted-double-pendulum" in done.stdout


def test_a_pattern_the_shell_expanded_is_explained(cli):
    for files in (("a.csv", "b.csv"), ("a.csv", "b.csv", "c.csv")):
        _, err = cli("train", "--data", *files, "--inputs", "u", "--targets", "y", "-o", "RUN", expect=2)
        assert "quote patterns" in err


def test_a_controller_file_is_no_run(tmp_path, cli):
    file = tmp_path / "controller.safetensors"
    file.touch()
    _, err = cli("evaluate", file, expect=2)
    assert "name the folder" in err


def test_addresses_are_not_cut_by_the_width_of_the_terminal(cli, monkeypatch):
    from ltc_edge.logs import LOG_TASKS

    monkeypatch.setenv("COLUMNS", "60")
    out, _ = cli("tasks")
    assert all(task.source in out for task in LOG_TASKS.values())
