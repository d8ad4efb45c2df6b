"""The supervisor in Python beside the one in C: the same bits of actions, statuses and memory, always."""

import dataclasses

import numpy as np
import pytest
from supervisor_bench.building import HARNESS
from supervisor_bench.exploring import two_actions

from ltc_edge.export.c import CSources
from ltc_edge.export.c.guard import NO_ACTION
from ltc_edge.supervision import Fallback, Mode, Request, SupervisedController, Supervisor, status_names
from ltc_edge.supervision.supervisor import Input

STEPS = 400
FLOATS = (0.0, 0.1, 0.25, 0.5, -0.5, 1.0, -1.0, 2.5, 1e-40, 3e38, -3e38, np.nan, np.inf, -np.inf)


class Scripted:
    """The controller of ``scripted.c`` in Python: does what it is told."""

    def __init__(self):
        self.reset_status = self.status = self.resets = 0
        self.action = np.zeros(2, dtype=np.float32)
        self.dt_s = None

    def reset(self):
        self.resets += 1
        return self.reset_status

    def step(self, _, dt):
        self.dt_s = dt
        return self.status, self.action.copy()


def settings(law, **changes):
    # Times that float32 must round, unlike those of the search through all states.
    parts = {
        "dt_min_s": 0.1,
        "dt_max_s": 0.7,
        "gap_s": 1.9,
        "hold_s": 1.3,
        "handover_s": 0.9,
        "slew": (0.3, 7.0),
    }
    return dataclasses.replace(two_actions(law), **{**_singles(parts), **changes})


def _singles(parts):
    return {
        name: tuple(float(np.float32(v)) for v in value)
        if isinstance(value, tuple)
        else float(np.float32(value))
        for name, value in parts.items()
    }


@pytest.fixture(scope="module")
def compiled():
    """Makes the C of a law, with the scripted controller."""
    made = {}

    def make(law):
        if law not in made:
            files = {name: (HARNESS / name).read_bytes() for name in ("scripted.c", "scripted.h")}
            flags = ("-std=c99", "-O1", "-ffp-contract=off", "-DSCRIPTED_ACTIONS=2")
            made[law] = SupervisedController(
                CSources("scripted", files, "float32"), settings(law), flags=flags
            )
        made[law].start()
        made[law].context[:] = 0
        return made[law]

    return make


def some(rng, likely, rare):
    """Mostly the first, at times one of the others."""
    return rng.choice(rare) if rng.random() < 0.12 else likely


def drawn(rng):
    """An input, and what the controller does with it: mostly good, often not."""
    external = [some(rng, rng.normal(), FLOATS) for _ in range(2)]
    return Input(
        observation=[some(rng, rng.normal(), FLOATS) for _ in range(2)],
        dt_s=some(rng, rng.uniform(0.05, 0.8), FLOATS),
        age_s=[some(rng, 0.1, FLOATS) for _ in range(2)] if rng.random() < 0.9 else None,
        external=external if rng.random() < 0.7 else None,
        missed=int(some(rng, 0, (1, 2, 2**32 - 1))),
        requests=int(rng.choice([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 4, 5, 2, 7])),
    )


def behave(rng, scripted, found):
    scripted.reset_status = int(some(rng, 0, (0x20,)))
    scripted.status = int(some(rng, 0, (1, 4, 0x10, 0x80, 0xFFFFFF8E)))
    scripted.action = np.array([some(rng, rng.normal(), FLOATS) for _ in range(2)], dtype=np.float32)
    found.context.view(np.uint32)[:2] = scripted.reset_status, scripted.status
    found.context.view(np.float32)[5:7] = scripted.action


def damage(rng, twin, found):
    """Flip a bit of memory or room, or fill them, at times with a checksum that fits."""
    for words in (found.memory, found.room.view(np.uint32)):
        if rng.random() < 0.5:
            words[rng.integers(len(words))] ^= np.uint32(1) << np.uint32(rng.integers(32))
        elif rng.random() < 0.5:
            words[:] = rng.integers(0, 2**32, size=len(words), dtype=np.uint32)
    twin.memory[:], twin.room[:] = found.memory, found.room
    if rng.random() < 0.5:
        twin.memory[-1] = found.memory[-1] = twin.checksum()


