"""Every state that the supervisor reaches, against the tables of its page; slices of the searches."""

import re
import shutil
from pathlib import Path

import pytest
from supervisor_bench import exploring
from supervisor_bench.exploring import CONDITIONS, REQUESTS

from ltc_edge.errors import CheckFailedError
from ltc_edge.supervision import STATUS, Fallback, Mode, status_names

PAGE = (Path(__file__).parents[2] / "docs" / "supervisor.md").read_text(encoding="utf-8")
STRIDE = 1009


def table(heading):
    """Rows of the table under a heading, as lists of cells without marks."""
    part = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [
        [re.sub(r"[*`]", "", cell).strip() for cell in row] for row in rows if set(row[0].strip()) != {"-"}
    ]


def by_mode(heading):
    """The columns of a table, and the mode in each cell by mode of the row and column."""
    (_, *columns), *rows = table(heading)
    cells = {
        (Mode[row[0]], name): Mode[cell] for row in rows for name, cell in zip(columns, row[1:], strict=True)
    }
    return columns, cells


def documented():
    """(mode before, request, condition) to mode after, as the two tables of the page say."""
    requests, asked = by_mode("What a request does")
    conditions, settled = by_mode("What a fault does")
    assert tuple(requests) == REQUESTS
    assert tuple(conditions) == CONDITIONS
    return {
        (mode, request, condition): settled[asked[mode, request], condition]
        for mode in Mode
        for request in REQUESTS
        for condition in CONDITIONS
    }


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    return exploring.coverage(tmp_path_factory.mktemp("explored"), STRIDE)


def test_every_transition_is_in_the_page(covered):
    tables = documented()
    found = {}
    for document in covered["searches"]:
        for before, request, condition, after in exploring.named_transitions(document):
            assert tables[before, request, condition] == after
            found[before, request, condition] = after
    # While it is active it has been healthy for long enough. The fault that latches here is the controller's,
    # which not every mode can see, nor every slice of the search.
    latches, _, short, _ = CONDITIONS
    unseen = tables.keys() - found.keys()
    never = {(Mode.ACTIVE, request, short) for request in REQUESTS}
    assert never <= unseen
    assert unseen - never <= {(mode, request, latches) for mode in Mode for request in REQUESTS}
    assert found[Mode.FALLBACK, "none", latches] == Mode.LATCHED


def test_every_status_is_seen_and_in_the_page(covered):
    seen = {int(bit) for document in covered["searches"] for bit in document["statuses"]}
    # Its own memory's fault is counted with the flipped bits.
    assert {bit.value for bit in STATUS.values()} - seen == {STATUS["memory-fault"].value}
    (_, *_), *rows = table("What a status means")
    assert [row[0] for row in rows] == list(STATUS)
    for name, _, meaning, *rest in rows:
        assert (meaning, rest[-1]) == (STATUS[name].meaning, STATUS[name].remedy)
        assert ("yes" in rest[0]) == STATUS[name].fault


def test_every_line_and_branch_is_taken(covered):
    assert covered["missed"] == []
    assert covered["branches"] > 150


def test_states_are_searched_to_their_end(covered):
    assert [document["failures"] for document in covered["searches"]] == [0] * 4
    assert min(document["states"] for document in covered["searches"]) > 200


def test_the_search_notices_a_supervisor_that_latches_no_more(tmp_path):
    change = {
        "next = (uint32_t)LTC_LATCHED;\n        } else if (fault": "next = mode;\n        } else if (fault"
    }
    with pytest.raises(CheckFailedError, match="the mode follows the table"):
        exploring.explore(Fallback.REST, tmp_path, STRIDE, changes=change)


def test_no_float_gets_past_the_last_comparison(tmp_path):
    assert exploring.all_floats(tmp_path, stride=10007)["ok"]


@pytest.mark.skipif(shutil.which("frama-c") is None, reason="frama-c is not installed")
def test_whatever_memory_and_inputs_are_the_action_is_within_its_limits(tmp_path):
    found = exploring.analyse(Fallback.HOLD, tmp_path)
    assert found["ok"], found["shown"]


@pytest.mark.parametrize(
    ("shown", "inside"),
    [
        ("[-1. .. 1.], [-0.5 .. 0.5]", True),
        ("[-1. .. 1.00001], [-0.5 .. 0.5]", False),
        ("[-1. .. 1.], [-inf .. 0.5]", False),
        ("[-1. .. 1.]", False),
        ("", False),
    ],
)
def test_intervals_are_read_as_they_are_shown(shown, inside):
    assert exploring.is_inside(shown, [(-1.0, 1.0), (-0.5, 0.5)]) is inside


def test_statuses_have_names():
    assert status_names(0x2 | 0x100 | 0x100000) == ("dt-clamped", "stale-input", "memory-fault")
