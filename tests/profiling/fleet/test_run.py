"""Devices side by side: in which order, how many, and what ends them."""

import threading

import pytest

from ltc_edge.errors import DeviceError, OutputError
from ltc_edge.profiling.fleet import run
from ltc_edge.profiling.fleet.devices import FleetDevice
from ltc_edge.profiling.fleet.run import profile_fleet
from ltc_edge.profiling.places import Local
from ltc_edge.profiling.request import Request


def device(label, lane):
    return FleetDevice(label, Request(label, Local()), lane)


@pytest.fixture
def profiled(monkeypatch):
    """Runs a fleet whose profiles are ``act``; what became of each device."""

    def profiled(act, devices, *, parallel=8, timeout_s=60.0, on_done=lambda _: None):
        monkeypatch.setattr(run, "profile", lambda _, request, __, ending: act(request.target, ending))
        found = profile_fleet(
            None,
            devices,
            parallel=parallel,
            timeout_s=timeout_s,
            on_share=lambda *_: None,
            on_done=on_done,
        )
        return {one.device.label: one for one in found.outcomes}

    return profiled


def test_this_machine_is_measured_first_and_alone(profiled):
    order = []

    def act(label, _):
        order.append(f"{label} begins")
        order.append(f"{label} ends")
        return {}

    profiled(act, [device("a", "ssh a"), device("here", "local"), device("too", "local")])
    assert order[:4] == ["here begins", "here ends", "too begins", "too ends"]


def test_one_at_a_time_of_a_lane_and_others_meanwhile(profiled):
    """Two lanes of two: a device ends only when one of the other lane runs beside it."""
    both = threading.Barrier(2, timeout=30)
    running = set()

    def act(label, _):
        lane = label[0]
        assert lane not in running
        running.add(lane)
        both.wait()
        running.discard(lane)
        both.wait()
        return {}

    found = profiled(act, [device(label, label[0]) for label in ("a1", "a2", "b1", "b2")])
    assert {one.status for one in found.values()} == {"done"}


def test_no_more_at_once_than_allowed(profiled):
    running, most = [], []
    lock = threading.Lock()

    def act(label, _):
        with lock:
            running.append(label)
            most.append(len(running))
        with lock:
            running.remove(label)
        return {}

    profiled(act, [device(str(n), str(n)) for n in range(20)], parallel=1)
    assert max(most) == 1


def test_the_others_go_on(profiled):
    def act(label, _):
        if label == "a":
            raise DeviceError("a: no answer")
        if label == "b":
            raise FileNotFoundError(2, "No such file", "cc")
        return {"of": label}

    told = []
    devices = [device(label, label) for label in "abc"]
    found = profiled(act, devices, on_done=lambda one: told.append(one.device.label))
    assert {label: one.status for label, one in found.items()} == {"a": "failed", "b": "failed", "c": "done"}
    assert (found["a"].error, found["b"].error) == ("a: no answer", "cc: No such file")
    assert found["c"].document == {"of": "c"}
    assert sorted(told) == ["a", "b", "c"]


def hang(ending):
    cut = threading.Event()
    with ending.cutting(lambda _: cut.set()):
        assert cut.wait(30)
    ending.check()


def test_one_that_takes_too_long_is_ended(profiled):
    found = profiled(lambda _, ending: hang(ending), [device("a", "a")], timeout_s=0.01)
    assert found["a"].status == "failed"
    assert found["a"].error == "it took longer than --device-timeout 0.01"


def test_what_cannot_be_kept_ends_them_all(profiled):
    """A full disk here, say: nothing would come of the rest."""
    hanging = threading.Event()

    def act(label, ending):
        if label == "a":
            assert hanging.wait(30)
            return {}
        hanging.set()
        return hang(ending)

    def on_done(outcome):
        if outcome.device.label == "a":
            raise OutputError("out: cannot be written")

    with pytest.raises(OutputError, match="cannot be written"):
        profiled(act, [device("a", "a"), device("b", "b")], on_done=on_done)


def test_a_defect_is_no_failure_of_a_device(profiled):
    def act(label, ending):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        profiled(act, [device("a", "a")])
