"""Figures by name, and which way they are better."""

import pytest

from ltc_edge.errors import InputError
from ltc_edge.logs import METRICS
from ltc_edge.sweep.objectives import COSTS, OBJECTIVES, TASK_METRICS, read_objectives


def test_more_return_and_less_of_every_cost_is_better():
    assert OBJECTIVES["return"].direction == "maximize"
    for name in (*COSTS, "error", "p99_us"):
        assert OBJECTIVES[name].direction == "minimize"
    assert OBJECTIVES["return"].is_better(2.0, 1.0)
    assert OBJECTIVES["flash"].is_better(1.0, 2.0)
    assert not OBJECTIVES["flash"].is_better(2.0, 2.0)


def test_metrics_of_recordings_go_the_way_of_their_table():
    for name, metric in METRICS.items():
        assert OBJECTIVES[name].maximised is not metric.lower_is_better
        assert name in TASK_METRICS


def test_objectives_are_read_in_their_order():
    assert [each.name for each in read_objectives("return, instructions,error")] == [
        "return",
        "instructions",
        "error",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("return,instrctions", "did you mean instructions?"),
        ("return,return", "names return twice"),
        ("return,", "a figure's name is missing"),
        ("", "a figure's name is missing"),
    ],
)
def test_what_is_no_figure_is_refused(text, said):
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        read_objectives(text)
