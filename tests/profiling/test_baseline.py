"""Comparing with an earlier profile: what is a slow-down, what is none, and files that are no profile."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.errors import InputError
from ltc_edge.profiling.baseline import FORMAT, compare, read_baseline, refuse_other_device, regressions

FILE = Path("earlier.json")
ROUNDS = 12


def timed(seed, slower=1.0, machine=1.0, rounds=ROUNDS, step_us=10.0, drift=None):
    """A format's rounds with the noise of a quiet machine; ``machine``: how much slower it is altogether."""
    rng = np.random.default_rng(seed)
    drift = np.ones(rounds) if drift is None else drift
    times = step_us * slower * machine * drift * rng.normal(1, 0.01, rounds)
    yards = 5.0 * machine * drift[:, None] * rng.normal(1, 0.005, (rounds, 2))
    return {"status": "ok", "rounds_us": times.tolist(), "yardsticks_us": yards.tolist()}


def one(row, before, *, interleaved):
    return compare(FILE, {"onnx": before}, {"onnx": row}, interleaved=interleaved)["formats"]["onnx"]


@pytest.mark.parametrize("interleaved", [True, False])
def test_a_planted_slow_down_is_told(interleaved):
    compared = compare(FILE, {"onnx": timed(1)}, {"onnx": timed(2, slower=1.2)}, interleaved=interleaved)
    entry = compared["formats"]["onnx"]
    assert entry["regression"]
    assert entry["ratio"] == pytest.approx(1.2, rel=0.02)
    assert 1.15 < entry["ci99"][0] < entry["ratio"] < entry["ci99"][1] < 1.25
    (line,) = regressions(compared)
    assert line.startswith("onnx: ")
    assert "% slower than in earlier.json (99 % interval " in line


@pytest.mark.parametrize("interleaved", [True, False])
def test_equal_formats_are_not_slower(interleaved):
    for seed in range(0, 24, 2):
        compared = compare(FILE, {"onnx": timed(seed)}, {"onnx": timed(seed + 1)}, interleaved=interleaved)
        assert regressions(compared) == []


@pytest.mark.parametrize("interleaved", [True, False])
def test_what_became_faster_is_no_regression(interleaved):
    entry = one(timed(1, slower=0.5), timed(2), interleaved=interleaved)
    assert not entry["regression"]
    assert entry["ratio"] == pytest.approx(0.5, rel=0.02)


def test_a_slower_machine_is_no_slower_format():
    then, now = timed(1), timed(2, slower=1.15, machine=1.3)
    assert one(now, then, interleaved=False)["machine_slower"] == pytest.approx(1.3, rel=0.02)
    assert not one(now, then, interleaved=False)["regression"]
    # In the same rounds, what slowed the machine slowed both.
    assert one(timed(2, slower=1.5), then, interleaved=False)["regression"]


def test_pairs_tell_through_a_machine_that_keeps_changing():
    drift = np.random.default_rng(9).uniform(1, 3, ROUNDS)
    before = timed(1, drift=drift)
    assert one(timed(2, slower=1.15, drift=drift), before, interleaved=True)["regression"]
    assert not one(timed(3, drift=drift), before, interleaved=True)["regression"]


def test_a_faster_machine_hides_nothing():
    entry = one(timed(1, slower=1.2), timed(2, machine=1.0), interleaved=False)
    assert entry["allowed"] == pytest.approx(1.05)
    assert one(timed(1, slower=1.3, machine=0.9), timed(2), interleaved=False)["regression"]


def test_the_same_rounds_give_the_same_interval():
    first, second = (one(timed(1), timed(2), interleaved=False) for _ in range(2))
    assert first == second


def test_what_noise_hides_is_not_called_equal():
    """An interval that reaches beyond what is allowed says neither."""
    noisy = timed(1) | {"rounds_us": [1.0, 2.5] * 10}
    steady = timed(1) | {"rounds_us": [1.0] * 20, "yardsticks_us": [[1.0, 1.0]] * 20}
    entry = one(noisy | {"yardsticks_us": [[1.0, 1.0]] * 20}, steady, interleaved=True)
    assert not entry["regression"]
    assert entry["verdict"] == "cannot be told"


@pytest.mark.parametrize("key", ["model", "soc", "machine"])
def test_the_profile_of_another_device_is_no_baseline(key):
    device = {"model": "Pi 4", "soc": "BCM2711", "machine": "aarch64"}
    refuse_other_device(FILE, {"device": device | {"notes": []}}, device)
    with pytest.raises(InputError, match=f"another device \\({key}"):
        refuse_other_device(FILE, {"device": device | {key: "other"}}, device)
    with pytest.raises(InputError, match="another device"):
        refuse_other_device(FILE, {}, device)


