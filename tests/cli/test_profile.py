"""`ltc-edge profile` on this machine, as a user meets it."""

import contextlib
import csv
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from ltc_edge.cli.profile import _check as check_profile
from ltc_edge.profiling import linux, sampled_stages
from ltc_edge.profiling.document import not_run

DOCS = Path(__file__).parents[2] / "docs" / "profile-format.md"
QUICK = ("--iterations", "200", "--warmup", "20", "--seconds", "5", "--c-flags=-std=c99 -O0")
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    """A bundle of two formats, unverified: quick to make."""
    return unverified_bundle("onnx", "c-float32")


@pytest.fixture(autouse=True)
def short_batches(monkeypatch):
    """Figures are of no interest here."""
    monkeypatch.setattr(linux, "BATCH_NS", 20_000)
    monkeypatch.setattr(linux, "BATCHES", 2)
    monkeypatch.setattr(sampled_stages, "DURATION_NS", 20_000_000)


@pytest.fixture
def cli(cli):
    """Runs a profile; what it printed."""
    return functools.partial(cli, "profile")


@pytest.fixture
def trusted(monkeypatch):
    """Whatever this machine does meanwhile, its figures count."""
    monkeypatch.setattr(linux, "problems", lambda *_: [])


def documented():
    """Keys in the first columns of the tables of docs/profile-format.md, and those that it names in text."""
    return set(re.findall(r"`([a-z0-9_]+)`", DOCS.read_text()))


def keys(value, skip):
    """Keys of a document, but below those in ``skip``."""
    if isinstance(value, list):
        return {key for each in value for key in keys(each, skip)}
    if not isinstance(value, dict):
        return set()
    inner = {key for name, each in value.items() if name not in skip for key in keys(each, skip)}
    return {str(name) for name in value} | inner


# Below these, keys are names or are documented elsewhere.
FREE = {"device", "formats", "parameter_bytes", "stages"}


def test_everything_that_is_measured(cli, bundle, tmp_path, trusted):
    paced = ("--rate", "500", "--paced-seconds", "0.1")
    budgets = ("--max-p99-us", "1e9", "--max-error", "0.1")
    out, err = cli(bundle, *QUICK, *paced, *budgets, "-o", tmp_path / "new" / "p", "--json")
    assert out.count("\n") == 1
    document = json.loads(out)
    assert document == json.loads((tmp_path / "new" / "p" / "profile.json").read_text())
    known = documented()
    assert keys(document, FREE) <= known | FREE | {"sensory", "unfolds", "readout"}
    assert set(document["device"]) >= {"before", "after", "inventory"}
    assert set(document["formats"]) == {"onnx", "c-float32"}
    for row in document["formats"].values():
        assert keys(row, FREE) <= known
        assert row["status"] == "ok"
        assert row["max_abs_error"] < 1e-4
        assert row["latency_us"]["samples"] == 200
        assert sum(row["histogram"]["counts"]) == 200
        assert row["latency_us"]["p999"] is None
        assert len(row["rounds_us"]) == len(row["yardsticks_us"]) == document["settings"]["rounds"]
        assert row["rss_bytes"] > 0
        assert row["cold_start_ms"] > row["load_ms"] > 0
        assert [run["load"] for run in row["paced"]] == ["idle", "busy"]
        assert {run["periods"] for run in row["paced"]} == {50}
    runtime = document["formats"]["c-float32"]["runtime"]
    assert runtime["flags"] == document["settings"]["compiler_flags"]
    assert document["formats"]["onnx"]["runtime"]["version"].startswith("onnxruntime ")
    assert (document["valid"], document["partial"], document["problems"]) == (True, False, [])
    assert document["recommendation"]["format"] in document["formats"]
    assert document["baseline"] is None
    assert [entry["kept"] for entry in document["budgets"]] == [True] * 4
    rows = list(csv.DictReader((tmp_path / "new" / "p" / "profile.csv").read_text().splitlines()))
    assert {row["format"] for row in rows} == {"onnx", "c-float32"}
    assert "Traceback" not in err


