"""``sweep.json``: what was asked for, and what is refused of it."""

from __future__ import annotations

import dataclasses
import json

import pytest
from toy_sweep import plan

from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.sweep.plan import FILE, SweepPlan


@pytest.mark.parametrize(
    "chosen", [{}, {"sampler": "tpe", "seed": 7, "give_up": 0.0}, {"storage": "postgresql://me@host/x"}]
)
def test_a_plan_comes_back_equal(tmp_path, chosen):
    written = plan(**chosen)
    written.write(tmp_path)
    assert SweepPlan.read(tmp_path) == written


def test_studies_have_names_of_their_own():
    made = {SweepPlan(plan().measure, plan().space).name for _ in range(20)}
    assert len(made) == 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trials": 41}, "was edited"),
        ({"format": 2}, "newer version"),
        ({"sha256": "0"}, "was edited"),
        ({"space": None}, "was edited"),
    ],
)
def test_an_edited_plan_is_refused(tmp_path, change, said):
    document = plan().to_json() | change
    (tmp_path / FILE).write_text(json.dumps(document))
    with pytest.raises(ControllerFileError, match=said):
        SweepPlan.read(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"format": 1}', "[" * 100_000, "\0"])
def test_what_is_no_plan_is_refused(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ControllerFileError, match=FILE):
        SweepPlan.read(tmp_path)


def test_a_folder_without_one_is_no_sweep(tmp_path):
    with pytest.raises(ControllerFileError, match="holds no sweep"):
        SweepPlan.read(tmp_path)
    with pytest.raises(ControllerFileError, match="holds no sweep"):
        SweepPlan.read(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(ControllerFileError, match="no folder of a sweep"):
        SweepPlan.read(tmp_path / "file")


@pytest.mark.parametrize(
    "wrong",
    [
        {"trials": 0},
        {"seeds": 0},
        {"lookahead": 0},
        {"population": 1},
        {"give_up": 101.0},
        {"sampler": "grid"},
    ],
)
def test_what_makes_no_sweep_is_refused(wrong):
    with pytest.raises(InputError):
        plan(**wrong)


def test_quality_matters_where_it_is_searched_for_or_budgeted():
    measure = plan("").measure
    assert plan("").is_quality_sought
    costs = dataclasses.replace(measure, objectives=("instructions",))
    assert not dataclasses.replace(plan(""), measure=costs).is_quality_sought
    assert plan("return>9").is_quality_sought
