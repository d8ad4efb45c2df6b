"""Who is called a straggler, and who must not be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.profiling.fleet.stragglers import LEAST_RATIO, compare_alike, straggler_limit
from ltc_edge.profiling.fleet.summary import summarise_device

TIMES = st.lists(st.floats(0.01, 1e6), min_size=3, max_size=40)


@settings(max_examples=30)
@given(TIMES)
def test_less_than_half_of_the_devices_are_called_so(times):
    limit = straggler_limit(times)
    assert sum(us > limit for us in times) < len(times) / 2
    assert limit >= LEAST_RATIO * np.median(times)


@settings(max_examples=30)
@given(TIMES, st.floats(0.01, 100))
def test_the_unit_is_of_no_account(times, factor):
    assert straggler_limit([factor * us for us in times]) == pytest.approx(factor * straggler_limit(times))


@settings(max_examples=30)
@given(st.integers(3, 30), st.floats(1.3, 1e4), st.data())
def test_one_that_is_slow_among_equals_is_found(count, ratio, data):
    """Also of ten or fewer, where no mean and standard deviation would find it."""
    times = [10.0 * data.draw(st.floats(0.99, 1.01)) for _ in range(count - 1)]
    slow = 10.0 * ratio
    assert slow > straggler_limit([*times, slow])
    spread = np.array([*times, slow])
    if count <= 10:
        assert slow <= spread.mean() + 3 * spread.std()


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 100.0]])
def test_of_few_nobody_can_tell(times):
    assert straggler_limit(times) is None


def test_devices_are_compared_with_their_like(outcome):
    other = {"model": "Raspberry Pi 1", "soc": "bcm2835", "machine": "armv6l", "cores": 1}
    unknown = {"model": None, "soc": None, "machine": "x86_64", "cores": 4}
    made = [
        outcome("a", 10.0),
        outcome("b", 10.5),
        outcome("c", 15.0),
        outcome("d", 10.2),
        outcome("old", 300.0, device=other),
        outcome("older", 900.0, device=other),
        *(outcome(f"unknown-{n}", 10.0 ** (n + 1), device=unknown) for n in range(3)),
        outcome("onnx", 40.0, form="onnx"),
    ]
    found = compare_alike([summarise_device(one, ()) for one in made])
    assert {label for label, _ in found} == {"a", "b", "c", "d", "old", "older"}
    assert [label for (label, _), one in found.items() if one.straggler] == ["c"]
    assert found["c", "c-int16"].alike == 4
    assert found["c", "c-int16"].ratio == pytest.approx(15.0 / 10.35)
    assert found["older", "c-int16"].limit_us is None