def test_tables_for_people_in_a_folder_that_has_a_profile(cli, bundle, tmp_path, trusted):
    (tmp_path / "profile.json").write_text("mine")
    one = (bundle, *QUICK, "--format", "c-float32", "-o", tmp_path)
    _, err = cli(*one, expect=2)
    assert err == (
        f"Error: {tmp_path}: has a profile.json already; choose another with -o, or replace it with --force\n"
    )
    assert (tmp_path / "profile.json").read_text() == "mine"
    out, _ = cli(*one, "--force")
    assert json.loads((tmp_path / "profile.json").read_text())["format"] == "ltc-edge profile"
    assert f"Written: {tmp_path}" in out
    assert f"Next: ltc-edge report {bundle} --profile {tmp_path / 'profile.json'} -o report.html" in out


def test_budgets(cli, bundle, trusted):
    one = (bundle, *QUICK, "--format", "c-float32", "--json")
    out, err = cli(*one, "--max-p99-us", "0", "--max-error", "0", "--max-p999-us", "1e6", expect=1)
    document = json.loads(out)
    assert [entry["kept"] for entry in document["budgets"]] == [False, False, False]
    assert document["recommendation"] is None
    lines = err.splitlines()
    assert len([line for line in lines if line.startswith("Failed: c-float32: ")]) == 2
    assert lines[-1].startswith("Error: c-float32: ")
    assert "over --max-p99-us 0" in err
    assert "--max-p999-us cannot be judged" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-flash-bytes", "1"), "--max-flash-bytes is not measured here"),
        (("--max-deadline-misses", "1"), "--max-deadline-misses is not measured here"),
        (("--fifo", "50"), "--fifo is for steps at a rate"),
        (("--iterations", "99"), "--iterations"),
        (("--seconds", "nan"), "--seconds"),
        (("--c-flags", "'"), "--c-flags cannot be read"),
        (("--target", "ssh://-oProxyCommand=x"), "is no address"),
        (("--target", "pdp-11"), "pdp-11"),
        (("--format", "c-int16"), "has no c-int16; it has c-float32, onnx"),
        (("--state", "a:b"), "a bundle knows its state"),
        (("--baseline", "/none.json"), "/none.json: cannot be read"),
        (("--baseline", str(DOCS)), "is no profile of"),
        (("--python", "no-such-python"), "no-such-python cannot be started"),
        (("--remote-dir", "/proc"), "the agent cannot work there: /proc"),
        (("-o", "/dev/full"), "/dev/full: exists and is not a folder"),
        (("-o", "/proc"), "/proc: cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_line(cli, bundle, options, said):
    out, err = cli(bundle, *QUICK, *options, expect=2)
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert said in err


def test_what_is_no_subject(cli, tmp_path):
    (tmp_path / "garbage.onnx").write_bytes(b"garbage")
    for subject, said in (
        (tmp_path, "is no bundle"),
        (tmp_path / "none", "there is no such bundle"),
        (tmp_path / "none.onnx", "cannot be read"),
    ):
        _, err = cli(subject, *QUICK, expect=2)
        assert said in err
        assert err.count("\n") == 1
    _, err = cli(tmp_path / "garbage.onnx", *QUICK, expect=2)
    assert "garbage.onnx: refused (unsupported): ONNX Runtime" in err
    assert "cannot load it" in err


def test_a_throttled_device(cli, bundle, monkeypatch):
    monkeypatch.setattr(linux, "problems", lambda *_: ["it was throttled", "its frequency moved"])
    one = (bundle, *QUICK, "--format", "c-float32", "--json")
    out, err = cli(*one, expect=1)
    document = json.loads(out)
    assert (document["valid"], document["recommendation"]) == (False, None)
    assert document["problems"] == ["it was throttled", "its frequency moved"]
    assert err.splitlines()[-2:] == [
        "Failed: its frequency moved",
        "Error: it was throttled; --allow-throttled lets it pass",
    ]
    check_profile(document, (), allow_throttled=True)


def test_formats_that_cannot_run(cli, bundle, trusted, tmp_path):
    """What broke fails the run, whether it was asked for by name or not; the others are in the profile."""
    out, _ = cli(bundle, *QUICK, "--c-flags=-fno-such-flag", "--json", expect=1)
    row = json.loads(out)["formats"]["c-float32"]
    assert (row["status"], row["reason"]) == ("failed", "broke")
    assert "no-such-flag" in row["detail"]
    assert "latency_us" not in row
    assert json.loads(out)["formats"]["onnx"]["status"] == "ok"
    (line,) = not_run(json.loads(out), ())
    assert line.startswith("c-float32: failed (broke): ")


def test_a_baseline(cli, bundle, trusted, tmp_path):
    one = (bundle, *QUICK, "--format", "c-float32")
    cli(*one, "-o", tmp_path)
    path = tmp_path / "profile.json"
    document = json.loads(path.read_text())
    row = document["formats"]["c-float32"]
    # A thousandth of the time then, on a machine that was no faster: as if all had become slower.
    row["rounds_us"] = [us / 1000 for us in row["rounds_us"]]
    row["yardsticks_us"] = [[1e9, 1e9]] * len(row["rounds_us"])
    path.write_text(json.dumps(document))
    out, err = cli(*one, "--baseline", path, "--json", expect=1)
    compared = json.loads(out)["baseline"]
    assert compared["file"] == str(path)
    assert compared["formats"]["c-float32"]["regression"] is True
    assert "% slower than in" in err


def test_an_earlier_bundle(cli, bundle, trusted):
    out, _ = cli(
        bundle, *QUICK, "--format", "c-float32", "--baseline", bundle, "--max-p99-us", "1e9", "--json"
    )
    document = json.loads(out)
    assert set(document["formats"]) == {"c-float32"}
    compared = document["baseline"]
    assert compared["interleaved"] is True
    assert set(compared["formats"]) == {"c-float32"}


def counter(path):
    one = [1, 1]
    graph = helper.make_graph(
        [helper.make_node("Add", ["h_in", "x"], ["h_out"])],
        "counter",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, one) for name in ("x", "h_in")],
        [helper.make_tensor_value_info("h_out", TensorProto.FLOAT, one)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    return path


def test_a_model_of_somebody_elses(cli, tmp_path, trusted):
    model = counter(tmp_path / "counter.onnx")
    out, _ = cli(model, *QUICK, "--state", "h_in:h_out", "--json")
    document = json.loads(out)
    assert document["subject"]["kind"] == "model"
    assert (document["controller"], document["parameters_effective"]) == (None, None)
    row = document["formats"]["counter.onnx"]
    assert row["status"] == "ok"
    assert row.get("max_abs_error") is None
    for options, said in (
        (("--state", "h_in"), "is not a pair INPUT:OUTPUT"),
        (("--state", "h:h_out"), "has no input 'h'"),
        (("--format", "onnx"), "is one model"),
        (("--max-error", "1"), "--max-error is not measured"),
        (("--target", "cortex-m4"), "a model runs on local and ssh:// targets"),
    ):
        _, err = cli(model, *QUICK, *options, expect=2)
        assert said in err


def test_ctrl_c_keeps_what_was_measured_and_leaves_nothing(bundle, tmp_path):
    """In the middle of a paced run, by when formats were timed."""
    temporary, output = tmp_path / "tmp", tmp_path / "out"
    temporary.mkdir()
    # What runs in the background of a shell ignores Ctrl-C, and so do its children.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = heed + "from ltc_edge.cli.main import main; main()"
    command = [sys.executable, "-c", code, "profile", bundle, *QUICK]
    started = subprocess.Popen(
        [
            *command,
            "--format",
            "c-float32",
            "--rate",
            "100",
            "--paced-seconds",
            "600",
            "--json",
            "-o",
            output,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
        start_new_session=True,
    )
    try:
        wait_for_paced(temporary, started)
        os.killpg(started.pid, signal.SIGINT)
        out, err = started.communicate(timeout=DEADLINE_S)
    finally:
        started.kill()
    assert started.returncode == 130, err
    assert err.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in err
    document = json.loads(out)
    assert document == json.loads((output / "profile.json").read_text())
    assert document["partial"] is True
    assert document["recommendation"] is None
    assert document["formats"]["c-float32"]["latency_us"]["samples"] == 200
    assert list(temporary.iterdir()) == []
    assert [pid for pid in processes() if is_in(pid, temporary)] == []


def processes():
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def is_in(entry, folder):
    try:
        return (entry / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def wait_for_paced(folder, started):
    """Until a second process of the program runs: the first was timed, and the next one is paced."""
    seen, deadline = set(), time.monotonic() + DEADLINE_S
    while len(seen) < 2:
        assert started.poll() is None, started.stderr.read()
        assert time.monotonic() < deadline
        for entry in processes():
            with contextlib.suppress(OSError):
                if (entry / "exe").readlink().name == "program" and is_in(entry, folder):
                    seen.add(entry.name)
        time.sleep(0.01)
