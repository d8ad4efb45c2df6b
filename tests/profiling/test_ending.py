"""A profile that another thread ends: what it waits for is cut off, and what it measured is kept."""

import dataclasses
import functools
import threading

import pytest

from ltc_edge.profiling import linux
from ltc_edge.profiling.agent_link import AgentLink
from ltc_edge.profiling.emulated import profile_emulated
from ltc_edge.profiling.ending import EndedError, Ending
from ltc_edge.profiling.places import Emulated, Local
from ltc_edge.profiling.profile import ProfileInterruptedError, profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.subject import read_profile_subject
from ltc_edge.targets import find_target


def test_the_first_reason_stays():
    ending, reasons = Ending(), []
    with ending.cutting(reasons.append):
        ending.check()
        ending.end("late")
        ending.end("again")
    with ending.cutting(reasons.append):  # one that comes too late is cut off at once
        pass
    assert reasons == ["late", "late"]
    with pytest.raises(EndedError, match=r"^late$"):
        ending.check()


def test_an_agent_that_never_answers(tmp_path):
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\ncat > /dev/null\n")
    mute.chmod(0o755)
    ending = Ending()
    threading.Timer(0.05, ending.end, ("enough",)).start()
    with pytest.raises(EndedError, match=r"^enough$"):
        AgentLink(Local(), python=str(mute), ending=ending)


def test_whoever_asks_once_more_hears_the_reason_again(tmp_path):
    """So that no cleaning up hides it."""
    ending = Ending()
    with AgentLink(Local(), folder=str(tmp_path), ending=ending) as link:
        link.request({"request": "device"})
        ending.end("enough")
        for _ in range(2):
            with pytest.raises(EndedError, match=r"^enough$"):
                link.request({"request": "device"})
    assert list(tmp_path.iterdir()) == []


def test_formats_that_an_emulator_had_counted_are_kept(unverified_bundle, monkeypatch):
    pytest.importorskip("unicorn", reason="unicorn is not installed (extra: firmware)")
    short = functools.partial(profile_emulated, steps=3)
    monkeypatch.setattr("ltc_edge.profiling.profile.profile_emulated", short)
    subject = read_profile_subject(unverified_bundle("c-float32"), ("c-float32",), ())
    (artifact,) = subject.artifacts.values()
    subject = dataclasses.replace(subject, artifacts={"c-float32": artifact, "the next": artifact})
    request = Request("cortex-m4", Emulated(find_target("cortex-m4")))
    ending = Ending()
    shares = []

    def on_share(_, share):
        shares.append(share)
        if shares.count(1.0) == 1 and share < 1.0:
            ending.end("enough")

    with pytest.raises(ProfileInterruptedError) as ended:
        profile(subject, request, on_share, ending)
    document = ended.value.document
    assert str(ended.value.cause) == "enough; what was measured until then is kept"
    assert document["partial"] is True
    rows = document["formats"]
    assert rows["c-float32"]["instructions_per_step"] > 0
    assert (rows["the next"]["status"], rows["the next"]["reason"]) == ("not-run", "interrupted")
    assert set(linux.INTERRUPTED) == {"status", "reason", "detail"}  # nobody changed it


def test_where_nothing_was_measured_there_is_nothing_to_keep(unverified_bundle):
    subject = read_profile_subject(unverified_bundle("c-float32"), (), ())
    ending = Ending()
    ending.end("enough")
    with pytest.raises(EndedError, match=r"^enough$"):
        profile(subject, Request("local", Local()), lambda *_: None, ending)
