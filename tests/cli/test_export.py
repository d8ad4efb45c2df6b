"""export, verify and evaluate of bundles, as a user meets them."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import Timing, wiring
from ltc_edge.bundle.folder import read_bundle_files
from ltc_edge.cells import LTCSpec
from ltc_edge.cli.main import main
from ltc_edge.controller_file import save_controller
from ltc_edge.export.formats import FORMATS
from ltc_edge.verification.trials import free_run

TASK = "tiny_task:Lag"
EPISODES = ("--episodes", 4)
KEYS = {"status", "reason", "bytes", "max_abs_error", "rms_over_sigma", "return_mean", "return_lost_percent"}


@pytest.fixture(scope="module")
def litert():
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")


@pytest.fixture(autouse=True, scope="module")
def short_runs():
    """Free runs of a few steps: `test_free_runs_are_long` sees to it that users have others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "ltc_edge.verification.verify.free_run",
            lambda built, about=None: free_run(built, about, steps=500),
        )
        yield


@pytest.fixture(autouse=True)
def current_folder(tiny_folder, monkeypatch):
    monkeypatch.chdir(tiny_folder)


@pytest.fixture
def cli(cli):
    """The same; whatever is refused is refused in one line."""

    def run(*arguments, expect=0):
        out, err = cli(*arguments, expect=expect)
        if expect == 2:
            assert err.count("\n") == 1
            assert err.startswith("Error: ")
        return out, err

    return run


@pytest.fixture(scope="module")
def source(tiny_controller, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "tiny.safetensors"
    save_controller(tiny_controller(), path)
    return path


@pytest.fixture(scope="module")
def report(litert, short_runs, source, tiny_folder, tmp_path_factory):
    """A bundle with everything, and what the command printed."""
    path = tmp_path_factory.mktemp("bundles") / "all"
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.chdir(tiny_folder)
        main(["export", str(source), "-o", str(path), "--task", TASK, *map(str, EPISODES), "--json"])
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def bundle(report):
    return Path(report["bundle"])


@pytest.fixture(scope="module")
def floats(source, tmp_path_factory):
    """A bundle with the hub only, unverified: quick to make."""
    path = tmp_path_factory.mktemp("bundles") / "floats"
    main(["export", str(source), "-o", str(path), "--format", "onnx", "--no-verify"])
    return path


def euler(tiny_controller):
    """A controller whose state has no proved bounds, so that no integers can hold it."""
    built = tiny_controller()
    cell = LTCSpec(wiring.auto_ncp(2, 8, 1, seed=3), solver="euler", unfolds=60)
    return tiny_controller(cell=cell, parameters=built.parameters)


def test_all_formats_of_a_controller(report, bundle):
    assert report["ok"] is True
    assert report["note"] is None
    assert report["formats"].keys() == FORMATS.keys()
    files = read_bundle_files(bundle)
    for name, entry in report["formats"].items():
        assert entry.keys() >= KEYS
        assert entry["status"] == "ok" or (name, entry["reason"]) == ("tflite-int8", "accuracy")
        assert entry["return_mean"] < 0
        if entry["status"] == "ok":
            own = {path for path in files.contents if path.split("/")[0] == FORMATS[name].file}
            assert entry["bytes"] == sum(len(files.contents[path]) for path in own)
    assert files.manifest["verified"] == ["single_steps", "free_run", "task"]
    assert files.manifest["source"]["name"] == TASK
    own = {"quantization.json", "golden.safetensors", "verification.json", "model_card.md"}
    made = {FORMATS[n].file for n, entry in report["formats"].items() if entry["status"] == "ok"}
    assert {path.split("/")[0] for path in files.contents} == own | made
    written = json.loads(files.contents["verification.json"])
    assert written["formats"]["onnx"]["free_run"]["steps"] == 500
    assert written["formats"]["onnx"]["task"]["episodes"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "c-int16", "--target", "serial:/dev/no-such-port"), "/dev/no-such-port"),
        (("--format", "c-int16", "--target", "z80"), "there is no target 'z80'"),
        (("--format", "onnx", "--target", "cortex-m4"), "--target runs formats in C"),
    ],
)
def test_a_target_that_is_none(bundle, arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(bundle), *arguments, "--trust-task"])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_the_same_export_gives_the_same_bytes(bundle, source, cli, tmp_path):
    cli("export", source, "-o", tmp_path / "again", "--task", TASK, *EPISODES)
    again = read_bundle_files(tmp_path / "again")
    assert again.contents == read_bundle_files(bundle).contents
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (bundle / "manifest.json").read_bytes()


