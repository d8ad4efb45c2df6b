"""What a node tells of its controller as parameters of ROS 2: one name and one value each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

from ltc_edge.deploy.ros.whole_messages import made

SEPARATOR = "."
"""Between the parts of a parameter's name (rclcpp, `ParameterService`)."""

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...]


class Kind(IntEnum):
    """rcl_interfaces/msg/ParameterType; bytes are left out."""

    NOT_SET = 0
    BOOL = 1
    INTEGER = 2
    DOUBLE = 3
    STRING = 4
    BOOL_ARRAY = 6
    INTEGER_ARRAY = 7
    DOUBLE_ARRAY = 8
    STRING_ARRAY = 9


_ARRAYS = {
    Kind.BOOL: Kind.BOOL_ARRAY,
    Kind.INTEGER: Kind.INTEGER_ARRAY,
    Kind.DOUBLE: Kind.DOUBLE_ARRAY,
    Kind.STRING: Kind.STRING_ARRAY,
}


def flattened(document: Mapping[str, Any]) -> dict[str, Value]:
    """Parameters of a JSON object, sorted by name.

    What is inside an object has its name behind a dot. A list of objects becomes the list of their names, and
    each is inside the name that it has: ``actions`` and ``actions.push.low``. Rows of numbers are put behind
    each other. What is null or an empty list has no type, and is left out.
    """
    return dict(sorted(_flattened("", document), key=lambda named: named[0]))


def _flattened(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flattened(f"{name}{SEPARATOR}{key}" if name else key, inner)
    elif isinstance(value, list | tuple):
        if value and isinstance(value[0], Mapping):
            yield name, tuple(str(item["name"]) for item in value)
            for item in value:
                inside = {key: inner for key, inner in item.items() if key != "name"}
                yield from _flattened(f"{name}{SEPARATOR}{item['name']}", inside)
        elif value:
            yield name, _array(value)
    elif value is not None:
        yield name, value


def _array(values: Sequence[Any]) -> tuple[Scalar, ...]:
    """Of one type, as an array of ROS is: whole numbers among others become floating-point ones."""
    items = tuple(
        item for value in values for item in (value if isinstance(value, list | tuple) else [value])
    )
    if {kind_of(item) for item in items} == {Kind.INTEGER, Kind.DOUBLE}:
        return tuple(float(item) for item in items)
    return items


def kind_of(value: Value | None) -> Kind:
    """The type of a parameter's value; None is one that is not set."""
    if value is None:
        return Kind.NOT_SET
    if isinstance(value, tuple):
        return _ARRAYS[kind_of(value[0])]
    if isinstance(value, bool):
        return Kind.BOOL
    if isinstance(value, int):
        return Kind.INTEGER
    return Kind.DOUBLE if isinstance(value, float) else Kind.STRING


def value_message(value: Value | None) -> Any:
    """The rcl_interfaces/msg/ParameterValue of a value."""
    import numpy as np

    fields: dict[str, Any] = {
        "type": 0,
        "bool_value": False,
        "integer_value": 0,
        "double_value": 0.0,
        "string_value": "",
        "byte_array_value": np.zeros(0, np.uint8),
        "bool_array_value": np.zeros(0, np.bool_),
        "integer_array_value": np.zeros(0, np.int64),
        "double_array_value": np.zeros(0, np.float64),
        "string_array_value": [],
    }
    kind = kind_of(value)
    if kind is not Kind.NOT_SET:
        field = f"{kind.name.lower()}_value"
        empty = fields[field]
        if isinstance(value, tuple):
            fields[field] = list(value) if isinstance(empty, list) else np.array(value, empty.dtype)
        else:
            fields[field] = value
    return made("rcl_interfaces/msg/ParameterValue", **fields | {"type": int(kind)})
