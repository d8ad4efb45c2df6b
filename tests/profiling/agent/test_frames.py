"""Messages: what goes in comes out, and nothing else is taken for one."""

import io
import json
import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ltc_edge.profiling.agent import frames

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=4)


@given(st.lists(st.tuples(DOCUMENTS, st.binary(max_size=100)), max_size=4))
def test_messages_come_back_as_they_were_written(messages):
    stream = io.BytesIO()
    for document, block in messages:
        frames.write(stream, document, block)
    stream.seek(0)
    assert [frames.read(stream) for _ in messages] == messages
    assert frames.read(stream) is None


@given(DOCUMENTS, st.binary(max_size=40), st.data())
def test_every_cut_is_told(document, block, data):
    whole = frames.pack(document, block)
    length = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(frames.FrameError, match="cut off"):
        frames.read(io.BytesIO(whole[:length]))


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_no_message(content):
    assume(not content.startswith(frames.MAGIC))
    with pytest.raises(frames.FrameError):
        frames.read(io.BytesIO(content))


@given(st.binary(max_size=60), st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1))
def test_lengths_that_lie(content, size, block_size):
    assume((size, block_size) != (0, 0))
    assume(size + block_size > len(content))
    head = struct.pack(">4sIQ", frames.MAGIC, size, block_size)
    with pytest.raises(frames.FrameError):
        frames.read(io.BytesIO(head + content))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'"text"',
        b"{",
        b"{'a': 1}",
        b"\xff",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda text: repr(text[:8]),
)
def test_what_is_no_object_of_json(text):
    head = struct.pack(">4sIQ", frames.MAGIC, len(text), 0)
    with pytest.raises(frames.FrameError, match="no message, but b") as caught:
        frames.read(io.BytesIO(head + text))
    assert len(str(caught.value)) < 200


def test_a_message_that_claims_all_memory_is_refused_unread():
    stream = io.BytesIO(struct.pack(">4sIQ", frames.MAGIC, 2, frames.MAX_BLOCK + 1) + b"{}")
    with pytest.raises(frames.FrameError):
        frames.read(stream)
    assert stream.read() == b"{}"


def test_what_is_no_number_is_not_sent():
    with pytest.raises(ValueError, match="Out of range float"):
        frames.pack({"a": float("nan")})


def test_as_it_is_described():
    document = {"a": 1}
    text = json.dumps(document).encode()
    assert (
        frames.pack(document, b"xy") == b"LTCA" + struct.pack(">I", 8) + struct.pack(">Q", 2) + text + b"xy"
    )


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_no_message(value):
    text = f'{{"rss_bytes": {value}}}'.encode()
    with pytest.raises(frames.FrameError, match="no message"):
        frames.read(io.BytesIO(struct.pack(">4sIQ", frames.MAGIC, len(text), 0) + text))
