"""Which field of which topic is which signal of a controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.deploy.ros.example import check_path
from ltc_edge.deploy.ros.fields import FieldPath, parse_field
from ltc_edge.deploy.ros.graph_names import check_topic
from ltc_edge.deploy.ros.interfaces import MessageType
from ltc_edge.errors import InputError

JOINT_SUFFIXES = {"position": "position", "velocity": "velocity", "effort": "effort", "torque": "effort"}
"""The end of a signal's name → the field of JointState; any other name is a joint's position."""


@dataclass(frozen=True)
class Source:
    """A topic that observations are read from.

    Attributes:
        topic: its full name.
        message: its type.
        paths: the fields that are read.
        signals: for each of them, the index of the observation that it is.
    """

    topic: str
    message: MessageType
    paths: tuple[FieldPath, ...]
    signals: tuple[int, ...]


@dataclass(frozen=True)
class Sink:
    """The topic that actions go to: its name, its type, and the field of each action."""

    topic: str
    message: MessageType
    paths: tuple[FieldPath, ...]


@dataclass(frozen=True)
class Mapping:
    """Where observations come from, and where actions go; a message of the first source makes a step."""

    sources: tuple[Source, ...]
    sink: Sink


def default_paths(message: MessageType, signals: Sequence[str]) -> tuple[FieldPath, ...]:
    """The fields that signals are in where nobody said so.

    A MultiArray holds them in their order; a JointState by their names: ``hip_velocity`` is the velocity of
    the joint ``hip``, ``hip`` its position. A type of one number holds one; elsewhere a signal is the field
    of its name, ``linear_x`` being ``linear.x``.

    Raises:
        InputError: a signal has no place that its name tells.
    """
    short = message.name.rsplit("/", 1)[1]
    if short.endswith("MultiArray"):
        said = [f"data[{index}]" for index in range(len(signals))]
    elif short == "JointState":
        said = [_joint_field(signal) for signal in signals]
    elif short in ("Float64", "Float32"):
        if len(signals) > 1:
            raise InputError(f"{message.name} has room for one signal, and these are {', '.join(signals)}")
        said = ["data"]
    else:
        said = [_named_field(message, signal) for signal in signals]
    paths = tuple(parse_field(one) for one in said)
    for path in paths:
        check_path(message, path)
    return paths


def _joint_field(signal: str) -> str:
    for separator in ("_", "/", "."):
        joint, _, end = signal.rpartition(separator)
        if joint and end in JOINT_SUFFIXES:
            return f"{JOINT_SUFFIXES[end]}[{joint}]"
    return f"position[{signal}]"


def _named_field(message: MessageType, signal: str) -> str:
    for said in (signal, signal.replace("_", ".")):
        try:
            check_path(message, parse_field(said))
        except InputError:
            continue
        return said
    raise InputError(f"{message.name} has no field that {signal!r} names; say which in a file for --map")


def default_mapping(
    observations: Sequence[str],
    actions: Sequence[str],
    observed: tuple[str, MessageType],
    acted: tuple[str, MessageType],
) -> Mapping:
    """One topic for all observations and one for all actions.

    Args:
        observations: names of the controller's observations.
        actions: names of its actions.
        observed: topic and type that observations come from.
        acted: topic and type that actions go to.

    Raises:
        InputError: a name is none of ROS's, or a signal has no place.
    """
    topic, message = observed
    paths = default_paths(message, observations)
    source = Source(check_topic(topic), message, paths, tuple(range(len(paths))))
    sink = Sink(check_topic(acted[0]), acted[1], default_paths(acted[1], actions))
    return checked_mapping(Mapping((source,), sink), observations)


def checked_mapping(mapping: Mapping, observations: Sequence[str]) -> Mapping:
    """The mapping, once it gives every observation one place.

    Raises:
        InputError: an observation has none, or two; or a topic is used twice.
    """
    given = [index for source in mapping.sources for index in source.signals]
    for index, name in enumerate(observations):
        if given.count(index) != 1:
            places = "no place" if index not in given else "two places"
            raise InputError(f"observation {name!r} has {places} among the topics; give it one")
    topics = [source.topic for source in mapping.sources] + [mapping.sink.topic]
    for topic in topics:
        if topics.count(topic) > 1:
            raise InputError(f"topic {topic} is used twice; name each once, with all of its signals")
    return mapping
