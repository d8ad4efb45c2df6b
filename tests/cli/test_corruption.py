"""``ltc-edge evaluate --corrupt`` as a user meets it."""

import functools
import json

import numpy as np
import pytest

from ltc_edge.cli.main import INTERRUPTED
from ltc_edge.errors import DeviceError
from ltc_edge.evaluation.corruption.campaign import Campaign
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.runtimes.reference import ReferenceStepper


@pytest.fixture
def evaluate(lag_bundle, tiny_folder, monkeypatch, cli):
    monkeypatch.chdir(tiny_folder)
    return functools.partial(cli, "evaluate", lag_bundle, "--trust-task")


def test_the_c_of_a_bundle_under_corruption_and_faults(evaluate, tmp_path):
    picture = tmp_path / "curves.png"
    chosen = ("--corrupt", "faults, noise,plant-parameters", "--format", "c-float32", "--episodes", 3)
    out, err = evaluate(*chosen, "--picture", picture, "--json")
    document = json.loads(out)
    assert "with 3 episodes intervals are wide" in err
    assert document["notes"] == [err.removeprefix("Note: ").strip()]
    assert document["pack"] == {"version": PACK.version, "sha256": PACK.sha256}
    assert document["parameters_effective"] > 0
    assert document["unavailable"].keys() == {"plant-parameters"}
    assert document["corruptions"].keys() == {"noise"}
    noise = document["corruptions"]["noise"]
    assert noise["levels"] == list(PACK["noise"].levels)
    assert [each["failures"] <= 3 for each in noise["severities"]] == [True] * 5
    assert noise["relative_area"] == pytest.approx(1.0, abs=0.01)
    assert document["area_mean"] == noise["area"]
    assert document["sigma"].keys() == {"target", "level"}
    for fault in document["faults"]:
        assert fault["holds"] is True
        bit = {"late": "DT_CLAMPED", "stale": None}.get(fault["fault"], "NONFINITE_INPUT")
        assert fault["answered"] == (None if bit is None else fault["status_bits"][bit]) != 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_tables_say_what_was_asked_of_whom(evaluate):
    out, _ = evaluate("--corrupt", "faults,bias,plant-parameters", "--episodes", 2)
    for words in ("severity", "bias", "plant-parameters cannot be had", PACK.sha256, "InputError (15)"):
        assert words in out


def test_a_fault_that_reaches_the_actuator_is_a_failed_check(evaluate, monkeypatch):
    monkeypatch.setattr(ReferenceStepper, "step", lambda *_: np.array([np.nan]))
    out, err = evaluate("--corrupt", "faults", expect=1)
    assert "NOT SOUND" in out
    assert "not answered as docs/robustness.md promises: nan, +inf" in err


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (DeviceError("/dev/ttyX: no answer"), 2, "Error: /dev/ttyX: no answer"),
        (KeyboardInterrupt(), INTERRUPTED, "I"),
    ],
)
def test_what_was_done_is_shown_when_a_target_vanishes_or_the_user_leaves(
    evaluate, monkeypatch, raised, code, message
):
    curve = Campaign.curve

    def until_drift(self, kind, on_share):
        if kind == "drift":
            raise raised
        return curve(self, kind, on_share)

    monkeypatch.setattr(Campaign, "curve", until_drift)
    out, err = evaluate("--corrupt", "all", "--episodes", 2, expect=code)
    assert "2 episodes, not finished" in out
    assert "bias" in out
    assert "drift" not in out
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--corrupt", "nose"), "there is no corruption 'nose': did you mean 'noise'?"),
        (("--corrupt", ""), "there is no corruption ''"),
        (("--corrupt", "faults", "--picture", "p.png"), "--corrupt faults has none"),
        (("--corrupt", "plant-parameters"), "plant-parameters cannot be had: lag does not say what"),
        (("--corrupt", "noise", "--seed", 400_000), "must lie in 0 to 400000"),
        (("--corrupt", "noise", "--format", "onnx-int8"), "has no onnx-int8"),
    ],
)
def test_what_makes_no_sense_is_refused(evaluate, arguments, message):
    out, err = evaluate(*arguments, expect=2)
    assert message in err
    assert err.count("\n") == 1
    assert not out
