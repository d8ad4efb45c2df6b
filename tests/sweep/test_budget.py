"""Budgets: what is read, what is refused and where, and by how much a limit is broken."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.errors import InputError
from ltc_edge.sweep.budget import Budget, Limit, read_budget
from ltc_edge.sweep.objectives import OBJECTIVES

numbers = st.floats(min_value=1e-12, max_value=1e12)
limits = st.builds(
    Limit, st.sampled_from(sorted(OBJECTIVES)), st.sampled_from(["<", "<=", ">", ">="]), numbers
)


@given(limits)
def test_a_limit_is_read_as_it_is_written(limit):
    assert read_budget(str(limit)) == Budget((limit,))


@given(limits, numbers)
def test_a_limit_is_broken_exactly_where_its_relation_does_not_hold(limit, figure):
    holds = {"<": figure < limit.value, "<=": figure <= limit.value}
    holds |= {">": figure > limit.value, ">=": figure >= limit.value}
    assert (limit.violation(figure) <= 0) == holds[limit.relation]


@given(limits, numbers)
def test_a_violation_is_a_share_of_the_limit(limit, figure):
    if figure != limit.value:
        expected = (figure - limit.value) / limit.value
        assert limit.violation(figure) == pytest.approx(expected if limit.is_upper else -expected)


def test_a_limit_of_zero_is_broken_by_the_figure_itself():
    limit = read_budget("return>=0").limits[0]
    assert limit.violation(-3.0) == 3.0
    assert limit.violation(0.0) <= 0


@pytest.mark.parametrize("figure", [None, math.nan])
def test_what_was_not_measured_keeps_nothing(figure):
    assert read_budget("flash<8192").limits[0].violation(figure) == math.inf


def test_all_limits_hold_together_with_spaces_and_every_relation():
    budget = read_budget(" p99_us <50, flash<= 8192,return> -9.35e3,return<0,error>=0")
    assert budget.names == ("p99_us", "flash", "return", "error")
    kept = {"p99_us": 49.0, "flash": 8192.0, "return": -9000.0, "error": 0.0}
    assert budget.is_kept(kept)
    assert budget.violation(kept | {"flash": 16384.0})["flash<=8192"] == 1.0
    assert not budget.is_kept(kept | {"p99_us": 50.0})
    assert read_budget(str(budget)) == budget


def test_nothing_is_kept_by_everything():
    assert Budget().is_kept({})
    assert Budget().violation({}) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "character 1: '' is no limit"),
        ("flash<8192,", "character 12: '' is no limit"),
        ("flash", "'flash' is no limit; write one such as flash<8192"),
        ("flash=8192", "is no limit"),
        ("flash<>8192", "is no limit"),
        ("1<flash<2", "is no limit"),
        ("flash<", "flash<: the number is missing"),
        ("flash<8kB", "flash<: '8kB' is no number"),
        ("flash<nan", "nan limits nothing"),
        ("flash<inf", "inf limits nothing"),
        ("<5", "a figure's name is missing"),
        ("flash<10, flsh<8192", "character 11: 'flsh' is no figure that is measured; did you mean flash?"),
        ("zzz<1", "there are return, "),
        ("flash<0", "cannot be kept, since flash is never below 0"),
        ("error<=-1", "cannot be kept"),
        ("flash<1,flash<2", "flash<1 and flash<2 limit flash twice"),
        ("return>2,return<1", "nothing keeps both return>2 and return<1"),
        ("flash<=5,flash>5", "nothing keeps both"),
        ("flash<5\n,ram<1e400", "1e400 limits nothing"),
    ],
)
def test_nonsense_is_refused_with_its_place(text, said):
    with pytest.raises(InputError) as refusal:
        read_budget(text)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("--budget")


def test_limits_that_touch_can_be_kept():
    assert read_budget("flash<=5,flash>=5").is_kept({"flash": 5.0})


@given(st.text(max_size=30))
def test_any_text_is_a_budget_or_refused_in_one_line(text):
    try:
        budget = read_budget(text)
    except InputError as error:
        lines = str(error).splitlines()
    else:
        assert read_budget(str(budget)) == budget
        lines = [str(budget)]
    assert len(lines) == 1