def test_verify_and_evaluate_what_was_exported(bundle, report, cli):
    out, _ = cli("verify", bundle, *EPISODES, "--trust-task", "--json")
    again = json.loads(out)
    assert again["ok"] is True
    assert again["note"] is None
    for name, entry in again["formats"].items():
        assert entry.keys() >= KEYS
        assert entry["return_mean"] == pytest.approx(report["formats"][name]["return_mean"], rel=1e-6)
    for name in ("reference", "onnx-int16", "tflite-int16x8", "c-float32", "c-int16"):
        out, _ = cli("evaluate", bundle, "--format", name, *EPISODES, "--trust-task", "--json")
        evaluated = json.loads(out)
        assert evaluated["format"] == name
        assert evaluated["return_mean"] == pytest.approx(again["formats"]["onnx"]["return_mean"], rel=0.01)


def test_the_code_of_a_bundles_task_is_not_run_unasked(bundle, cli):
    document = json.loads(cli("verify", bundle, "--format", "onnx", *EPISODES, "--json")[0])
    assert document["formats"]["onnx"]["return_mean"] is None
    assert "--trust-task" in document["note"]
    assert "--trust-task" in cli("evaluate", bundle, "--format", "onnx", expect=2)[1]


def test_tables_name_every_format(bundle, cli):
    out, _ = cli("verify", bundle, *EPISODES)
    for name in read_bundle_files(bundle).manifest["formats"]:
        if name in {line.split()[0] for line in out.splitlines() if line.split()}:
            continue
        assert name == "tflite-int8"


def test_a_hub_is_a_source(bundle, cli, tmp_path):
    out, _ = cli(
        "export", bundle / "controller.onnx", "-o", tmp_path / "b", "--format", "onnx-int16", "--json"
    )
    document = json.loads(out)
    assert document["formats"].keys() == {"onnx", "onnx-int16"}
    assert "--task" in document["note"]
    for name in ("controller.onnx",):
        assert (tmp_path / "b" / name).read_bytes() == (bundle / name).read_bytes()


def test_what_cannot_be_had_is_listed_with_its_reason(tiny_controller, cli, tmp_path):
    wide = tiny_controller(timing=Timing(0.02, 1e-4, 0.08, 0.02))
    for name, built, reason in (
        ("wide", wide, "dt-range"),
        ("euler", euler(tiny_controller), "explicit-solver"),
    ):
        save_controller(built, tmp_path / f"{name}.safetensors")
        arguments = ("export", tmp_path / f"{name}.safetensors", "--no-verify")
        document = json.loads(cli(*arguments, "-o", tmp_path / name, "--json")[0])
        for form, entry in document["formats"].items():
            if FORMATS[form].arithmetic == "integer":
                assert (entry["status"], entry["reason"]) == ("refused", reason)
            else:
                assert entry["status"] == "unverified" or entry["reason"] == "needs-extra"
        assert reason in (tmp_path / name / "model_card.md").read_text(encoding="utf-8")
        _, err = cli(*arguments, "-o", tmp_path / "no", "--format", "onnx-int16", expect=2)
        assert reason in err
        assert not (tmp_path / "no").exists()


def test_a_narrower_range_of_dt_makes_integers_possible(tiny_controller, cli, tmp_path):
    save_controller(tiny_controller(timing=Timing(0.02, 1e-4, 0.08, 0.02)), tmp_path / "w.safetensors")
    cli("export", tmp_path / "w.safetensors", "-o", tmp_path / "b", "--format", "onnx-int16", "--no-verify",
        "--dt-range", "0.01,0.05")  # fmt: skip
    assert "controller-int16.onnx" in read_bundle_files(tmp_path / "b").contents


