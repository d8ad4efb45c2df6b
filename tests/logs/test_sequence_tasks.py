"""Drawn sequences: their encoding against a transcription bit by bit, and their place in a data set."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.logs import SEQUENCE_TASKS, windows
from ltc_edge.logs.bit_streams import first_bit, irregular_parity, parity


def encoded(bits):
    """Rows ``(bit, elapsed)`` of a stream by the published rule, one bit after the other."""
    rows, elapsed, previous = [], 0, None
    for bit in bits:
        elapsed += 1
        if bit != previous:
            rows.append((bit, elapsed))
            elapsed = 0
        previous = bit
    if elapsed:
        rows.append((previous, elapsed))
    return rows


def decoded(rows):
    """The bits of ``(bit, elapsed)`` rows: what lies between two rows holds the earlier one's bit."""
    bits = [rows[0][0]]
    for (held, _), (bit, elapsed) in pairwise(rows):
        bits += [held] * (elapsed - 1) + [bit]
    return bits


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(3, 40))
def test_irregular_streams_are_the_dense_ones_seen_at_their_changes(seed, rows):
    dense = parity(np.random.default_rng(seed), 5, rows)
    sparse = irregular_parity(np.random.default_rng(seed), 5, rows)
    np.testing.assert_array_equal(dense.label, sparse.label)
    assert (sparse.last.sum(axis=1) == 1).all()
    assert (sparse.dt_s > 0).all()
    for index in range(5):
        bits = dense.bit[index, : dense.last[index].argmax() + 1].astype(int).tolist()
        assert 2 <= len(bits) < rows
        assert dense.label[index] == sum(bits) % 2
        last = sparse.last[index].argmax()
        found = list(
            zip(
                sparse.bit[index, : last + 1].astype(int).tolist(),
                sparse.dt_s[index, : last + 1].astype(int).tolist(),
                strict=True,
            )
        )
        assert found == encoded(bits)
        assert decoded(found) == bits


def test_the_first_bit_is_the_label_and_independent_of_the_others():
    drawn = first_bit(np.random.default_rng(0), 4000, 8)
    np.testing.assert_array_equal(drawn.label, drawn.bit[:, 0])
    agree = (drawn.bit[:, 1:] == drawn.label[:, None]).mean(axis=0)
    assert np.abs(agree - 0.5).max() < 4 / np.sqrt(4000)


@pytest.mark.parametrize("name", list(SEQUENCE_TASKS))
def test_windows_are_the_sequences_and_one_row_of_each_counts(name):
    task = SEQUENCE_TASKS[name]
    data = task.load()
    for split, count in ((data.validation, task.validation), (data.test, task.test)):
        cut = windows(split.segments, data.window_length, data.stride)
        assert cut.inputs.shape == (count, task.rows, 1)
        assert (cut.scored.sum(axis=1) == 1).all()
        # Labels are balanced, so that a constant guess scores a half.
        assert abs(cut.targets[cut.scored].mean() - 0.5) < 4 * 0.5 / np.sqrt(count)
    first = windows(data.test.segments, data.window_length, data.stride).inputs
    again = windows(task.load().test.segments, data.window_length, data.stride).inputs
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(
        first[:100], windows(data.validation.segments, task.rows, task.rows).inputs[:100]
    )
