"""A small campaign of faults; and that it notices a supervisor in which a guard is missing."""

import pytest
from supervisor_bench.campaign import Campaign, Result, compile_harness, settings_of

from ltc_edge import ActionSignal
from ltc_edge.export.c import c_float32
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.supervision import Fallback
from ltc_edge.tasks.pendulum import Pendulum

# What is missing, how the supervisor is changed, and where it shows.
MUTANTS = {
    "the last limits": (
        "action[i] = kept_within(slewed, settings->low[i], settings->high[i]);",
        "action[i] = slewed;",
        "unbounded",
    ),
    "the slew": (
        "kept_within(wanted, last - reach, last + reach)",
        "kept_within(wanted, -LARGEST, LARGEST)",
        "slew",
    ),
    "the check for NaN": (
        "status |= (is_finite(proposal[i]) != 0U) ? 0U : LTC_BAD_ACTION;",
        "status |= (proposal[i] < LARGEST) ? 0U : 0U;",
        "missing",
    ),
    "the checksum": (
        "(supervisor->memory->checksum != checksum_of(supervisor)) ? 1U : 0U",
        "(supervisor->memory->checksum != checksum_of(supervisor)) ? 0U : 0U",
        "missing",
    ),
    "the vote": (
        "(first.bits & second.bits) | (first.bits & third.bits) | (second.bits & third.bits)",
        "second.bits",
        "slew",
    ),
    "an age that is NaN": (
        "(input->age_s[i] >= 0.0F) && (input->age_s[i] <= supervisor->settings->oldest_s[i])",
        "!(input->age_s[i] < 0.0F) && !(input->age_s[i] > supervisor->settings->oldest_s[i])",
        "missing",
    ),
    "disarming first": (
        "if ((requests & LTC_DISARM) != 0U) {",
        "if (requests == LTC_DISARM) {",
        "mode",
    ),
}


@pytest.fixture(scope="module")
def begin(tiny_controller, tmp_path_factory):
    """Makes the campaign of a law, over the tiny controller on the pendulum."""
    made = tiny_controller(actions=(ActionSignal("drive", "V", -1.0, 1.0, slew=2.0),))
    controller = controller_from_bytes(hub_bytes(made), "tiny")
    folder = tmp_path_factory.mktemp("harness")
    harness = compile_harness(c_float32(controller, "tiny"), controller, folder)

    def make(law, changes=None):
        folder = tmp_path_factory.mktemp("campaign")
        return Campaign(harness, settings_of(controller, law), Pendulum(), folder, changes)

    return make


def test_nothing_is_violated_and_every_fault_has_its_status(begin):
    whole = Result()
    for law in Fallback:
        whole.add(begin(law).run(200, 60, seed=law, compared=4))
    document = whole.to_json()
    assert whole.held, document
    assert whole.totals.steps == 3 * 200 * 60
    assert document["statuses_unseen"] == document["faults_untold"] == []
    assert min(document["modes"].values()) > 0
    assert whole.compared == 12


def test_the_same_seed_gives_the_same_campaign(begin):
    campaign = begin(Fallback.HOLD)
    first, again, other = (bytes(campaign.run(20, 40, seed).totals) for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize("name", MUTANTS)
def test_a_supervisor_without_a_guard_is_caught(name, begin):
    old, new, violation = MUTANTS[name]
    found = begin(Fallback.HOLD, {old: new}).run(800, 60, seed=1, compared=1)
    assert not found.held
    assert getattr(found.totals, violation) > 0


def test_python_that_differs_is_noticed(begin):
    # At a law's change C goes over sooner than Python.
    old = "memory->handover_left_s = settings->handover_s;"
    new = "memory->handover_left_s = 0.5F * settings->handover_s;"
    found = begin(Fallback.HOLD, {old: new}).run(4, 60, seed=3, compared=4)
    assert found.differing > 0
