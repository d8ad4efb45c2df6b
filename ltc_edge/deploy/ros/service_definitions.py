"""The services of a node's parameters (rcl_interfaces of ROS 2 Jazzy), which rosbags has no definitions of.

A service is sent as two messages, and described by four: its request, its response, the event that tools
record of a call, and the three of them together, whose hash names the service (rosidl, REP-2016).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rosbags.interfaces.typing import Typesdict

_Fields = tuple[tuple[str, str], ...]

PARAMETER_SERVICES: dict[str, tuple[_Fields, _Fields]] = {
    "ListParameters": (
        (("prefixes", "string[]"), ("depth", "uint64")),
        (("result", "rcl_interfaces/msg/ListParametersResult"),),
    ),
    "GetParameters": ((("names", "string[]"),), (("values", "rcl_interfaces/msg/ParameterValue[]"),)),
    "GetParameterTypes": ((("names", "string[]"),), (("types", "uint8[]"),)),
    "DescribeParameters": (
        (("names", "string[]"),),
        (("descriptors", "rcl_interfaces/msg/ParameterDescriptor[]"),),
    ),
    "SetParameters": (
        (("parameters", "rcl_interfaces/msg/Parameter[]"),),
        (("results", "rcl_interfaces/msg/SetParametersResult[]"),),
    ),
    "SetParametersAtomically": (
        (("parameters", "rcl_interfaces/msg/Parameter[]"),),
        (("result", "rcl_interfaces/msg/SetParametersResult"),),
    ),
}
"""Fields of request and response; ``[]`` is a sequence of any length."""


def service_definitions() -> Typesdict:
    """Definitions of the services' messages, as rosbags keeps definitions."""
    definitions: Typesdict = {}
    for short, (request, response) in PARAMETER_SERVICES.items():
        name = f"rcl_interfaces/srv/{short}"
        event: list[tuple[str, Any]] = [
            ("info", _described("service_msgs/msg/ServiceEventInfo")),
            ("request", _sequence(f"{name}_Request", 1)),
            ("response", _sequence(f"{name}_Response", 1)),
        ]
        whole = [
            (f"{part}_message", _described(f"{name}_{part.title()}"))
            for part in ("request", "response", "event")
        ]
        definitions[f"{name}_Request"] = [], [(field, _described(kind)) for field, kind in request]
        definitions[f"{name}_Response"] = [], [(field, _described(kind)) for field, kind in response]
        definitions[f"{name}_Event"] = [], event
        definitions[name] = [], whole
    return definitions


def _described(kind: str) -> Any:
    from rosbags.interfaces import Nodetype

    if kind.endswith("[]"):
        return _sequence(kind[:-2], 0)
    return (Nodetype.NAME, kind) if "/" in kind else (Nodetype.BASE, (kind, 0))


def _sequence(kind: str, most: int) -> Any:
    """A sequence of at most so many; 0: of any length."""
    from rosbags.interfaces import Nodetype

    return Nodetype.SEQUENCE, (_described(kind), most)
