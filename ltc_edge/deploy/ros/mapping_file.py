"""The TOML that says which field of which topic is which signal: see docs/ros2.md."""

from __future__ import annotations

from collections.abc import Mapping as Table
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltc_edge.deploy.ros.example import check_path
from ltc_edge.deploy.ros.fields import FieldPath, parse_field
from ltc_edge.deploy.ros.graph_names import check_topic
from ltc_edge.deploy.ros.interfaces import MessageType, find_type
from ltc_edge.deploy.ros.mapping import Mapping, Sink, Source, checked_mapping, default_paths
from ltc_edge.errors import InputError
from ltc_edge.targets.description import read_table


def read_mapping(path: Path, observations: Sequence[str], actions: Sequence[str]) -> Mapping:
    """Read a mapping for a controller with these observations and actions.

    Raises:
        InputError: the file cannot be read, or says what the controller or a message has not.
    """
    document = read_table(path)
    try:
        return _mapping(document, observations, actions)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _mapping(document: Table[str, Any], observations: Sequence[str], actions: Sequence[str]) -> Mapping:
    _only(document, ("observation", "action"), "the file")
    tables = document.get("observation")
    if not isinstance(tables, list) or not tables:
        raise InputError("needs at least one [[observation]]")
    action = document.get("action")
    if not isinstance(action, dict):
        raise InputError("needs one [action]")
    sources = tuple(_source(table, observations) for table in tables)
    topic, message, fields = _topic(action, actions, "[action]")
    absent = [name for name in actions if name not in fields]
    if absent:
        raise InputError(f"[action] has no field for {', '.join(absent)}")
    sink = Sink(topic, message, tuple(fields[name] for name in actions))
    return checked_mapping(Mapping(sources, sink), observations)


def _source(table: Any, observations: Sequence[str]) -> Source:
    topic, message, fields = _topic(table, observations, "[[observation]]")
    signals = tuple(observations.index(name) for name in fields)
    return Source(topic, message, tuple(fields.values()), signals)


def _topic(table: Any, known: Sequence[str], where: str) -> tuple[str, MessageType, dict[str, FieldPath]]:
    """Topic, type and fields by signal; all signals in their usual fields where none is named."""
    if not isinstance(table, dict):
        raise InputError(f"{where} is no table")
    _only(table, ("topic", "type", "signals"), where)
    said = table.get("topic"), table.get("type")
    if not isinstance(said[0], str) or not isinstance(said[1], str):
        raise InputError(f'{where} needs a topic and a type, as in topic = "/joint_states"')
    topic, message = check_topic(said[0]), find_type(said[1])
    signals = table.get("signals")
    if signals is None:
        return topic, message, dict(zip(known, default_paths(message, known), strict=True))
    if not isinstance(signals, dict) or not signals:
        raise InputError(f'{where}: signals is a table, as in signals = {{ angle = "position[hip]" }}')
    fields = {}
    for name, field in signals.items():
        if name not in known:
            raise InputError(
                f"{where} of {topic}: {name!r} is no signal of the controller: {', '.join(known)}"
            )
        if not isinstance(field, str):
            raise InputError(f"{where} of {topic}: the field of {name!r} is no text")
        fields[name] = parse_field(field)
        check_path(message, fields[name])
    return topic, message, fields


def _only(table: Table[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"{where} has {key!r}, which is none of {', '.join(known)}")
