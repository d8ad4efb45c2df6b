"""Formats on this machine through the agent: what the bench refuses, and what it looks at besides times."""

import shlex

import pytest

from ltc_edge.errors import DeviceError, InputError
from ltc_edge.profiling import linux
from ltc_edge.profiling import profile as profile_module
from ltc_edge.profiling.agent_link import AgentLink
from ltc_edge.profiling.places import Local, Remote
from ltc_edge.profiling.profile import ProfileInterruptedError, profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from ltc_edge.profiling.subject import read_profile_subject

FLAGS = ("-std=c99", "-O0")
NO_PROCESSOR = 4095
HERE = Local()


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return unverified_bundle("c-float32")


def run(bundle, place=HERE, **chosen):
    settings = Settings(
        iterations=200, seconds=0.2, warmup=20, rounds=2, compiler_flags=FLAGS, paced_seconds=0.1, **chosen
    )
    return profile(read_profile_subject(bundle, (), ()), Request("here", place, settings), lambda *_: None)


def test_a_processor_that_is_not_there_is_refused_before_anything_is_built(bundle, monkeypatch):
    monkeypatch.setattr(linux, "Runner", None)
    with pytest.raises(InputError, match=rf"local: has no processor {NO_PROCESSOR}; choose --cpu from \d"):
        run(bundle, cpu=NO_PROCESSOR)


def test_what_paced_runs_do_to_a_device_counts_too(bundle, monkeypatch):
    states = []

    def problems(before, after):
        states.append((before, after))
        return [f"seen {len(states)}"]

    monkeypatch.setattr(linux, "problems", problems)
    document = run(bundle, rate_hz=100.0)
    (first, second), (third, last) = states
    assert third == second
    assert [document["device"][when] for when in ("before", "after")] == [first, last]
    assert last["clocks"]["monotonic_ns"] > second["clocks"]["monotonic_ns"]
    assert document["problems"] == ["seen 1", "seen 2"]
    assert not document["valid"]
    assert document["recommendation"] is None


def test_the_flags_are_those_of_the_program_that_was_timed(bundle):
    runtime = run(bundle)["formats"]["c-float32"]["runtime"]
    assert (runtime["name"], runtime["flags"]) == ("C, compiled there", shlex.join(FLAGS))


class Spoiled(AgentLink):
    """An agent that is taken for one on another machine; its answers to ``order`` lack their last byte."""

    order = ""

    def __init__(self, _, python, folder, ending):
        super().__init__(Local(), python, folder, ending=ending)

    def request(self, document, block=b"", timeout_s=60.0):
        found, answer = super().request(document, block, timeout_s)
        return found, answer[:-1] if document.get("ask", {}).get("do") == self.order else answer


@pytest.mark.parametrize(
    ("order", "error"),
    [("actions", DeviceError), ("singles", DeviceError), ("invoke", ProfileInterruptedError)],
)
def test_a_device_whose_answers_make_no_sense(bundle, monkeypatch, order, error):
    monkeypatch.setattr(profile_module, "AgentLink", Spoiled)
    monkeypatch.setattr(Spoiled, "order", order)
    with pytest.raises(error, match="an answer of its agent makes no sense"):
        run(bundle, place=Remote("rover"))
