"""What the zoo is to have: every named task, by commands that can be typed; what is there came of them."""

import shlex
import sys
from pathlib import Path

import pytest

from ltc_edge.cli.train import command as train
from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS
from ltc_edge.tasks import task_names
from ltc_edge.training.choose import choose_plan
from ltc_edge.zoo.index import load_index

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def listed():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(TOOLS), *sys.path])
        from zoo_build.wanted import read_wanted

        return read_wanted()


def test_every_named_task_is_wanted_or_said_to_be_missing(listed):
    wanted, missing = listed
    named = {*task_names(), *LOG_TASKS, *SEQUENCE_TASKS}
    assert {entry.task for entry in wanted} | {each.task for each in missing} == named
    assert load_index().missing == tuple(missing)


def test_every_command_is_a_plan_of_the_cell_it_names(listed):
    for entry in listed[0]:
        words = shlex.split(entry.command(entry.seeds[0]))
        assert words[:2] == ["ltc-edge", "train"]
        said = train.make_context("train", words[2:]).params
        for name in ("output", "resume", "force", "as_json"):
            del said[name]
        plan = choose_plan(said)
        assert plan.model.cell == entry.cell, entry.name
        assert plan.source.name == entry.task
        assert plan.seed == entry.seeds[0]


def test_the_index_is_of_what_is_wanted(listed):
    """Of a change of the list that was not carried out the package must not tell."""
    wanted = {entry.name: entry for entry in listed[0]}
    for entry in load_index().entries.values():
        listed_as = wanted[entry.name]
        assert entry.document["command"] == listed_as.command(entry.document["seeds"]["chosen"])
        assert {run["seed"] for run in entry.document["seeds"]["runs"]} <= set(listed_as.seeds)
