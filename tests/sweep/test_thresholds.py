"""When a trial is given up: by its peers alone, and by no others."""

from __future__ import annotations

import pytest

from ltc_edge.sweep.thresholds import PEERS, thresholds

OWN = {"cell": "ltc", "units": 8, "unfolds": 2}


def peers(*finals, **settings):
    """Complete trials whose metric rises evenly to ``finals`` in rounds 1, 3 and 5."""
    return [(OWN | settings, [(1, final / 3), (3, final * 2 / 3), (5, final)]) for final in finals]


def test_the_median_of_the_best_so_far():
    assert thresholds(OWN, peers(3, 6, 9, 12, 15), 50, maximised=True) == {1: 3, 3: 6, 5: 9}
    falling = [(OWN, [(1, 9.0), (3, least), (5, 8.0)]) for least in (1, 2, 3, 4, 5)]
    assert thresholds(OWN, falling, 50, maximised=False) == {1: 9, 3: 3, 5: 3}


@pytest.mark.parametrize("maximised", [True, False])
def test_percentiles_count_from_the_worst(maximised):
    trials = peers(1, 2, 3, 4, 5)
    last = [thresholds(OWN, trials, percent, maximised=maximised)[5] for percent in (1, 50, 100)]
    assert last == sorted(last, reverse=not maximised)
    assert last[-1] == (5 if maximised else 1 / 3)


@pytest.mark.parametrize(
    "dearer", [{"units": 9}, {"unfolds": 3}, {"cell": "cfc"}], ids=lambda change: next(iter(change))
)
def test_dearer_trials_and_other_cells_say_nothing(dearer):
    assert thresholds(OWN, peers(*range(20), **dearer), 50, maximised=True) == {}


def test_cheaper_trials_do():
    assert thresholds(OWN, peers(*range(20), units=4), 50, maximised=True)


def test_few_peers_and_a_percentile_of_nothing_give_none_up():
    assert thresholds(OWN, peers(*range(PEERS - 1)), 50, maximised=True) == {}
    assert thresholds(OWN, peers(*range(20)), 0, maximised=True) == {}


def test_a_trial_that_ended_early_keeps_what_it_had():
    early = [(OWN, [(1, 7.0)])] * 5
    assert thresholds(OWN, early + peers(*[9] * 5), 1, maximised=True)[5] == pytest.approx(7, abs=0.2)


def test_nobody_is_judged_before_all_peers_began():
    late = [(OWN, [(3, 7.0), (5, 8.0)])]
    assert set(thresholds(OWN, late + peers(*[9] * 5), 50, maximised=True)) == {3, 5}
