"""``ltc-edge descent`` as a user meets it."""

import json

import numpy as np
import pytest

from ltc_edge.cli.main import INTERRUPTED
from ltc_edge.evaluation.descent import picture, sweep

CONTROL = ("--cell", "random-features", "--windows", 12, "--widths", "3,12,36", "--window", 4, "--jobs", 1)


@pytest.fixture
def recording(tmp_path):
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((600, 2))
    columns = [inputs, inputs[:, :1] * inputs[:, 1:], inputs[:, :1] > 0]
    path = tmp_path / "log.csv"
    np.savetxt(path, np.column_stack(columns), delimiter=",", header="u,q,y,label", comments="")
    return path


@pytest.fixture
def undrawn(monkeypatch):
    """Without the picture, which takes longer than all else."""
    monkeypatch.setattr(picture, "draw_sweep", lambda *_: None)


def test_the_control_case_and_going_on_with_it(cli, tmp_path, monkeypatch):
    out, err = cli("descent", "white-noise", *CONTROL, "--seeds", 3, "-o", tmp_path / "out", "--json")
    document = json.loads(out)
    assert "with 3 seeds intervals are wide" in err
    assert (document["labels"], document["outputs"], document["windows"]) == (12, 1, 12)
    assert document["n_d_eff"] == pytest.approx(12 * document["d_eff"])
    assert json.loads((tmp_path / "out/random-features.json").read_text()) == document
    assert (tmp_path / "out/random-features.png").read_bytes().startswith(b"\x89PNG")
    clean, noisy = document["curves"]
    assert (clean["label_noise"], noisy["noise"]) == (0.0, 0.2)
    assert noisy["label_noise"] > 0
    assert noisy["interpolates_from_width"] == 12
    for point in noisy["points"]:
        low, high = point["test_error_ci95"]
        assert low < point["test_error"] < high
        assert len(point["train_error_of_seeds"]) == 3
        assert point["lipschitz_lower"] <= point["lipschitz_upper"]
        assert point["parameters_per_label"] == pytest.approx(point["parameters"] / 12)
        assert point["stopped"] == {"closed-form": 3}

    monkeypatch.setattr(picture, "draw_sweep", lambda *_: None)
    first = next((tmp_path / "out/results").iterdir())
    first.write_text("{")
    out, err = cli("descent", "white-noise", *CONTROL, "--seeds", 3, "-o", tmp_path / "out")
    assert f"Note: {first} was damaged, and is done again" in err
    for words in (
        "20 % wrong labels. Labels are known by heart from width 12",
        "12 labels; n·d_eff",
        "ridge",
    ):
        assert words in out


def test_a_network_on_recordings_of_classes(cli, recording, tmp_path, undrawn):
    out, _ = cli(
        *(
            "descent",
            "--data",
            recording,
            "--inputs",
            "u,q",
            "--targets",
            "label",
            "--kind",
            "classification",
        ),
        *("--cell", "cfc", "--widths", "1,2,3", "--windows", 8, "--window", 2, "--updates", 3, "--seeds", 2),
        *("--noise", "0.5", "-j", 1, "-o", tmp_path / "out", "--json"),
    )
    document = json.loads(out)
    assert document["metric"] == "share of wrong classes"
    assert document["labels"] == 16
    (curve,) = document["curves"]
    assert curve["label_noise"] == 0.5
    assert curve["premise_met"] is False
    assert [point["stopped"] for point in curve["points"]] == [{"updates": 2}] * 3


def test_demonstrations_of_a_control_task(cli, tiny_folder, monkeypatch, tmp_path, undrawn):
    monkeypatch.chdir(tiny_folder)
    out, _ = cli("descent", "tiny_task:Lag", *CONTROL, "--seeds", 2, "--noise", 0, "-o", tmp_path, "--json")
    document = json.loads(out)
    assert (document["subject"], document["windows_to_draw_from"]) == ("tiny_task:Lag", 32 * 6)


def test_ctrl_c_says_how_to_go_on(cli, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "fit", interrupted)
    _, err = cli("descent", "white-noise", *CONTROL, "-o", tmp_path, expect=INTERRUPTED)
    assert "the same command goes on" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing given: say one of TASK, such as white-noise, or --data"),
        (("white-noise", "--data", "x.csv"), "white-noise says all itself; leave out --data"),
        (("white-noise", "--time", "t"), "white-noise says all itself; leave out --time"),
        (("cartpole", "--data", "x.csv"), "TASK and --data given"),
        (("cartpoll",), "did you mean 'cartpole'"),
        (("emps",), "emps needs its recordings: --data-dir"),
        (("white-noise", "--widths", "1,2"), "takes three widths or more"),
        (("white-noise", "--widths", "1,two,3"), "'1,two,3' is not a list of widths"),
        (("white-noise", "--noise", "20"), "takes shares of wrong labels, from 0 to 1"),
        (("white-noise", "--noise", "nan"), "takes shares of wrong labels, from 0 to 1"),
        (("white-noise", "--windows", 5000), "there are 400 training windows of 8 rows, not 5000"),
        (("white-noise", "--cell", "gru", "--unfolds", 2), "--unfolds says nothing about --cell gru"),
        (("white-noise", "--cell", "random-features", "--updates", 2), "--updates says nothing about --cell"),
        (("white-noise", "--widths", "1,2,9999"), "9999"),
        (("white-noise", "--learning-rate", "nan"), "nan"),
    ],
)
def test_what_makes_no_sense_is_refused(cli, tmp_path, arguments, message):
    out, err = cli("descent", *arguments, "-o", tmp_path / "out", expect=2)
    assert message in err
    assert err.count("\n") == 1
    assert not out
    assert not (tmp_path / "out").exists()
