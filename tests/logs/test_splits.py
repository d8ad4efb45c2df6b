from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.errors import RecordingError
from ltc_edge.logs import Recording
from ltc_edge.logs.splits import cut_blocks, hold_out

_BOTH = {"validation": 0.2, "test": 0.2}


def _recording(rows, name="log"):
    return Recording(name, ("a",), np.zeros((rows, 1)), None)


@given(
    rows=st.integers(2, 500),
    gap=st.integers(0, 60),
    shares=st.sampled_from([_BOTH, {"validation": 0.1}, {"test": 0.3}]),
)
def test_blocks_keep_their_gap_and_cover_the_rest(rows, gap, shares):
    usable = rows - gap * len(shares)
    if min(round(usable * share) for share in shares.values()) < 2:
        with pytest.raises(RecordingError, match="too few"):
            cut_blocks(_recording(rows), shares, gap)
        return
    blocks = cut_blocks(_recording(rows), shares, gap)
    assert list(blocks) == [
        name for name in ("train", "validation", "test") if name == "train" or name in shares
    ]
    ordered = list(blocks.values())
    assert ordered[0].start == 0
    assert ordered[-1].stop == rows
    for before, after in pairwise(ordered):
        assert after.start - before.stop == gap
    assert all(block.stop - block.start >= 2 for block in ordered)


def test_sixty_twenty_twenty():
    blocks = cut_blocks(_recording(120), _BOTH, 10)
    assert [(block.start, block.stop) for block in blocks.values()] == [(0, 60), (70, 90), (100, 120)]


@pytest.mark.parametrize(
    ("files", "counts"), [(3, (1, 1, 1)), (5, (3, 1, 1)), (10, (6, 2, 2)), (31, (19, 6, 6))]
)
def test_several_files_are_split_whole_and_in_order(files, counts):
    recordings = [_recording(10, f"log{number:02d}") for number in range(files)]
    blocks = hold_out(recordings, _BOTH, gap=4)
    order = [block.recording for name in ("train", "validation", "test") for block in blocks[name]]
    assert order == recordings
    assert tuple(len(blocks[name]) for name in ("train", "validation", "test")) == counts
    assert all((block.start, block.stop) == (0, 10) for split in blocks.values() for block in split)


def test_two_files_are_each_cut_into_blocks():
    blocks = hold_out([_recording(50, "a"), _recording(100, "b")], _BOTH, gap=5)
    for split in blocks.values():
        assert [block.recording.source for block in split] == ["a", "b"]


def test_nothing_is_held_out_where_nothing_is_asked():
    assert list(hold_out([_recording(5)], {}, gap=5)) == ["train"]
