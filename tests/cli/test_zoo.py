"""``ltc-edge zoo``: from a name to a bundle that verifies with what the base install has."""

import dataclasses
import json
import subprocess
import sys

import pytest

from ltc_edge.cli.zoo_table import print_entries
from ltc_edge.controller_file import load_controller
from ltc_edge.evaluation.closed_loop import check_fit
from ltc_edge.tasks import make_task
from ltc_edge.zoo.index import load_index

ENTRIES = list(load_index().entries.values())
CONTROL = next(entry for entry in ENTRIES if entry.task == "cartpole")


def test_list_prints_every_entry_and_what_is_missing(cli):
    out, _ = cli("zoo", "list")
    for task in load_index().tasks():
        assert f"{task}: " in out
    for cell, size in {(entry.cell, entry.size) for entry in ENTRIES}:
        assert out.count(f" {cell} {size} ") == sum((e.cell, e.size) == (cell, size) for e in ENTRIES)
    for missing in load_index().missing:
        assert f"Not there: {missing.task}: " in out
    assert "Next: ltc-edge zoo get " in out


def test_list_as_json_has_the_documented_keys(cli):
    document = json.loads(cli("zoo", "list", "--task", "cartpole", "--json")[0])
    assert document.keys() == {"entries", "missing"}
    assert [entry["name"] for entry in document["entries"]] == [
        entry.name for entry in ENTRIES if entry.task == "cartpole"
    ]
    first = document["entries"][0]
    assert {"score", "seeds", "corruption", "formats", "command", "made_with", "sha256"} <= first.keys()


def test_what_has_no_integers_is_marked(capsys):
    """So that its figures, of floats, are not taken for those of integers."""
    document = {**CONTROL.document, "format": "c-float32", "refused": {"c-int16": "too coarse"}}
    print_entries([CONTROL, dataclasses.replace(CONTROL, document=document)])
    out = capsys.readouterr().out
    label = f" {CONTROL.cell} {CONTROL.size} "
    assert out.count(label) == 2
    assert out.count(label + "†") == 1
    assert "† has no c-int16, which was refused: its figures are of c-float32." in out
    print_entries([CONTROL])
    assert "†" not in capsys.readouterr().out


def test_show_prints_the_card(cli):
    out, _ = cli("zoo", "show", CONTROL.name)
    assert f"## In the zoo: {CONTROL.name}" in out
    assert CONTROL.document["command"] in out


def test_what_was_got_verifies_and_returns_what_is_listed(cli, tmp_path):
    pytest.importorskip("gymnasium", reason="gymnasium is not installed (extra: train)")
    got = json.loads(cli("zoo", "get", CONTROL.name, "-o", tmp_path / "b", "--format", "onnx", "--json")[0])
    assert got["sha256"]["manifest"] == CONTROL.digests.manifest
    # The hundred episodes of the index, in one batch; then a few through onnxruntime.
    played = json.loads(cli("evaluate", tmp_path / "b", "--episodes", 100, "--json")[0])
    low, high = CONTROL.document["score"]["ci95"]
    assert low <= played["return_mean"] <= high
    verified = json.loads(cli("verify", tmp_path / "b", "--episodes", 2, "--json")[0])
    assert verified["ok"]
    assert verified["formats"]["onnx"]["return_lost_percent"] == pytest.approx(0.0, abs=0.1)


def test_get_needs_neither_torch_nor_gymnasium_nor_a_compiler(tmp_path):
    """The base install alone, and no network: whatever else is imported, or started, fails."""
    program = """
import sys
for name in ("torch", "gymnasium", "mujoco", "scipy", "matplotlib", "unicorn"):
    sys.modules[name] = None
import socket, subprocess
socket.socket = subprocess.Popen = None
from ltc_edge.cli.main import main
main(sys.argv[1:])
"""
    arguments = ["zoo", "get", CONTROL.name, "-o", str(tmp_path / "b")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b" / "c-int16").is_dir()


def test_the_controller_fits_its_task_to_train_on_from(cli, tmp_path):
    start = tmp_path / "start.safetensors"
    out, _ = cli("zoo", "get", CONTROL.name, "--controller", "-o", start)
    assert f"Next: ltc-edge train cartpole --from {start} -o RUN" in out
    controller = load_controller(start)
    check_fit(make_task("cartpole", "positions"), controller)
    assert controller.parameters_effective() == CONTROL.document["parameters_effective"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("get", "cartpol"), "did you mean 'cartpole'?"),
        (("get", CONTROL.name, "--size", "small"), "leave --cell and --size out"),
        (("get", "cartpole", "--controller", "--format", "onnx"), "leave --format out"),
        (("get", "cartpole", "--format", "tflite"), "take its --controller"),
        (("show", "nothing-like-it"), "`ltc-edge zoo list` lists what there is"),
    ],
)
def test_bad_input_is_one_line(arguments, said, cli, tmp_path):
    where = ("-o", tmp_path / "b") if arguments[0] == "get" else ()
    _, err = cli("zoo", *arguments, *where, expect=2)
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "b").exists()


def test_a_place_that_cannot_be_written_is_one_line(cli, tmp_path):
    (tmp_path / "file").write_text("")
    for extra in ((), ("--controller",)):
        _, err = cli("zoo", "get", "cartpole", "-o", tmp_path / "file" / "b", *extra, expect=2)
        assert "cannot be written" in err
        assert err.count("\n") == 1