def test_a_failed_verification_leaves_a_report_and_no_bundle(source, cli, tmp_path):
    path = tmp_path / "new" / "bundle"
    arguments = ("export", source, "-o", path, "--format", "onnx")
    out, err = cli(*arguments, "--atol", 0, "--json", expect=1)
    assert "drive" in err
    assert not path.exists()
    printed = json.loads(out)
    assert (printed["ok"], printed["bundle"]) == (False, None)
    assert printed["formats"]["onnx"]["failures"]
    failed = path.with_name("bundle.failed.json")
    document = json.loads(failed.read_text(encoding="utf-8"))
    assert document["formats"]["onnx"]["status"] == "failed"
    assert document["formats"]["onnx"]["failures"]
    cli(*arguments)
    assert not failed.exists()  # it was of a bundle that is none any more


def test_a_failed_verification_leaves_the_old_bundle(floats, source, cli, tmp_path):
    path = tmp_path / "bundle"
    shutil.copytree(floats, path)
    before = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    cli("export", source, "-o", path, "--format", "onnx", "--atol", 0, "--force", expect=1)
    assert {entry.name: entry.read_bytes() for entry in path.iterdir()} == before


def test_verify_fails_where_a_format_does(floats, cli):
    out, _ = cli("verify", floats, "--atol", 0, "--json", expect=1)
    document = json.loads(out)
    assert document["ok"] is False
    assert document["formats"]["onnx"]["status"] == "failed"
    assert document["formats"]["onnx"]["failures"]


def test_names_are_shown_as_they_are_and_cannot_steer_a_terminal(tiny_controller, cli, tmp_path):
    odd = "[/x] [bold] \x1b[31m|\n# two"
    save_controller(tiny_controller(name=odd, provenance={"[/k]": odd}), tmp_path / "odd.safetensors")
    path = tmp_path / "b[" / "q]"
    out, _ = cli("export", tmp_path / "odd.safetensors", "-o", path, "--format", "onnx", "--no-verify")
    assert "[/x] [bold]" in out
    assert "\x1b" not in out
    cli("verify", path, "--format", "onnx")
    card = (path / "model_card.md").read_text(encoding="utf-8")
    assert "\n# two" not in card


def test_no_bundle_replaces_another_unasked(floats, source, cli, tmp_path):
    path = tmp_path / "bundle"
    shutil.copytree(floats, path)
    arguments = ("export", source, "-o", path, "--format", "onnx", "--no-verify")
    assert "--force" in cli(*arguments, expect=2)[1]
    cli(*arguments, "--force")


def test_sources_that_are_none(floats, cli, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.onnx").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    (tmp_path / "notes.txt").write_text("hello")
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate(1 << 30)
    names = ("empty", "text.onnx", "text.safetensors", "notes.txt", "large.onnx", "missing")
    for path in (floats, *(tmp_path / name for name in names)):
        assert str(path) in cli("export", path, "-o", tmp_path / "b", expect=2)[1]
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--task", "no-such-task"), ("--task", "no_such_module:Task"), ("--task", "tiny_task:Lags"),
        ("--task", "cartpole"), ("--task", ""), ("--sensors", "full"), ("--time", "t"),
        ("--dt-range", "1"), ("--dt-range", "a,b"), ("--dt-range", "0.05,0.01"), ("--dt-range", "0.03,0.05"),
        ("--dt-range", "nan,nan"), ("--dt-range", "0,1"), ("--dt-range", "0.01,inf"),
        ("--percentile", "89"), ("--percentile", "nan"), ("--episodes", "0"), ("--episodes", "1"),
        ("--atol", "nan"), ("--atol", "inf"), ("--rtol", "-1"), ("--format", "no-such-format"),
        ("--calibration", "missing.csv"), ("--format", "onnx", "--calibration", "missing.csv"),
    ],
)  # fmt: skip
def test_options_that_say_nothing_sensible(source, options, cli, tmp_path):
    cli("export", source, "-o", tmp_path / "b", "--no-verify", *options, expect=2)
    assert not (tmp_path / "b").exists()


@pytest.fixture
def calibration(tmp_path):
    """Writes a recording of the tiny controller's sensors, changed as asked."""

    def write(columns="t,level,target", rows=40, change=lambda values: values):
        rng = np.random.default_rng(0)
        values = np.column_stack([0.02 * np.arange(rows), rng.normal(size=(rows, columns.count(",")))])
        lines = [",".join(map(str, row)) for row in change(values).tolist()]
        (tmp_path / "c.csv").write_text("\n".join([columns, *lines]) + "\n")
        return tmp_path / "c.csv"

    return write


def poisoned(value, column):
    def change(values):
        values[7, column] = value
        return values

    return change