def same(twin, found):
    return np.array_equal(twin.memory, found.memory) and np.array_equal(
        twin.room.view(np.uint32), found.room.view(np.uint32)
    )


@pytest.mark.parametrize("law", Fallback, ids=lambda law: law.name.lower())
def test_python_and_c_are_the_same_to_the_bit(law, compiled):
    found, scripted = compiled(law), Scripted()
    twin = Supervisor(found.settings, scripted, NO_ACTION)
    assert same(twin, found)
    rng = np.random.default_rng(law)
    modes, statuses = set(), set()
    for step in range(STEPS):
        behave(rng, scripted, found)
        if rng.random() < 0.02:
            damage(rng, twin, found)
        given = drawn(rng)
        here, there = twin.step(given), found.step(given)
        assert here == there, (step, given, scripted.status)
        assert same(twin, found), (step, given)
        modes.add(here.mode)
        statuses |= set(status_names(here.status))
    assert modes == set(Mode)
    assert len(statuses) >= 18


@pytest.fixture
def loop():
    """A supervisor in Python that holds, over the scripted controller."""
    scripted = Scripted()
    return Supervisor(settings(Fallback.HOLD), scripted, NO_ACTION), scripted


def run(supervisor, count, requests=Request.NONE, **changes):
    given = Input([0.0, 0.0], dt_s=0.2, requests=requests, **changes)
    return [supervisor.step(given) for _ in range(count)]


def test_a_reading_that_was_left_out_lengthens_the_next_dt(loop):
    supervisor, scripted = loop
    run(supervisor, 3, Request.ARM)
    assert scripted.dt_s == np.float32(0.2)
    run(supervisor, 2, age_s=[9.0, 0.0])
    resets = scripted.resets
    run(supervisor, 1)
    assert scripted.dt_s == pytest.approx(0.6)
    assert scripted.resets == resets


def test_after_a_long_gap_the_controller_is_reset_and_handed_over_to(loop):
    supervisor, scripted = loop
    scripted.action[:] = 0.3
    run(supervisor, 20, Request.ARM)
    resets = scripted.resets
    after = supervisor.step(Input([0.0, 0.0], dt_s=5.0))
    assert status_names(after.status) == ("time-clamped", "gap", "handing-over")
    assert after.mode == Mode.ACTIVE
    assert scripted.resets == resets + 1
    assert scripted.dt_s == supervisor.settings.dt_max_s


@pytest.mark.parametrize("request_", [Request.ARM, Request.SHADOW, Request.DISARM])
def test_a_change_of_law_makes_no_step_beyond_the_slew(loop, request_):
    supervisor, scripted = loop
    settings = supervisor.settings
    scripted.action[:] = 0.9, -0.4
    before = run(
        supervisor, 10, Request.ARM if request_ != Request.ARM else Request.SHADOW, external=[-0.9, 0.4]
    )
    after = run(supervisor, 45, request_, external=[-0.9, 0.4])
    actions = np.array([output.action for output in [before[-1], *after]])
    moved = np.abs(np.diff(actions, axis=0))
    assert (moved <= np.array(settings.slew) * 0.2 + 1e-6).all()
    wanted = {Request.ARM: scripted.action, Request.SHADOW: (-0.9, 0.4), Request.DISARM: settings.resting}
    assert actions[-1] == pytest.approx(np.array(wanted[request_]), abs=1e-6)


def test_a_hand_over_goes_in_equal_shares(loop):
    supervisor, scripted = loop
    scripted.action[:] = 0.0, 0.45
    run(supervisor, 10, Request.SHADOW, external=[0.0, 0.0])
    actions = [output.action[1] for output in run(supervisor, 6, Request.ARM)]
    shares = np.clip(0.2 * np.arange(1, 7) / 0.9, 0, 1)
    assert actions == pytest.approx(0.45 * shares, rel=1e-5)
