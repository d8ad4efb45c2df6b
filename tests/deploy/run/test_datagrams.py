"""Datagrams and URLs: both ways, and what is none."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ltc_edge.deploy.run.datagrams import (
    Action,
    Readings,
    decode_action,
    decode_readings,
    encode_action,
    encode_readings,
)
from ltc_edge.deploy.run.urls import native_url, numeric, read_url
from ltc_edge.errors import InputError

WORD, LONG = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)


def values(size):
    return arrays(np.float32, size, elements=st.floats(width=32))


@settings(max_examples=30)
@given(
    st.builds(
        Readings,
        observation=values(3),
        sequence=WORD,
        timestamp=LONG,
        age_s=st.none() | values(3),
        external=st.none() | values(2),
        requests=st.integers(0, 7),
        ends=st.booleans(),
    )
)
def test_readings_come_back(readings):
    content = encode_readings(readings)
    found = decode_readings(content, 3)
    assert encode_readings(found) == content
    np.testing.assert_array_equal(found.observation, readings.observation)
    assert (found.age_s is None) == (readings.age_s is None)
    assert (found.external is None) == (readings.external is None)
    assert (found.sequence, found.timestamp, found.requests, found.ends) == (
        readings.sequence,
        readings.timestamp,
        readings.requests,
        readings.ends,
    )


@settings(max_examples=30)
@given(st.builds(Action, WORD, LONG, WORD, WORD, st.integers(0, 4), values(2), values(2)))
def test_actions_come_back(action):
    content = encode_action(action)
    assert encode_action(decode_action(content)) == content


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(content):
    for decode in (decode_action, lambda given: decode_readings(given, 3)):
        with pytest.raises(InputError):
            decode(content)


@given(content=st.binary(min_size=1, max_size=4), at=st.integers(0, 60))
def test_damaged_datagrams_are_refused_or_read(content, at):
    whole = bytearray(encode_readings(Readings(np.zeros(3, dtype=np.float32), 1)))
    whole[at : at + len(content)] = content
    with contextlib.suppress(InputError):
        assert len(decode_readings(bytes(whole), 3).observation) == 3


def test_the_layout_is_the_documented_one():
    readings = Readings(np.float32([1.0]), 2, timestamp=3, age_s=np.float32([0.5]), requests=1)
    assert encode_readings(readings).hex(" ", 4) == (
        "4c544345 01010100 02000000 01010000 03000000 00000000 0000803f 0000003f"
    )


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("udp://9000", "udp://127.0.0.1:9000"),
        ("udp://localhost:9000", "udp://127.0.0.1:9000"),
        ("udp://[::1]:9000?to=127.0.0.1:1", "udp://[::1]:9000?to=127.0.0.1:1"),
        ("lines", "lines"),
        ("serial:///dev/ttyX?baud=9600", "serial:///dev/ttyX?baud=9600"),
    ],
)
def test_urls_become_what_the_program_takes(said, wanted):
    assert native_url(read_url(said), ["x"], ["u"]) == wanted


@pytest.mark.parametrize(
    "said",
    ["", "udp", "ftp://x", "udp://", "udp://h:x", "udp://1:99999", "udp://9?a", "udp://9?frm=1", "udp://\0"],
)
def test_what_is_no_url_is_refused(said):
    with pytest.raises(InputError):
        native_url(read_url(said), ["x"], ["u"])


def test_a_host_without_an_address_is_told():
    with pytest.raises(InputError, match="has no address"):
        numeric("does-not-exist.invalid:1")