@pytest.mark.parametrize(("now", "slower"), [(1049, False), (1051, True), (900, False)])
def test_instructions_are_compared_as_they_are(now, slower):
    rows = {"c-int16": {"status": "ok", "instructions_per_step": now}}
    earlier = {"c-int16": {"status": "ok", "instructions_per_step": 1000}}
    entry = compare(FILE, earlier, rows, interleaved=False)["formats"]["c-int16"]
    ratio = now / 1000
    verdict = "slower" if slower else "not slower"
    expected = {"of": "instructions", "ratio": ratio, "ci99": [ratio, ratio], "regression": slower}
    assert entry == expected | {"verdict": verdict}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, timed(1)),
        ({"onnx": timed(1) | {"status": "failed"}}, timed(1)),
        ({"onnx": timed(1)}, timed(1) | {"status": "refused"}),
        ({"onnx": {"status": "ok"}}, timed(1)),
        ({"onnx": timed(1, rounds=4)}, timed(1)),
        ({"onnx": "ok"}, timed(1)),
        ({"other": timed(1)}, timed(1)),
    ],
)
def test_nothing_to_compare(before, now):
    with pytest.raises(InputError, match=r"earlier\.json: has no format that was timed there and here"):
        compare(FILE, before, {"onnx": now}, interleaved=False)


HUGE, TINY = 10**400, 1e-320
DAMAGED = [
    {"rounds_us": "fast"},
    {"rounds_us": {"a": 1}},
    {"rounds_us": [1.0] * (ROUNDS - 1)},
    {"rounds_us": [[1.0, 2.0]] * ROUNDS},
    {"rounds_us": ["1 µs"] * ROUNDS},
    {"rounds_us": [None] * ROUNDS},
    {"rounds_us": [0.0] * ROUNDS},
    {"rounds_us": [-1.0] * ROUNDS},
    {"rounds_us": [float("nan")] * ROUNDS},
    {"rounds_us": [float("inf")] * ROUNDS},
    {"rounds_us": [HUGE] * ROUNDS},
    {"rounds_us": [TINY] * ROUNDS},
    {"rounds_us": [1.0] * 100_000, "yardsticks_us": [[1.0, 1.0]] * 100_000},
    {"yardsticks_us": 5},
    {"yardsticks_us": [1.0] * (2 * ROUNDS + 1)},
    {"yardsticks_us": [[1.0, "x"]] * ROUNDS},
    {"yardsticks_us": [[1.0, 0.0]] * ROUNDS},
    {"yardsticks_us": [[HUGE, 1.0]] * ROUNDS},
]


@pytest.mark.parametrize("damage", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("interleaved", [True, False])
def test_damaged_times(damage, interleaved):
    with pytest.raises(InputError, match="the figures of onnx are damaged; profile again"):
        one(timed(1), timed(2) | damage, interleaved=interleaved)


@pytest.mark.parametrize("value", ["9", [9], {"a": 1}, float("nan"), float("inf"), -5, HUGE, TINY, True])
def test_damaged_instructions(value):
    earlier = {"c": {"status": "ok", "instructions_per_step": value}}
    rows = {"c": {"status": "ok", "instructions_per_step": 1000}}
    with pytest.raises(InputError, match="the figures of c are damaged; profile again"):
        compare(FILE, earlier, rows, interleaved=False)


GOOD = {"format": FORMAT, "schema": 1, "kind": "linux", "formats": {"onnx": timed(1)}}


def test_an_earlier_profile_is_read(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(GOOD))
    assert read_baseline(path, "linux") == GOOD


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"9" * 5000,
        b"[]",
        b"null",
        b"{}",
        b'"ltc-edge profile"',
        json.dumps(GOOD).encode()[:-1],
        *(
            json.dumps(GOOD | change).encode()
            for change in (
                {"format": "other"},
                {"format": None},
                {"schema": 2},
                {"schema": "1"},
                {"schema": None},
                {"kind": "emulated"},
                {"kind": ["linux"]},
                {"kind": "two\nlines"},
                {"formats": []},
                {"formats": None},
            )
        ),
    ],
    ids=lambda content: repr(content[:20]),
)
def test_files_that_are_no_profile(tmp_path, content):
    path = tmp_path / "profile.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_baseline(path, "linux")
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_baseline(path, "linux")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "profile.json")
    with pytest.raises(InputError, match="not a file"):
        read_baseline(tmp_path / "profile.json", "linux")


def test_what_another_wrote_is_told_in_few_words(tmp_path):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(GOOD | {"kind": "x" * 100_000}))
    with pytest.raises(InputError) as caught:
        read_baseline(path, "linux")
    assert len(str(caught.value)) < len(str(path)) + 200
