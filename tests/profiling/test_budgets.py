"""Budgets: which are refused, which are broken, and what is said of them."""

import pytest

from ltc_edge.errors import InputError
from ltc_edge.profiling.budgets import BUDGETS, broken, judge, misses, refuse_unmeasured


def run(missed, scheduling="other", status="ok"):
    return {"status": status, "scheduling": scheduling, "misses": missed}


ROWS = {
    "onnx": {
        "status": "ok",
        "latency_us": {"p99": 30.0, "p999": None},
        "max_abs_error": 0.0,
        "paced": [run(7), run(2, "fifo:50")],
    },
    "c-int16": {
        "status": "ok",
        "latency_us": {"p99": 2.5, "p999": 9.0},
        "flash_bytes": 9000,
        "max_abs_error": None,
    },
    "tflite": {"status": "refused", "latency_us": {"p99": 1e9}},
}


def found(name, limit):
    return {entry["format"]: entry for entry in judge({name: limit}, ROWS)}


def test_each_format_that_ran_is_judged():
    judged = found("max-p99-us", 20.0)
    assert judged == {
        "onnx": {
            "budget": "max-p99-us",
            "limit": 20.0,
            "format": "onnx",
            "value": 30.0,
            "kept": False,
            "over": 10.0,
        },
        "c-int16": {
            "budget": "max-p99-us",
            "limit": 20.0,
            "format": "c-int16",
            "value": 2.5,
            "kept": True,
            "over": 0.0,
        },
    }
    assert broken(list(judged.values())) == ["onnx: 30 µs at p99, 10 (50 %) over --max-p99-us 20"]


def test_a_budget_is_kept_when_it_is_used_up():
    assert found("max-p99-us", 30.0)["onnx"]["kept"]
    assert not found("max-p99-us", 29.999)["onnx"]["kept"]
    assert found("max-error", 0.0)["onnx"]["kept"]


@pytest.mark.parametrize(
    ("name", "form"), [("max-p999-us", "onnx"), ("max-error", "c-int16"), ("max-ram-bytes", "onnx")]
)
def test_what_was_not_measured_is_not_kept(name, form):
    entry = found(name, 1e6)[form]
    assert (entry["value"], entry["kept"], entry["over"]) == (None, False, None)
    (line,) = broken([entry])
    assert line.startswith(f"{form}: --{name} cannot be judged")
    assert BUDGETS[name].hint in line


def test_by_how_much_a_budget_of_nothing_is_broken():
    assert broken([found("max-deadline-misses", 0)["onnx"]]) == [
        "onnx: 2 missed periods, 2 over --max-deadline-misses 0"
    ]
    assert broken([]) == []


@pytest.mark.parametrize(
    ("runs", "worst"),
    [
        (None, None),
        ([], None),
        ([run(3), run(5)], 5),
        ([run(9), run(0, "fifo:50"), run(1, "fifo:50")], 1),
        ([run(9), run(None, "fifo:50", "refused")], None),
        ([run(None, status="refused"), run(4)], 4),
    ],
)
def test_missed_periods_of_the_worst_run_that_counts(runs, worst):
    """Where real-time runs were asked for and refused, those without say nothing about them."""
    assert misses({"paced": runs}) == worst


KINDS = ("linux", "serial", "emulated")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(BUDGETS))
def test_budgets_of_what_is_not_measured_there_are_refused(name, kind):
    timed = name in ("max-p99-us", "max-p999-us")
    measured = {
        "linux": timed or name in ("max-deadline-misses", "max-error"),
        "serial": timed or name == "max-error",
        "emulated": not timed and name != "max-deadline-misses",
    }
    if measured[kind]:
        refuse_unmeasured({name: 1}, kind, rated=True)
        return
    with pytest.raises(InputError, match=f"--{name} is not measured here: that takes "):
        refuse_unmeasured({name: 1}, kind, rated=True)


def test_missed_periods_take_a_rate():
    refuse_unmeasured({}, "linux", rated=False)
    with pytest.raises(InputError, match="--max-deadline-misses is not measured here: that takes --rate"):
        refuse_unmeasured({"max-deadline-misses": 0}, "linux", rated=False)
