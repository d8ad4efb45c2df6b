"""``ltc-edge robustness`` as a user meets it."""

import json

import pytest


@pytest.fixture
def robustness(lag_bundle, tiny_folder, monkeypatch, cli):
    monkeypatch.chdir(tiny_folder)
    few = ("--points", 3, "--budget", 4, "--episodes", 2)

    def run(*arguments, expect=0):
        return cli("robustness", lag_bundle, "--trust-task", *few, *arguments, expect=expect)

    return run


def test_one_object_with_everything(robustness):
    out, _ = robustness("--steps", 2, "--radius", "0.05,0.01", "--json")
    document = json.loads(out)
    rows = document["brackets"]
    assert [(row["change"], row["radius"], row["with_state"]) for row in rows] == [
        (change, radius, state)
        for change in ("step", "held", "each")
        for radius in (0.01, 0.05)
        for state in (False, True)
    ]
    for row in rows:
        assert 0 < row["lower"] <= row["upper"]
        assert row["ratio"] == row["upper"] / row["lower"]
        readings = 4 if row["change"] == "each" else 2
        assert [len(line) for line in row["entries_upper_raw"]] == [readings]
        # A raw reading is a normalised one times 0.6 or 0.5, and the action's scale is 1.
        raw, normal = row["entries_upper_raw"][0][:2], row["entries_upper"][0][:2]
        assert [a * b for a, b in zip(raw, (0.6, 0.5), strict=True)] == pytest.approx(normal)
    assert document["points"] == 3
    assert [row["radius"] for row in document["contraction"]] == [0.01, 0.05]
    assert all(row["certified"] == (row["bound"] < 1) for row in document["contraction"])
    assert document["proved"]["state"]["holds"] is True
    assert document["margins"] == {"unavailable": "an episode of 25 steps is too short to see a loop at rest"}


def test_plain_words_then_tables(robustness):
    out, _ = robustness("--radius", "0.01")
    assert out.startswith(
        "Near 3 visited steps, where readings are within ±0.01, a change of 1 in the readings"
    )
    for words in (
        "at most",
        "at least",
        "drive [V]",
        "Contraction",
        "τ [s]",
        "Stability margins: not available",
    ):
        assert words in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--radius", "0"), "not positive and finite"),
        (("--radius", "0.01,-1"), "not positive and finite"),
        (("--radius", "inf"), "not positive and finite"),
        (("--radius", "nan"), "not positive and finite"),
        (("--radius", "wide"), "not a list of numbers"),
        (("--steps", "0"), "--steps"),
        (("--steps", "26"), "no episode or window has 26 steps"),
        (("--seed", "400000"), "training's"),
    ],
)
def test_bad_arguments_are_one_line(robustness, arguments, words):
    _, err = robustness(*arguments, expect=2)
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_what_is_no_run_or_not_trusted(cli, lag_bundle, tmp_path):
    _, err = cli("robustness", tmp_path, expect=2)
    assert str(tmp_path) in err
    _, err = cli("robustness", lag_bundle, expect=2)
    assert "--trust-task" in err
