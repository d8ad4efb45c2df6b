"""The services of ROS 2 by which tools list, get and describe a node's parameters; setting is refused.

What a parameter is comes from the bundle and from how the node was started, so that it holds as long as the
node runs. Semantics are those of the services' definitions (rcl_interfaces) and of rclcpp and rclpy where the
definitions leave something open; a parameter that is not there has the type NOT_SET, as in rclpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ltc_edge.deploy.ros.interfaces import ServiceType
from ltc_edge.deploy.ros.middleware import Answer
from ltc_edge.deploy.ros.parameter_values import SEPARATOR, flattened, kind_of, value_message
from ltc_edge.deploy.ros.whole_messages import made, read, written

READ_ONLY = "it comes from the bundle and from how the node was started; it cannot be set while the node runs"
ABSENT = "there is no such parameter"


class ParameterServices:
    """Answers calls of the services of parameters.

    Args:
        document: the parameters as a JSON object; see `flattened` for their names.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._parameters = flattened(document)
        self._answers: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
            "list_parameters": ("ListParameters", self._list),
            "get_parameters": ("GetParameters", self._get),
            "get_parameter_types": ("GetParameterTypes", self._types),
            "describe_parameters": ("DescribeParameters", self._describe),
            "set_parameters": ("SetParameters", self._set),
            "set_parameters_atomically": ("SetParametersAtomically", self._set_atomically),
        }

    def services(self, node: str) -> Iterator[tuple[str, ServiceType, Answer]]:
        """Name, type and answer of each service.

        Args:
            node: the node's full name, such as ``/cartpole``.
        """
        for name, (short, respond) in self._answers.items():
            service = ServiceType(f"rcl_interfaces/srv/{short}")
            yield f"{node}/{name}", service, _answer(service, respond)

    def _list(self, request: Any) -> dict[str, Any]:
        names = listed(tuple(self._parameters), request.prefixes, request.depth)
        outer = {name.rpartition(SEPARATOR)[0] for name in names} - {""}
        result = made("rcl_interfaces/msg/ListParametersResult", names=names, prefixes=sorted(outer))
        return {"result": result}

    def _get(self, request: Any) -> dict[str, Any]:
        return {"values": [value_message(self._parameters.get(name)) for name in request.names]}

    def _types(self, request: Any) -> dict[str, Any]:
        import numpy as np

        kinds = [kind_of(self._parameters.get(name)) for name in request.names]
        return {"types": np.array(kinds, np.uint8)}

    def _describe(self, request: Any) -> dict[str, Any]:
        return {"descriptors": [self._descriptor(name) for name in request.names]}

    def _descriptor(self, name: str) -> Any:
        return made(
            "rcl_interfaces/msg/ParameterDescriptor",
            name=name,
            type=int(kind_of(self._parameters.get(name))),
            description="",
            additional_constraints="",
            read_only=name in self._parameters,
            dynamic_typing=False,
            floating_point_range=[],
            integer_range=[],
        )

    def _set(self, request: Any) -> dict[str, Any]:
        return {"results": [self._refusal(parameter.name) for parameter in request.parameters]}

    def _set_atomically(self, request: Any) -> dict[str, Any]:
        names = [parameter.name for parameter in request.parameters]
        absent = [name for name in names if name not in self._parameters]
        return {"result": self._refusal(absent[0] if absent else names[0]) if names else _result("")}

    def _refusal(self, name: str) -> Any:
        return _result(READ_ONLY if name in self._parameters else ABSENT)


def listed(names: Sequence[str], prefixes: Sequence[str], depth: int) -> list[str]:
    """The names that a call of ``list_parameters`` asks for.

    Args:
        names: of all parameters.
        prefixes: what they begin with, up to a dot or their end; none: all.
        depth: how many parts a name may have beyond its prefix; 0: any number.
    """
    if not prefixes:
        return [name for name in names if _within(name, depth)]
    return [
        name
        for name in names
        if any(
            name == prefix
            or (name.startswith(prefix + SEPARATOR) and _within(name[len(prefix) + len(SEPARATOR) :], depth))
            for prefix in prefixes
        )
    ]


def _within(name: str, depth: int) -> bool:
    return depth == 0 or name.count(SEPARATOR) < depth


def _answer(service: ServiceType, respond: Callable[[Any], dict[str, Any]]) -> Answer:
    def answer(payload: bytes) -> bytes:
        response = respond(read(service.request, payload))
        return written(service.response, made(service.response.name, **response))

    return answer


def _result(reason: str) -> Any:
    """Of setting; nothing but nothing at all succeeds."""
    return made("rcl_interfaces/msg/SetParametersResult", successful=not reason, reason=reason)
