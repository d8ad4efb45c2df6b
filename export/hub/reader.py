"""Reading a hub: from stages and constants back to a Controller, or one line that says why not.

A stage means what ``docs/onnx-domain.md`` says, whatever its function's body: bodies are not read here.
The numbers come from the constants of each stage. How stages are joined is not interpreted at all: the
graph that the Controller read would be written as is built, and must be equal to the file's, node by
node, up to the names of values. So nothing superfluous, cyclic or crossed can pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from ltc_edge.controller import LARGEST_INPUT, Controller, Scaling, Timing
from ltc_edge.errors import ControllerFileError, InputError, LtcEdgeError
from ltc_edge.export.hub.cells import CELL_STAGES, cell_of, stage_constants
from ltc_edge.export.hub.comparison import check_graph
from ltc_edge.export.hub.file import HubParts, check_digest, parse, read_bytes, take_apart
from ltc_edge.export.hub.graph import main_graph
from ltc_edge.export.hub.stages import hub_controller
from ltc_edge.signals import ActionSignal, ObservationSignal

_STAGES = {"Normalize", "Elapsed", *CELL_STAGES, "Readout", "Denormalize", "Limit", "SlewLimit"}
_SAME_PERIOD = 1e-6
"""How far, relatively, float32 may have moved the range of dt past the period."""


def read_hub(path: Path | str) -> Controller:
    """The controller in a hub file.

    Raises:
        ControllerFileError: the file is missing, too large, damaged, of an unknown version, or no hub.
    """
    path = Path(path)
    return controller_from_bytes(read_bytes(path), str(path))


def controller_from_bytes(content: bytes, where: str) -> Controller:
    """The controller in a hub's bytes; ``where`` they are from opens every message.

    Raises:
        ControllerFileError: as `read_hub`.
    """
    try:
        parts = take_apart(parse(content))
        check_digest(content, parts.document)
        return _controller(parts)
    except InputError as error:
        raise _located(error, where) from None


def controller_from_hub(model: onnx.ModelProto, where: str) -> Controller:
    """The controller in a parsed hub; its sha256 is of a file, so it is not looked at.

    Raises:
        ControllerFileError: as `read_hub`.
    """
    try:
        return _controller(take_apart(model))
    except InputError as error:
        raise _located(error, where) from None


def _located(error: LtcEdgeError, where: str) -> ControllerFileError:
    message = " ".join(str(error).split())
    return ControllerFileError(f"{where}: {message}")


def _controller(parts: HubParts) -> Controller:
    try:
        controller = _build(parts)
        hub_controller(controller)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError) as error:
        raise InputError(f"unreadable field ({type(error).__name__}: {str(error)[:80]})") from None
    check_graph(parts.graph, main_graph(controller))
    return controller


def _build(parts: HubParts) -> Controller:
    nodes = _by_kind(parts.stages)
    document = parts.document
    normalize = _numbers(parts, nodes, "Normalize", 1, ("offset", "scale", "limit"))
    elapsed = _numbers(parts, nodes, "Elapsed", 1, ("dt_min", "dt_max", "time_unit"))
    back = _numbers(parts, nodes, "Denormalize", 1, ("offset", "scale"))
    actions = _actions(parts, nodes, _signals(document["actions"]))
    readout = {}
    if "Readout" in nodes:
        readout = _numbers(parts, nodes, "Readout", 1, ("weight", "bias"))
    observations = _signals(document["observations"])
    cell = cell_of(nodes, parts.constants, document)
    parameters = dict(cell.parameters) | {f"readout_{name}": array for name, array in readout.items()}
    limit = _scalar("limit", normalize["limit"])
    return Controller(
        name=_text("name", document["name"]),
        purpose=_text("purpose", document["purpose"]),
        observations=tuple(ObservationSignal(name, unit) for name, unit in observations),
        normalizer=_scaling(normalize),
        cell=cell.spec,
        parameters=parameters,
        actions=actions,
        denormalizer=_scaling(back),
        timing=_timing(elapsed, document["period_s"]),
        initial_state=_vector("initial_state", document["initial_state"]),
        fallback=_vector("fallback", document["fallback"]),
        clip=math.inf if limit >= np.float32(LARGEST_INPUT) else limit,
        provenance=_provenance(document.get("provenance", {})),
    )


def _by_kind(stages: list[onnx.NodeProto]) -> dict[str, list[onnx.NodeProto]]:
    nodes: dict[str, list[onnx.NodeProto]] = {}
    for node in stages:
        if node.op_type not in _STAGES:
            raise InputError(
                f"stage {node.op_type[:40]!r} is unknown; this version knows {', '.join(sorted(_STAGES))}"
            )
        nodes.setdefault(node.op_type, []).append(node)
    for kind in ("Normalize", "Elapsed", "Denormalize"):
        if kind not in nodes:
            raise InputError(f"there is no stage {kind}")
    for kind, found in nodes.items():
        if len(found) > 1 and kind != "CfC":
            raise InputError(f"there are {len(found)} stages {kind}, expected one")
    return nodes


def _numbers(
    parts: HubParts,
    nodes: Mapping[str, list[onnx.NodeProto]],
    kind: str,
    dynamic: int,
    names: tuple[str, ...],
) -> dict[str, npt.NDArray[Any]]:
    return stage_constants(nodes[kind][0], dynamic, names, parts.constants)


def _actions(
    parts: HubParts, nodes: Mapping[str, list[onnx.NodeProto]], signals: list[tuple[str, str]]
) -> tuple[ActionSignal, ...]:
    count = len(signals)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    slew = np.full(count, np.inf)
    if "Limit" in nodes:
        limits = _numbers(parts, nodes, "Limit", 1, ("low", "high"))
        low, high = limits["low"], limits["high"]
    if "SlewLimit" in nodes:
        slew = _numbers(parts, nodes, "SlewLimit", 3, ("slew",))["slew"]
    for name, array in (("low", low), ("high", high), ("slew", slew)):
        if array.shape != (count,):
            raise InputError(f"{name} has shape {array.shape}, expected ({count},)")
    return tuple(
        ActionSignal(name, unit, float(low[i]), float(high[i]), float(slew[i]))
        for i, (name, unit) in enumerate(signals)
    )


def _scaling(arrays: Mapping[str, npt.NDArray[Any]]) -> Scaling:
    return Scaling(arrays["offset"].astype(np.float64), arrays["scale"].astype(np.float64))


def _timing(arrays: Mapping[str, npt.NDArray[Any]], period: Any) -> Timing:
    low, high, unit = (_scalar(name, arrays[name]) for name in ("dt_min", "dt_max", "time_unit"))
    period_s = _number("period_s", period)
    inside = min(max(period_s, low), high)
    if math.isfinite(period_s) and abs(inside - period_s) <= _SAME_PERIOD * abs(period_s):
        period_s = inside
    return Timing(period_s, low, high, unit)


def _scalar(name: str, array: npt.NDArray[Any]) -> float:
    if array.shape != ():
        raise InputError(f"{name} has shape {array.shape}, expected a single number")
    return float(array)


def _number(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError(f"metadata: {name} must be a number, not {type(value).__name__}")
    return float(value)


def _vector(name: str, values: Any) -> npt.NDArray[np.float64]:
    if not isinstance(values, list):
        raise InputError(f"metadata: {name} must be a list of numbers, not {type(values).__name__}")
    return np.array([_number(name, value) for value in values], dtype=np.float64)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"metadata: {name} must be text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"metadata: {name} is not valid text") from None
    return value


def _signals(values: Any) -> list[tuple[str, str]]:
    if not isinstance(values, list) or not all(
        isinstance(v, dict) and v.keys() == {"name", "unit"} for v in values
    ):
        raise InputError("metadata: signals must be a list of objects with name and unit")
    return [(_text("signal name", v["name"]), _text("signal unit", v["unit"])) for v in values]


def _provenance(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        raise InputError("metadata: provenance must be an object of texts")
    return {_text("provenance", key): _text(f"provenance {key[:40]}", v) for key, v in values.items()}
