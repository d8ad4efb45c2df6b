"""Ranges from the command line."""

import json

import pytest
from optuna.trial import FixedTrial

from ltc_edge.errors import InputError
from ltc_edge.sweep.ranges import Choice, Real, Whole, range_from_json, read_choice, read_real, read_whole


def test_ranges_are_read():
    assert read_whole("--units", "4:32", 1, 64) == Whole(4, 32)
    assert read_whole("--units", "8", 1, 64) == Whole(8, 8)
    assert read_whole("--units", "8,12,16", 1, 64) == Choice((8, 12, 16))
    assert read_real("--sparsity", "0.2:0.8", 0, 1, log=False) == Real(0.2, 0.8)
    assert read_real("--sparsity", "0.5", 0, 1, log=False) == Real(0.5, 0.5)
    assert read_real("--learning-rate", "1e-3:1e-1", 0, 1, log=True) == Real(1e-3, 1e-1, log=True)
    assert read_choice("--cell", "ltc, CFC", ("ltc", "cfc", "gru")) == Choice(("ltc", "cfc"))
    assert read_choice("--mixed-memory", "true,false", (False, True)) == Choice((True, False))


@pytest.mark.parametrize(
    "text", ["", "4:", ":", "4:8:16", "a", "4,,5", "nan", "32:4", "0:8", "4:65", "8,8", "1.5"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(InputError, match="--units"):
        read_whole("--units", text, 1, 64)


@pytest.mark.parametrize("text", ["", "nan:1", "inf", "0.8:0.2", "-0.1:0.5", "0.5,0.5"])
def test_what_is_no_real_range_is_refused(text):
    with pytest.raises(InputError, match="--sparsity"):
        read_real("--sparsity", text, 0.0, 1.0, log=False)


def test_unknown_choices_are_refused():
    with pytest.raises(InputError, match="'lct' is none of ltc, cfc"):
        read_choice("--cell", "ltc,lct", ("ltc", "cfc"))
    with pytest.raises(InputError, match="has ltc twice"):
        read_choice("--cell", "ltc,ltc", ("ltc", "cfc"))


@pytest.mark.parametrize("each", [Whole(4, 32), Choice(("a", True, 3)), Real(0.1, 0.5, log=True)])
def test_ranges_survive_json(each):
    assert range_from_json(json.loads(json.dumps(each.to_json()))) == each


def test_where_there_is_nothing_to_choose_nobody_is_asked():
    nobody = FixedTrial({})
    assert Whole(3, 3).suggest(nobody, "x") == 3
    assert Choice(("ltc",)).suggest(nobody, "x") == "ltc"
    assert Real(0.5, 0.5).suggest(nobody, "x") == 0.5
