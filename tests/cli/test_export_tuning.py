"""export --solver, --unfolds and --finetune, as a user meets them."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.bundle import lessons
from ltc_edge.controller_file import save_controller
from ltc_edge.training import finetuning
from ltc_edge.training.collection import CollectionOptions
from ltc_edge.verification.trials import free_run

TASK = ("--task", "tiny_task:Lag", "--episodes", 4, "--format", "onnx-int16")


@pytest.fixture(autouse=True)
def short(tiny_folder, monkeypatch):
    """In a folder with the task, with little of everything."""
    monkeypatch.chdir(tiny_folder)
    monkeypatch.setattr(
        "ltc_edge.verification.verify.free_run", lambda built, about=None: free_run(built, about, steps=300)
    )
    few = finetuning.FinetuneOptions(
        rounds=1, updates=4, batch=4, collection=CollectionOptions(least=2, most=2)
    )
    monkeypatch.setattr(finetuning, "GOALS", {"solver": few, "integers": few})
    for name, value in (("EXCITED", 4), ("EXCITED_STEPS", 48), ("EPISODES", 2)):
        monkeypatch.setattr(lessons, name, value)


@pytest.fixture
def source(tiny_controller, tmp_path):
    save_controller(tiny_controller(), tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def test_a_change_is_reported_and_recorded(source, tmp_path, cli):
    asked = ("export", source, "-o", tmp_path / "bundle", *TASK, "--unfolds", 5, "--finetune", "--json")
    out, _ = cli(*asked)
    change = json.loads(out)["change"]
    assert change["unfolds"] == {"before": 4, "after": 5}
    assert change["solver"] == {"before": "fused", "after": "fused"}
    assert [phase["goal"] for phase in change["finetuned"]] == ["solver", "integers"]
    for phase in change["finetuned"]:
        assert phase.keys() == {"goal", "seconds", "updates", "before", "after", "noise"}
        assert (phase["noise"] is None) == (phase["goal"] == "solver")
        assert phase["updates"] == 4
        assert phase["after"]["errors"].keys() == {"loop", "excitation"}
    cost = change["cost"]
    assert cost["metric"] == "return"
    assert cost["lost_percent"] <= 1.0
    assert change["formats_lost_percent"].keys() == {"onnx", "onnx-int16"}
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["change"]["cost"] == cost
    card = (tmp_path / "bundle" / "model_card.md").read_text()
    assert "Solver: fused with 4 sub-steps in training, fused with 5 sub-steps here." in card
    assert "Fine-tuned for integers" in card
    cli("verify", tmp_path / "bundle", "--episodes", 2, "--trust-task")


def test_a_change_that_costs_too_much_is_refused(source, tmp_path, cli, monkeypatch):
    monkeypatch.setattr("ltc_edge.verification.change.GREATEST_LOSS_PERCENT", -np.inf)
    monkeypatch.setattr(
        "ltc_edge.verification.change.return_statistics",
        lambda lost: type("Statistics", (), {"mean": float(lost.mean()), "ci95": (1.0, 2.0)}),
    )
    bundle = tmp_path / "bundle"
    _, err = cli("export", source, "-o", bundle, *TASK, "--unfolds", 1, expect=1)
    assert "no bundle was written: add --finetune, or take more --unfolds" in err
    assert not bundle.exists()


def test_wishes_without_sense_are_refused_in_a_line(source, tmp_path, cli):
    bundle = tmp_path / "bundle"
    for options, message in (
        (("--seed", 1), "--seed says nothing without --finetune"),
        (("--finetune", "--format", "onnx"), "--finetune has nothing to win back"),
        (("--finetune", "--format", "onnx-int16"), "--finetune needs to know what the controller will see"),
    ):
        _, err = cli("export", source, "-o", bundle, *options, expect=2)
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert message in err
        assert not bundle.exists()


def test_a_recording_stands_in_for_a_task(source, tmp_path, cli):
    rng = np.random.default_rng(3)
    rows = "\n".join(f"{a:.4f},{b:.4f}" for a, b in rng.normal(0.0, 0.4, size=(300, 2)))
    (tmp_path / "seen.csv").write_text(f"target,level\n{rows}\n")
    asked = ("export", source, "-o", tmp_path / "bundle", "--format", "onnx-int16", "--finetune", "--json")
    out, _ = cli(*asked, "--calibration", tmp_path / "seen.csv")
    change = json.loads(out)["change"]
    assert change["cost"] is None
    (phase,) = change["finetuned"]
    assert phase["before"]["errors"].keys() == {"recording", "excitation"}
    (tmp_path / "short.csv").write_text("\n".join(f"target,level\n{rows}\n".splitlines()[:50]) + "\n")
    _, err = cli(*asked, "--force", "--calibration", tmp_path / "short.csv", expect=2)
    assert "--calibration has 49 rows, too few to fine-tune on" in err
