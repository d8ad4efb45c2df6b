"""Which field is which signal: by names, and by a file."""

import pytest

from ltc_edge.deploy.ros.interfaces import find_type
from ltc_edge.deploy.ros.mapping import default_mapping, default_paths
from ltc_edge.deploy.ros.mapping_file import read_mapping
from ltc_edge.errors import InputError

OBSERVATIONS, ACTIONS = ("hip", "hip_velocity", "reference"), ("hip_effort",)

FILE = """
[[observation]]
topic = "/joint_states"
type = "JointState"
signals = { hip = "position[left hip]", hip_velocity = "velocity[left hip]" }

[[observation]]
topic = "/reference"
type = "std_msgs/msg/Float64"
signals = { reference = "data" }

[action]
topic = "/effort/commands"
type = "Float64MultiArray"
"""


def said(paths):
    return [path.said for path in paths]


@pytest.mark.parametrize(
    ("kind", "signals", "fields"),
    [
        ("JointState", ("hip", "hip_velocity"), ["position[hip]", "velocity[hip]"]),
        ("JointState", ("arm/effort", "arm.torque"), ["effort[arm]", "effort[arm]"]),
        ("Float64MultiArray", ("a", "b"), ["data[0]", "data[1]"]),
        ("Float64", ("a",), ["data"]),
        ("Twist", ("linear_x", "angular.z"), ["linear.x", "angular.z"]),
    ],
)
def test_names_tell_where_signals_are(kind, signals, fields):
    assert said(default_paths(find_type(kind), signals)) == fields


def test_names_that_tell_nothing():
    with pytest.raises(InputError, match="room for one signal"):
        default_paths(find_type("Float64"), ("a", "b"))
    with pytest.raises(InputError, match=r"no field that 'torque' names; .*--map"):
        default_paths(find_type("Twist"), ("torque",))


def test_the_same_topic_twice():
    state, command = ("/x", find_type("JointState")), ("/x", find_type("JointState"))
    with pytest.raises(InputError, match="/x is used twice"):
        default_mapping(("a",), ("b",), state, command)


def test_a_file(tmp_path):
    (tmp_path / "map.toml").write_text(FILE)
    found = read_mapping(tmp_path / "map.toml", OBSERVATIONS, ACTIONS)
    assert [source.topic for source in found.sources] == ["/joint_states", "/reference"]
    assert [source.signals for source in found.sources] == [(0, 1), (2,)]
    assert said(found.sources[0].paths) == ["position[left hip]", "velocity[left hip]"]
    assert said(found.sink.paths) == ["data[0]"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[action]", "[actions]", "'actions', which is none of"),
        ('reference = "data"', 'reference = "datum"', "'datum'"),
        ('reference = "data"', 'speed = "data"', "'speed' is no signal"),
        ('hip = "position[left hip]", ', "", "observation 'hip' has no place"),
        ('"/reference"', '"/joint_states"', "/joint_states is used twice"),
        ('"/reference"', '"reference"', "beginning with /"),
        ("std_msgs/msg/Float64", "std_msgs/msg/Float65", "no such message type"),
        ('type = "JointState"', "type = 3", "needs a topic and a type"),
        ("signals = {", "signals = {{", "not TOML"),
        ('reference = "data"', "reference = 3", "is no text"),
        ('signals = { reference = "data" }', "signals = {}", "is a table"),
        ('type = "Float64MultiArray"', 'type = "Float64MultiArray"\nsignals = { hip = "data" }', "no signal"),
    ],
)
def test_files_that_are_wrong(tmp_path, old, new, why):
    assert old in FILE
    (tmp_path / "map.toml").write_text(FILE.replace(old, new, 1))
    with pytest.raises(InputError, match=rf"map\.toml: .*{why}"):
        read_mapping(tmp_path / "map.toml", OBSERVATIONS, ACTIONS)


def test_files_that_are_none(tmp_path):
    for name, content, why in (
        ("deep", "a = " + "[" * 5000, "nested too deep"),
        ("binary", "\x00", "not TOML"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=why):
            read_mapping(tmp_path / name, OBSERVATIONS, ACTIONS)
    with pytest.raises(InputError, match="null byte"):
        read_mapping(tmp_path / "\0", OBSERVATIONS, ACTIONS)
    with pytest.raises(InputError, match="cannot be read"):
        read_mapping(tmp_path / "no.toml", OBSERVATIONS, ACTIONS)
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(InputError, match=r"at least one \[\[observation\]\]"):
        read_mapping(tmp_path / "empty.toml", OBSERVATIONS, ACTIONS)
