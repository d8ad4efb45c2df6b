"""Whether a run between two states of a device can be trusted."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.profiling.agent.state_check import notes, problems
from ltc_edge.profiling.agent.throttling import decode_throttled

STEADY = {
    "clocks": {"monotonic_ns": 10**12, "boottime_ns": 10**12 + 5, "realtime_ns": 10**18, "source": "tsc"},
    "cpu": 3,
    "cores_online": 4,
    "governor": "performance",
    "frequency_khz": 1_800_000,
    "allowed_khz": [600_000, 1_800_000],
    "hardware_max_khz": 1_800_000,
    "temperatures": [{"zone": "thermal_zone0", "type": "cpu", "celsius": 60.0, "trip_celsius": 80.0}],
    "throttling": decode_throttled("throttled=0x0\n"),
    "power": None,
    "load_1m": 0.1,
    "running": 1,
    "ticks": {"total": 1000, "steal": 0},
    "context_switches": 10,
}


def after(seconds=10.0, **changes):
    """The steady device so much later, but for ``changes``."""
    state = copy.deepcopy(STEADY)
    for name in ("monotonic_ns", "boottime_ns", "realtime_ns"):
        state["clocks"][name] += round(seconds * 1e9)
    state["ticks"]["total"] += 4000
    state["clocks"] |= {
        name: state["clocks"][name] + value for name, value in changes.pop("clocks", {}).items()
    }
    return state | changes


def throttled(word):
    return {"throttling": decode_throttled(f"throttled={word}")}


def test_a_steady_device_has_neither_problems_nor_notes():
    assert (problems(STEADY, after()), notes(STEADY, after())) == ([], [])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"frequency_khz": 1_500_000}, "the frequency moved from 1800 to 1500 MHz (-16.7%)"),
        ({"allowed_khz": [600_000, 1_000_000]}, "the highest frequency allowed moved from 1800 to 1000 MHz"),
        ({"governor": "powersave"}, "the governor changed from performance to powersave"),
        ({"cpu": 2}, "the processor changed from 3 to 2"),
        (throttled("0x4"), "the firmware throttled the processor while it was measured"),
        (throttled("0x2"), "the firmware capped the frequency while it was measured"),
        (throttled("0x1"), "the supply voltage was too low while it was measured"),
        (throttled("0x8"), "the soft temperature limit was reached while it was measured"),
        (throttled("0x40000"), "the firmware throttled the processor between the start and the end"),
        (throttled("0x10000"), "the supply voltage was too low between the start and the end"),
        ({"throttling": {"source": "rpi_volt", "under_voltage": True}}, "a low supply voltage after the run"),
        ({"clocks": {"realtime_ns": 3_600 * 10**9}}, "the clock was set by +3600.0 s"),
        ({"clocks": {"realtime_ns": -(10**9)}}, "the clock was set by -1.0 s"),
        ({"clocks": {"boottime_ns": 7 * 10**9, "realtime_ns": 7 * 10**9}}, "suspended for 7.0 s"),
        ({"seconds": -100.0}, "the device was restarted"),
    ],
)
def test_what_makes_a_run_invalid(change, problem):
    (found,) = problems(STEADY, after(**change))
    assert problem in found


def test_a_throttled_start_is_enough():
    assert len(problems(STEADY | throttled("0x50005"), after(**throttled("0x50000")))) == 2


def test_throttle_counters_that_rose():
    counts = [{"throttling": {"source": "thermal_throttle", "core": core, "package": 9}} for core in (7, 12)]
    (found,) = problems(STEADY | counts[0], after(**counts[1]))
    assert found == "heat throttled the processor 5 times (core_throttle_count)"
    assert problems(STEADY | counts[0], after(**counts[0])) == []


def test_a_changed_clock_source():
    late = after()
    late["clocks"]["source"] = "hpet"
    (found,) = problems(STEADY, late)
    assert "from tsc to hpet" in found


@pytest.mark.parametrize(
    "change",
    [
        {"frequency_khz": 1_830_000},
        {"clocks": {"realtime_ns": 400_000_000}},
        {"frequency_khz": None},
        {"governor": None},
        {"throttling": None},
    ],
)
def test_what_does_not_make_a_run_invalid(change):
    assert problems(STEADY, after(**change)) == []


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"frequency_khz": None}, "not checked, since not readable here: the frequency"),
        ({"throttling": None}, "not checked, since not readable here: throttling"),
        ({"governor": "ondemand"}, "the governor is ondemand"),
        ({"load_1m": 3.5}, "load average 3.5 on 4 processors"),
        ({"allowed_khz": [600_000, 1_000_000]}, "held at or below 1000 MHz; the processor has 1800"),
        ({"temperatures": [{"type": "cpu", "celsius": 76.0, "trip_celsius": 80.0}]}, "cpu is at 76.0 °C"),
        (throttled("0x40000"), "earlier, since the device started"),
    ],
)
def test_what_is_worth_a_note(change, note):
    (found,) = notes(STEADY | change, after(**change))
    assert note in found
    assert problems(STEADY | change, after(**change)) == []


def test_time_that_a_hypervisor_took():
    (found,) = notes(STEADY, after(ticks={"total": 5000, "steal": 80}))
    assert found == "a hypervisor took 2.0% of the processors' time"
    assert notes(STEADY, after(ticks={"total": 5000, "steal": 30})) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
STATE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(STEADY, JSON),
        "clocks": JSON | st.dictionaries(st.sampled_from([*STEADY["clocks"]]), JSON),
        "ticks": JSON | st.dictionaries(st.sampled_from(["total", "steal"]), JSON),
        "throttling": JSON | st.dictionaries(st.sampled_from(["now", "since_boot", "core"]), JSON),
    },
)


@given(before=STATE, later=STATE)
def test_no_state_that_a_device_sends_makes_it_raise(before, later):
    for found in (problems(before, later), notes(before, later)):
        assert all(sentence.isprintable() for sentence in found)
