"""``ltc-edge evaluate --rate`` as a user meets it."""

import functools
import json

import pytest

from ltc_edge.bundle.bundle import load_bundle


@pytest.fixture
def evaluate(lag_bundle, tiny_folder, monkeypatch, cli):
    monkeypatch.chdir(tiny_folder)
    return functools.partial(cli, "evaluate", lag_bundle, "--trust-task")


def test_rates_are_played_with_the_c_of_a_bundle(evaluate, lag_bundle):
    out, err = evaluate("--rate", "25, 50,100,500,4", "--format", "c-float32", "--episodes", 3, "--json")
    document = json.loads(out)
    assert "intervals of so few episodes (3) are wide" in err
    assert document["subject"] == {"sha256": load_bundle(lag_bundle).manifest_sha256()}
    assert document["native_hz"] == pytest.approx(50.0)
    assert document["parameters_effective"] > 0
    rates = {entry["rate_hz"]: entry for entry in document["rates"]}
    assert list(rates) == [25.0, 50.0, 100.0, 500.0, 4.0]
    assert [entry["status"] for entry in rates.values()] == [
        "stepped",
        "stepped",
        "refused",  # this task has no steps shorter than its own
        "decimated",
        "refused",
    ]
    assert rates[25.0]["step_s"] == pytest.approx(0.04)
    low, high = rates[25.0]["told"]["lost"]["ci95"]
    assert low <= rates[25.0]["told"]["lost"]["mean"] <= high
    for native in (rates[50.0], rates[500.0]):
        assert native["told"]["return_mean"] == document["return_mean"]
        assert native["gained"] == {"mean": 0.0, "ci95": [0.0, 0.0]}
    assert "make_plants_every" in rates[100.0]["reason"]
    assert rates[4.0]["told"] is None


def test_the_table_says_what_was_decimated_and_refused(evaluate):
    out, _ = evaluate("--rate", "25,500,4", "--episodes", 2)
    for words in ("natively", "each, 40 ms", "every 10, 20 ms", "Refused: rate: 4 Hz is a period of 250 ms"):
        assert words in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "fast"), "is not a list of rates"),
        (("--rate", "0"), "is not a list of rates"),
        (("--rate", "nan,20"), "is not a list of rates"),
        (("--rate", "1e300"), "0.01 to 100000 Hz"),
        (("--rate", ",".join(map(str, range(1, 60)))), "too many"),
        (("--rate", "4"), "10 to 80 ms"),
        (("--rate", "25", "--corrupt", "noise"), "one at a time"),
        (("--rate", "25", "--picture", "x.png"), "draws nothing of --rate"),
    ],
)
def test_what_cannot_be_played_is_one_line(evaluate, arguments, message):
    out, err = evaluate(*arguments, expect=2)
    assert message in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert out == ""
