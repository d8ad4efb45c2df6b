"""Steps at a rate: which are late, which are missed, and how many in a row."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.profiling.paced import longest_run, timeliness

US = st.floats(0, 1e6)


@given(st.lists(st.booleans(), max_size=60))
def test_longest_run(missed):
    by_hand = max((len(list(group)) for value, group in itertools.groupby(missed) if value), default=0)
    assert longest_run(np.array(missed, dtype=bool)) == by_hand


@given(st.lists(st.tuples(US, US), min_size=1, max_size=60), st.floats(1, 1e6))
def test_a_period_is_missed_when_its_step_ends_after_the_next_began(steps, period_us):
    late, took = np.array(steps).T
    found = timeliness(late, took, period_us)
    misses = run = longest = 0
    for began_late, lasted in steps:
        missed = began_late + lasted > period_us
        run = run + 1 if missed else 0
        misses += missed
        longest = max(longest, run)
    assert (found["misses"], found["longest_run_of_misses"]) == (misses, longest)
    assert found["periods"] == found["wakeup_us"]["samples"] == found["execution_us"]["samples"] == len(steps)
    assert found["wakeup_us"]["max"] == late.max()
    assert found["execution_us"]["max"] == took.max()
    assert sum(found["wakeup_histogram"]["counts"]) == len(steps)


def test_a_step_that_fills_its_period_is_in_time():
    found = timeliness(np.array([2.0, 2.0]), np.array([8.0, 8.001]), 10.0)
    assert (found["misses"], found["longest_run_of_misses"]) == (1, 1)
