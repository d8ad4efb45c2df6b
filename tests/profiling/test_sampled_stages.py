"""Stages that a timer meets: where they are told, and what comes of the counts."""

import re

import numpy as np
import pytest

from ltc_edge.export.c import c_float32
from ltc_edge.export.c.stages import OTHER, STAGES
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.profiling.sampled_stages import DEFINE, LEAST_SAMPLES, shares, staged_source


@pytest.fixture(scope="module")
def source(tiny_controller):
    controller = controller_from_bytes(hub_bytes(tiny_controller()), "tiny")
    return c_float32(controller, "tiny").files["tiny.c"]


def test_each_part_says_that_it_begins(source):
    staged = staged_source(source).decode()
    stores = [int(number) for number in re.findall(r"^    harness_stage = (\d+);$", staged, re.MULTILINE)]
    assert len(stores) == source.count(b"/* Stage: ")
    assert {STAGES[number] for number in stores} == {"sensory", "unfolds", "readout", OTHER}
    assert staged.startswith("extern volatile int harness_stage;\n")
    # Nothing else is changed.
    assert re.sub(r"harness_stage = \d+;", "", staged).partition("\n")[2] == re.sub(
        r"/\* Stage: \S+ \*/", "", source.decode()
    )


def test_a_source_without_parts_has_none():
    assert staged_source(b"int main(void)\n{\n    return 0; /* Stages: none */\n}\n") is None


def block(**counts):
    return np.array([counts.get(stage, 0) for stage in STAGES], dtype="<i8").tobytes()


def test_shares_of_what_was_met():
    found = shares(block(sensory=100, unfolds=250, readout=50, other=100))
    assert found == {"sensory": 0.2, "unfolds": 0.5, "readout": 0.1, "other": 0.2}
    assert f"-DHARNESS_STAGES={len(STAGES)}" == DEFINE


def test_a_part_that_is_not_there_is_absent_but_for_the_rest():
    assert shares(block(cell=LEAST_SAMPLES)) == {"cell": 1.0, "other": 0.0}


def test_too_few_samples_say_nothing():
    assert shares(block(sensory=LEAST_SAMPLES - 1)) is None
    assert shares(block()) is None