def test_a_calibration_of_ones_own(source, calibration, cli, tmp_path):
    cli("export", source, "-o", tmp_path / "b", "--format", "onnx-int16", "--calibration", calibration(),
        "--time", "t", "--percentile", 99.9, "--no-verify")  # fmt: skip
    plan = json.loads(read_bundle_files(tmp_path / "b").contents["quantization.json"])
    assert plan["calibration"]["percentile"] == 99.9
    assert any("c.csv, 40 rows" in used for used in plan["calibration"]["sources"])


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": "t,level"}, {"columns": "t,level,other"}, {"rows": 1}, {"rows": 0},
        {"change": poisoned(np.nan, 1)}, {"change": poisoned(np.inf, 2)}, {"change": poisoned(0.0, 0)},
        {"columns": "time,level,target"},
    ],
)  # fmt: skip
def test_calibrations_that_cannot_be_used(source, calibration, changes, cli, tmp_path):
    path = calibration(**changes)
    arguments = ("export", source, "-o", tmp_path / "b", "--format", "onnx-int16", "--no-verify")
    assert "c.csv" in cli(*arguments, "--calibration", path, "--time", "t", expect=2)[1]
    assert not (tmp_path / "b").exists()


WITHOUT = """
import sys
names = sys.argv[1].split(",")
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from ltc_edge.cli.main import main
from ltc_edge.verification import verify
free_run = verify.free_run
verify.free_run = lambda built, about=None: free_run(built, about, steps=500)
main(sys.argv[2:])
"""
LITERT = "ai_edge_litert,tflite_runtime"
SIMULATORS = "torch,gymnasium,mujoco,scipy"


def without(modules, *arguments, expect=0):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, modules, *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == expect, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if expect == 0 else done.stderr


def test_verify_goes_on_without_litert(bundle):
    out = without(f"{LITERT},{SIMULATORS}", "verify", bundle, "--json")
    document = json.loads(out)
    for name, entry in document["formats"].items():
        missing = FORMATS[name].runtime == "litert"
        assert entry["status"] == ("not-run" if missing else "ok")
        assert entry["reason"] == ("needs-extra" if missing else None)
    assert document["ok"] is True
    assert "litert" in without(LITERT, "verify", bundle, "--format", "tflite", expect=2)
    assert "litert" in without(LITERT, "evaluate", bundle, "--format", "tflite", "--trust-task", expect=2)


def test_verify_goes_on_without_the_simulator(bundle, tmp_path):
    from ltc_edge.bundle.folder import write_bundle

    files = read_bundle_files(bundle)
    document = {k: v for k, v in files.manifest.items() if k not in ("format", "schema", "files")}
    document["source"] = {"kind": "task", "name": "inverted-double-pendulum", "sensors": "positions"}
    write_bundle(tmp_path / "b", document, files.contents)
    out = without(SIMULATORS, "verify", tmp_path / "b", "--format", "onnx", "--json")
    assert "mujoco" in json.loads(out)["note"]
    without(SIMULATORS, "evaluate", tmp_path / "b", "--format", "onnx", expect=2)


def test_export_lists_what_it_lacks_the_runtime_for(source, tmp_path):
    out = without(LITERT, "export", source, "-o", tmp_path / "b", "--json")
    for name, entry in json.loads(out)["formats"].items():
        missing = FORMATS[name].runtime == "litert"
        assert (entry["status"], entry["reason"]) == (("refused", "needs-extra") if missing else ("ok", None))
    written = json.loads(read_bundle_files(tmp_path / "b").contents["verification.json"])
    assert written["formats"]["onnx"]["free_run"]["steps"] == 500
    without(LITERT, "export", source, "-o", tmp_path / "c", "--format", "tflite", expect=2)
    assert not (tmp_path / "c").exists()


def test_a_bundle_with_one_flipped_byte(floats, cli, tmp_path):
    path = tmp_path / "bundle"
    shutil.copytree(floats, path)
    for file in path.iterdir():
        content = file.read_bytes()
        file.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
        for command in ("verify", "evaluate"):
            cli(command, path, expect=2)
        file.write_bytes(content)
    cli("evaluate", path, expect=2)  # no task is known
    for nothing in (tmp_path, tmp_path / "missing", path / "controller.onnx"):
        cli("verify", nothing, expect=2)
