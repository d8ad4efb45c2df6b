"""Frames on a line: what comes through, and what must not."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.runtimes.serial_frames import Frame, FrameReader, parse, stuffed, unstuffed

COMMON = Path(__file__).parents[2] / "firmware_examples" / "common"
CAPACITY = 1000

# Zeros and long runs without one are what stuffing is about.
runs = st.builds(lambda value, count: bytes([value]) * count, st.integers(0, 255), st.integers(0, 520))
contents = st.one_of(st.binary(max_size=80), st.lists(runs, max_size=4).map(b"".join))
frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), contents)


@given(contents)
def test_stuffing_is_undone_and_leaves_no_zero(data):
    assert 0 not in stuffed(data)
    assert len(stuffed(data)) <= len(data) + 1 + len(data) // 254
    assert unstuffed(stuffed(data)) == data


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", b"\1"),
        (b"\0", b"\1\1"),
        (b"\0\0", b"\1\1\1"),
        (b"\x11\x22\0\x33", b"\3\x11\x22\2\x33"),
        (b"\x11\0\0\0", b"\2\x11\1\1\1"),
        (bytes(range(1, 255)), b"\xff" + bytes(range(1, 255))),
        (bytes(range(255)), b"\1\xff" + bytes(range(1, 255))),
        (bytes(range(1, 256)), b"\xff" + bytes(range(1, 255)) + b"\2\xff"),
        (bytes(range(2, 256)) + b"\0", b"\xff" + bytes(range(2, 256)) + b"\1\1"),
        (bytes(range(3, 256)) + b"\0\1", b"\xfe" + bytes(range(3, 256)) + b"\2\1"),
    ],
)
def test_published_examples_of_the_stuffing(data, line):
    """Those of Cheshire and Baker's algorithm, as in the article on it in Wikipedia."""
    assert stuffed(data) == line
    assert unstuffed(line) == data


@given(
    st.lists(frames, min_size=1, max_size=5),
    st.lists(st.integers(1, 40), max_size=20),
    st.binary(max_size=40),
)
def test_frames_come_through_whatever_the_pieces_and_the_garbage_before(sent, cuts, garbage):
    line = garbage + b"".join(frame.line_bytes() for frame in sent)
    reader, found = FrameReader(), []
    for cut in [*cuts, len(line)]:
        found += reader.feed(line[:cut])
        line = line[cut:]
    assert found[-len(sent) :] == sent
    assert len(found) <= len(sent) + 1  # a frame in random garbage: with a CRC, once in 2^32


@given(frames, st.data())
def test_no_changed_byte_goes_unnoticed(frame, data):
    line = bytearray(frame.line_bytes())
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    assert [found for found in FrameReader().feed(bytes(line)) if found != frame] == []


@given(frames, st.data())
def test_a_frame_cut_short_or_with_a_byte_too_many_is_dropped(frame, data):
    line = frame.line_bytes()
    at = data.draw(st.integers(1, len(line) - 2))
    extra = data.draw(st.integers(1, 255))
    assert list(FrameReader().feed(line[:at] + line[at + 1 :])) == []
    assert list(FrameReader().feed(line[:at] + bytes([extra]) + line[at:])) == []


@given(st.binary(max_size=600))
def test_anything_at_all_is_parsed_or_dropped(data):
    frame = parse(data)
    assert frame is None or frame.line_bytes() == b"\0" + data + b"\0"
    list(FrameReader(limit=64).feed(data))


def test_what_never_ends_takes_no_memory_and_the_next_frame_comes_through():
    reader = FrameReader(limit=100)
    for _ in range(1000):
        assert list(reader.feed(b"\x55" * 100)) == []
    assert len(reader._pending) <= 101
    frame = Frame(1, 2, b"3")
    assert list(reader.feed(frame.line_bytes())) == [frame]
    assert list(reader.feed(Frame(1, 2, bytes(200)).line_bytes())) == []


class Receiver(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), *((n, ctypes.c_uint8) for n in ("left", "code", "dropping")))


class Sender(ctypes.Structure):
    _fields_ = (
        *((n, ctypes.c_uint16) for n in ("length", "at")),
        *((n, ctypes.c_uint8) for n in ("left", "code", "phase")),
    )


class InC:
    """ltc_cobs.c, called from here."""

    def __init__(self, library):
        self.library = library
        library.ltc_cobs_take.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint16, ctypes.c_uint8)
        library.ltc_cobs_take.restype = ctypes.c_uint16
        library.ltc_cobs_start.argtypes = (ctypes.c_void_p, ctypes.c_uint16)

    def send(self, data):
        sender, byte, line = Sender(), ctypes.c_uint8(), bytearray()
        self.library.ltc_cobs_start(ctypes.byref(sender), len(data))
        while self.library.ltc_cobs_give(ctypes.byref(sender), data, ctypes.byref(byte)):
            line.append(byte.value)
        return bytes(line)

    def receive(self, line, capacity=CAPACITY):
        receiver, frame, found = Receiver(), ctypes.create_string_buffer(capacity), []
        for byte in line:
            length = self.library.ltc_cobs_take(ctypes.byref(receiver), frame, capacity, byte)
            assert receiver.length <= capacity
            if length:
                found.append(frame.raw[:length])
        return found


@pytest.fixture(scope="module")
def in_c(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("cobs") / "cobs.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", library, COMMON / "ltc_cobs.c"], check=True, timeout=60
    )
    return InC(ctypes.CDLL(str(library)))


@given(data=contents)
def test_the_device_sends_the_same_bytes(in_c, data):
    assert in_c.send(data) == b"\0" + stuffed(data) + b"\0"


@given(pieces=st.lists(st.one_of(st.binary(max_size=60), contents.map(stuffed)), max_size=6))
def test_the_device_receives_what_python_receives(in_c, pieces):
    """Good pieces and garbage: the same frames, none from before the first zero."""
    line = b"\0" + b"\0".join(pieces) + b"\0"
    expected = [unstuffed(piece) for piece in line.split(b"\0")]
    assert in_c.receive(line) == [data for data in expected if data and len(data) <= CAPACITY]
    assert in_c.receive(b"\2" + line) == in_c.receive(line)


@given(data=contents, capacity=st.integers(1, 300))
def test_the_device_drops_what_is_longer_than_its_room(in_c, data, capacity):
    line = b"\0" + stuffed(data) + b"\0" + stuffed(b"x") + b"\0"
    assert in_c.receive(line, capacity) == [d for d in (data, b"x") if 0 < len(d) <= capacity]
