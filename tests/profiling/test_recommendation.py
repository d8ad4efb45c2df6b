"""Which format is recommended, and whether the reason is true."""

import pytest

from ltc_edge.profiling.recommendation import NEARLY, recommend


def row(p99, error=0.01, missed=None, **more):
    paced = [] if missed is None else [{"status": "ok", "scheduling": "other", "misses": missed}]
    return {
        "status": "ok",
        "latency_us": {"p50": p99 / 2, "p99": p99},
        "rms_over_sigma": error,
        "paced": paced,
        **more,
    }


def kept(form, yes):
    return {"format": form, "kept": yes}


def test_the_fastest():
    found = recommend("linux", {"onnx": row(30.0), "c": row(2.5, return_lost_percent=-0.5)}, [])
    assert found == {
        "format": "c",
        "reason": "2.5 µs at p99; 12 times faster than onnx; an error of 1 % of the action's deviation; "
        "0 % of the return lost",
    }


def test_among_formats_that_are_about_as_fast_the_most_accurate():
    rows = {"int8": row(10.0, 0.2), "int16": row(10.9, 0.001), "slow": row(10.0 * NEARLY + 0.1, 0.0)}
    found = recommend("linux", rows, [])
    assert found["format"] == "int16"
    assert "about as fast as int8, and closer to the float64 controller" in found["reason"]


def test_equal_errors_leave_it_to_the_time():
    found = recommend("linux", {"b": row(10.5), "a": row(10.0)}, [])
    assert found["format"] == "a"
    assert "about as fast as b;" in found["reason"]


def test_an_error_that_is_not_known_is_the_worst():
    rows = {"unknown": row(10.0, None), "known": row(10.5, 0.5)}
    assert recommend("linux", rows, [])["format"] == "known"
    alone = recommend("linux", {"unknown": rows["unknown"]}, [])
    assert alone == {"format": "unknown", "reason": "10 µs at p99"}


def test_missed_periods_come_first_and_the_reason_says_so():
    found = recommend("linux", {"fast": row(2.0, missed=3), "slow": row(9.0, missed=0)}, [])
    assert found["format"] == "slow"
    assert "fewer missed periods than fast (0, not 3)" in found["reason"]
    assert "about as fast" not in found["reason"]


def test_what_breaks_a_budget_is_not_recommended():
    rows = {"a": row(1.0), "b": row(2.0), "c": row(3.0)}
    judged = [kept("a", True), kept("a", False), kept("b", False), kept("c", True)]
    found = recommend("linux", rows, judged)
    assert found["format"] == "c"
    assert found["reason"].endswith("; 2 others over budget")
    assert recommend("linux", rows, [*judged, kept("c", False)]) is None


@pytest.mark.parametrize("status", ["refused", "failed", "not-run"])
def test_what_did_not_run_is_not_recommended(status):
    assert recommend("linux", {"a": row(1.0) | {"status": status}}, []) is None
    assert recommend("linux", {}, []) is None
    assert recommend("linux", {"a": {"status": "ok"}}, []) is None


def test_too_few_steps_for_a_p99():
    rows = {"a": {"status": "ok", "latency_us": {"p50": 4.0, "p99": None}}, "b": row(1.0)}
    assert recommend("linux", rows, [])["format"] == "b"
    assert recommend("linux", {"a": rows["a"]}, []) == {"format": "a", "reason": "4 µs at p50"}


def test_instructions_where_no_time_is_measured():
    rows = {
        "a": {"status": "ok", "instructions_per_step": 9000},
        "b": {"status": "ok", "instructions_per_step": 3000},
    }
    assert recommend("emulated", rows, []) == {
        "format": "b",
        "reason": "3,000 instructions a step; 3 times fewer than a",
    }


def test_a_step_below_the_clocks_resolution_is_no_divisor():
    found = recommend("linux", {"onnx": row(30.0), "c": row(0.0)}, [])
    assert (found["format"], found["reason"][:11]) == ("c", "0 µs at p99")
