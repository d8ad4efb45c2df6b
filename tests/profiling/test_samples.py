"""Figures of samples, against numpy and against what is counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ltc_edge.profiling.samples import MOST_BINS, QUANTILES, histogram, summarise

MOST_US = 4_294_967.295  # what 32 bits of nanoseconds hold
TIMES = arrays.arrays(np.float64, st.integers(1, 300), elements=st.floats(0, MOST_US))


def test_quantiles_of_known_samples():
    us = np.random.default_rng(1).permutation(np.arange(1.0, 10_001.0))
    assert summarise(us) == {
        "p50": 5000.0,
        "p90": 9000.0,
        "p99": 9900.0,
        "p999": 9990.0,
        "max": 10_000.0,
        "mean": 5000.5,
        "std": pytest.approx(np.std(us, ddof=1)),
        "samples": 10_000,
    }


@given(TIMES)
def test_quantiles_are_samples_close_to_what_numpy_interpolates(us):
    found = summarise(us)
    ordered = np.sort(us)
    for name, share in QUANTILES.items():
        if found[name] is not None:
            rank = share * (len(us) - 1)
            assert ordered[max(int(rank) - 1, 0)] <= found[name] <= ordered[min(int(rank) + 2, len(us) - 1)]
            assert found[name] in us
    assert found["max"] == us.max()
    assert found["mean"] == pytest.approx(us.mean())


@given(st.integers(0, 3000))
def test_a_quantile_has_a_sample_beyond_it_or_is_none(count):
    found = summarise(np.arange(float(count)))
    for name, share in QUANTILES.items():
        beyond = None if found[name] is None else count - 1 - found[name]
        assert beyond is None or beyond >= 1
        # And it is there as soon as there can be one.
        assert (found[name] is not None) == (count >= round(1 / (1 - share)))


@pytest.mark.parametrize(
    ("count", "known"),
    [
        (1, ()),
        (2, ("p50",)),
        (9, ("p50",)),
        (10, ("p50", "p90")),
        (99, ("p50", "p90")),
        (100, ("p50", "p90", "p99")),
        (999, ("p50", "p90", "p99")),
        (1000, tuple(QUANTILES)),
    ],
)
def test_how_many_samples_a_quantile_takes(count, known):
    found = summarise(np.ones(count))
    assert tuple(name for name in QUANTILES if found[name] is not None) == known


def test_no_samples_and_one():
    empty = summarise(np.empty(0))
    assert empty.pop("samples") == 0
    assert set(empty.values()) == {None}
    one = summarise(np.array([3.0]))
    assert (one["max"], one["mean"], one["std"], one["samples"]) == (3.0, 3.0, None, 1)
    assert histogram(np.empty(0)) is None


@given(TIMES)
def test_a_histogram_counts_every_sample(us):
    found = histogram(us)
    edges, counts = found["edges_us"], found["counts"]
    assert sum(counts) == len(us)
    assert len(edges) == len(counts) + 1 <= MOST_BINS + 1
    assert edges == sorted(edges)
    assert edges[0] <= max(us.min(), 1e-3) * (1 + 1e-5)
    assert edges[-1] >= us.max() * (1 - 1e-5)


def test_bins_are_where_the_samples_are():
    found = histogram(np.concatenate([np.full(1000, 1.0), [100.0]]))
    assert len(found["counts"]) == 80  # two decades
    assert (found["counts"][0], found["counts"][-1], sum(found["counts"][1:-1])) == (1000, 1, 0)
    ratios = np.diff(np.log10(found["edges_us"]))
    assert ratios == pytest.approx(1 / 40, rel=1e-3)
