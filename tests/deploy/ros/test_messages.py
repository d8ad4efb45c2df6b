"""Messages are read and written where they lie, to the byte as rosbags and cyclonedds have them."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.deploy.ros.cdr import Encoder
from ltc_edge.deploy.ros.dds_types import plain_dds_type
from ltc_edge.deploy.ros.example import check_path, example
from ltc_edge.deploy.ros.fields import parse_field
from ltc_edge.deploy.ros.interfaces import fields_of, find_type, type_store
from ltc_edge.deploy.ros.layout import NotThisMessageError, find_layout
from ltc_edge.errors import InputError

FLOATS = st.floats(width=64, allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


def messages(name):
    """Any message of a type, as rosbags has it, with short lists."""
    built = {field.name: one_field(field) for field in fields_of(name)}
    return st.fixed_dictionaries(built).map(lambda content: type_store().types[name](**content))


def one_field(field):
    if not field.listed:
        return one(field)
    sizes = {"min_size": field.count or 0, "max_size": field.count or 3}
    if field.base is None or field.base == "string":
        return st.lists(one(field), **sizes)
    return st.lists(one(field), **sizes).map(functools.partial(np.array, dtype=field.base))


def one(field):
    if field.message is not None:
        return messages(field.message)
    if field.base == "string":
        return TEXTS
    if field.base in _INTEGERS:
        bounds = np.iinfo(field.base)
        return st.integers(int(bounds.min), int(bounds.max))
    return st.floats(width=int(field.base[-2:]), allow_nan=False)


def leaves(message, name, way=""):
    """Every number of a message: its path and its value."""
    for field in fields_of(name):
        value = getattr(message, field.name)
        each = [(f"[{i}]", item) for i, item in enumerate(value)] if field.listed else [("", value)]
        for index, item in each:
            said = f"{way}{field.name}{index}"
            if field.message is not None:
                yield from leaves(item, field.message, f"{said}.")
            elif field.base != "string":
                yield said, item


def read(name, payload, paths):
    import struct

    layout = find_layout(name, payload, [parse_field(path) for path in paths])
    return [struct.unpack_from(layout.order + at.code, payload, at.offset)[0] for at in layout.values]


TYPES = ("JointState", "Float64MultiArray", "Twist", "Imu", "JointTrajectory")


@pytest.mark.parametrize("short", TYPES)
@settings(max_examples=5, deadline=None)
@given(data=st.data(), little=st.booleans())
def test_every_number_is_found(short, data, little):
    name = find_type(short).name
    message = data.draw(messages(name))
    payload = bytes(type_store().serialize_cdr(message, name, little_endian=little))
    expected = dict(leaves(message, name))
    assert read(name, payload, expected) == list(expected.values())


@settings(max_examples=12, deadline=None)
@given(
    joints=st.lists(
        TEXTS.filter(lambda text: text and not set(text) & set("[]")), min_size=1, max_size=4, unique=True
    ),
    values=st.lists(FLOATS, min_size=4, max_size=4),
)
def test_joints_go_by_name(joints, values):
    named = [joint for joint in joints if not joint.isdigit()]
    name = "sensor_msgs/msg/JointState"
    message = example(name, [])
    message.name, message.velocity = joints, np.array(values[: len(joints)])
    payload = bytes(type_store().serialize_cdr(message, name, little_endian=True))
    expected = [values[joints.index(joint)] for joint in named]
    assert read(name, payload, [f"velocity[{joint}]" for joint in named]) == expected
    with pytest.raises(NotThisMessageError, match="without"):
        read(name, payload, ["position[nobody at all]"])
    with pytest.raises(NotThisMessageError, match="without"):  # there, but without a position
        read(name, payload, [f"position[{joint}]" for joint in named] or ["position[nobody]"])


PATHS = {
    "JointState": ["position[a]", "effort[b]", "position[b]"],
    "Float64MultiArray": ["data[1]", "data[0]"],
    "Twist": ["linear.x", "angular.z"],
    "Float64": ["data"],
    "Imu": ["angular_velocity.y", "orientation_covariance[8]"],
    "JointTrajectory": ["points[1].positions[2]"],
}


@pytest.mark.parametrize("short", PATHS)
@settings(max_examples=4, deadline=None)
@given(values=st.lists(FLOATS, min_size=3, max_size=3), stamp_ns=st.integers(0, 2**31 * 10**9 - 1))
def test_written_messages_are_rosbags_own(short, values, stamp_ns):
    kind, paths = find_type(short), PATHS[short]
    given_values = values[: len(paths)]
    payload = Encoder(kind, [parse_field(path) for path in paths]).write(given_values, stamp_ns)
    assert read(kind.name, payload, paths) == given_values
    message = type_store().deserialize_cdr(payload, kind.name)
    assert bytes(type_store().serialize_cdr(message, kind.name)) == payload
    if hasattr(message, "header"):
        assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp_ns


@pytest.mark.parametrize("short", PATHS)
def test_written_messages_are_cyclonedds_own(short):
    """Its own serialiser, in the shape that was made for it, reads them and writes the same bytes."""
    kind, paths = find_type(short), PATHS[short]
    payload = Encoder(kind, [parse_field(path) for path in paths]).write(
        [1.5, -2.25, 1e9][: len(paths)], 7_000_000_009
    )
    made = plain_dds_type(kind)
    assert made.deserialize(payload).serialize(use_version_2=False) == payload


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 200), at=st.integers(0, 200), byte=st.integers(0, 255))
def test_damaged_messages_are_refused_or_read_within_their_bytes(cut, at, byte):
    name = "sensor_msgs/msg/JointState"
    whole = Encoder(find_type(name), [parse_field("position[a]")]).write([1.0], 5)
    damaged = bytearray(whole[:cut])
    if at < len(damaged):
        damaged[at] = byte
    try:
        layout = find_layout(name, bytes(damaged), [parse_field("position[a]")])
    except NotThisMessageError:
        return
    assert layout.values[0].offset + 8 <= len(damaged)


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ("Twist", "linear"),
        ("Twist", "linear.w"),
        ("Twist", "linear.x.y"),
        ("Twist", "linear[0].x"),
        ("Twist", "linear[hip].x"),
        ("JointState", "position"),
        ("JointState", "name[0]"),
        ("JointState", "header.frame_id"),
        ("Float64MultiArray", "data[hip]"),
        ("Float64MultiArray", "data[4096]"),
        ("Imu", "orientation_covariance[9]"),
    ],
)
def test_fields_that_are_none(short, said):
    with pytest.raises(InputError, match=r"has no|no number|names no joints"):
        check_path(find_type(short), parse_field(said))


@pytest.mark.parametrize("said", ["", ".", "a..b", "a[", "a[]", "a[0", "1a", "a.b.", "a[b]c"])
def test_paths_that_are_none(said):
    with pytest.raises(InputError, match="no field"):
        parse_field(said)


def test_what_cannot_be_written():
    state = find_type("JointState")
    with pytest.raises(InputError, match="two signals in one field"):
        Encoder(state, [parse_field("effort[a]"), parse_field("effort[a]")])
    with pytest.raises(InputError, match="no floating-point"):
        Encoder(state, [parse_field("header.stamp.sec")])
