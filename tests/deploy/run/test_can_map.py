"""CAN maps: the C that takes signals from frames and puts them in, against Python's struct.

This machine's kernel may have no CAN; the socket itself is then not tried.
"""

import ctypes
import math
import struct
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.deploy.run.can_map import read_can_map
from ltc_edge.errors import InputError
from ltc_edge.runtimes.c_compiler import find_compiler, shared_library

FORMATS = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f"}
TOML = """
[readings.target]
id = 0x101
type = "i16"
scale = 0.5
offset = -1

[readings.level]
id = 0x18ff0203
byte = 2
type = "u16b"

[actions.drive]
id = 0x201
type = "f32"
"""


class Signal(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_uint32),
        ("byte", ctypes.c_uint8),
        ("bytes", ctypes.c_uint8),
        ("kind", ctypes.c_uint8),
        ("big_endian", ctypes.c_uint8),
        ("scale", ctypes.c_double),
        ("offset", ctypes.c_double),
    )


class Map(ctypes.Structure):
    _fields_ = (("count", ctypes.c_uint32), ("signal", Signal * 64))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = resources.files("ltc_edge.deploy") / "firmware" / "linux_rt_loop"
    files = {name: (folder / name).read_bytes() for name in ("can_map.c", "can_map.h")}
    flags = ("-std=c99", "-O1")
    loaded = ctypes.CDLL(str(shared_library(files, tmp_path_factory.mktemp("can"), find_compiler(), flags)))
    loaded.can_signal_give.argtypes = (ctypes.c_void_p, ctypes.c_float, ctypes.c_void_p)
    loaded.can_signal_give.restype = None
    return loaded


def read(library, text, count=1):
    """The map, or None where it is none."""
    found = Map()
    good = library.can_map_read(text.encode(), ctypes.c_uint32(count), ctypes.byref(found))
    return found if good else None


def take(library, signal, data):
    value = ctypes.c_float()
    good = library.can_signal_take(ctypes.byref(signal), data, len(data), ctypes.byref(value))
    return value.value if good else None


@given(
    kind=st.sampled_from(sorted(FORMATS)),
    big=st.booleans(),
    at=st.integers(0, 4),
    scale=st.sampled_from([1.0, -0.25, 1e-3, 50.0]),
    offset=st.sampled_from([0.0, -40.0, 0.125]),
    data=st.binary(min_size=8, max_size=8),
)
def test_a_signal_is_taken_as_struct_does(library, kind, big, at, scale, offset, data):
    signal = read(library, f"101:{at}:{kind}{'b' * big}:{scale}:{offset}").signal[0]
    (raw,) = struct.unpack_from((">" if big else "<") + FORMATS[kind], data, at)
    found = take(library, signal, data)
    with np.errstate(all="ignore"):
        wanted = float(np.float32(raw * scale + offset))
    assert found == wanted or (math.isnan(found) and math.isnan(wanted))
    assert take(library, signal, data[: at + signal.bytes - 1]) is None


@given(
    kind=st.sampled_from(sorted(set(FORMATS) - {"f32"})),
    big=st.booleans(),
    value=st.floats(width=32),
    scale=st.sampled_from([1.0, -0.25, 1e-3]),
)
def test_an_action_is_rounded_and_kept_within_its_type(library, kind, big, value, scale):
    signal = read(library, f"7ff:0:{kind}{'b' * big}:{scale}:2").signal[0]
    data = ctypes.create_string_buffer(8)
    library.can_signal_give(ctypes.byref(signal), value, data)
    form = FORMATS[kind]
    (raw,) = struct.unpack_from((">" if big else "<") + form, data.raw)
    bits = 8 * struct.calcsize(form)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if form.islower() else (0, 2**bits - 1)
    wanted = 0.0 if math.isnan(value) else (value - 2) / scale
    assert low <= raw <= high
    assert abs(raw - min(max(wanted, low), high)) <= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "101",
        "101:0:f32:1",
        "101:5:f32:1:0",
        "101:0:f64:1:0",
        "101:0:f32:0:0",
        "101:0:f32:nan:0",
        "x:0:u8:1:0",
        "20000000:0:u8:1:0",
        "101:0:u8:1:0,",
        "101:0:u8:1:0 ",
        "101:-1:u8:1:0",
        "101:0:u8:1:0,102:0:u8:1:0",
    ],
)
def test_what_is_no_map_is_refused(library, text):
    assert read(library, text) is None


def test_a_file_becomes_what_the_program_reads(library, tmp_path):
    (tmp_path / "can.toml").write_text(TOML)
    maps = read_can_map(tmp_path / "can.toml", ["target", "level"], ["drive"])
    found = read(library, maps.readings, 2)
    assert [found.signal[i].id for i in range(2)] == [0x101, 0x18FF0203]
    assert take(library, found.signal[0], struct.pack("<hxxxxxx", 7)) == 2.5
    assert take(library, found.signal[1], b"\0\0\1\2") == 258
    assert library.can_map_length(ctypes.byref(found), 0x18FF0203) == 4
    assert read(library, maps.actions).signal[0].kind == ord("f")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"i16"', '"i64"'), "readings.target.type"),
        (("id = 0x101", "id = -1"), "readings.target.id"),
        (("byte = 2", "byte = 7"), "a signal of 2 bytes begins at 0 to 6"),
        (("scale = 0.5", "scale = 0"), "must not be 0"),
        (("scale = 0.5", "scale = inf"), "no finite number"),
        (("[readings.level]", "[readings.other]"), "must have the signals target, level"),
        (("[actions.drive]", "[action.drive]"), "is none of readings, actions"),
    ],
)
def test_a_file_that_places_no_signal_is_refused(tmp_path, change, message):
    (tmp_path / "can.toml").write_text(TOML.replace(*change))
    with pytest.raises(InputError, match=message):
        read_can_map(tmp_path / "can.toml", ["target", "level"], ["drive"])
