"""A hub file's contents as plain Python, each part checked before it is used: the file may be hostile.

The first half of the reader: from bytes to a protobuf, its JSON document, its constants as arrays and
its stages. What they mean is in `ltc_edge.export.hub.reader`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto

from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.export.hub.stages import (
    DOMAIN,
    DOMAIN_VERSION,
    FORMAT,
    IR_VERSION,
    METADATA_KEY,
    NEWEST_IR_VERSION,
    OPSET,
    SCHEMA_VERSION,
)
from ltc_edge.export.hub.writer import NO_DIGEST

MAX_HUB_BYTES = 64 << 20
MAX_BODY_NODES, MAX_FUNCTIONS = 100_000, 64
_TYPES: dict[int, tuple[npt.DTypeLike, int, str]] = {
    TensorProto.FLOAT: ("<f4", 4, "float_data"),
    TensorProto.INT64: ("<i8", 8, "int64_data"),
}
_REQUIRED = {"format", "schema", "name", "purpose", "period_s"}
_REQUIRED |= {"observations", "actions", "initial_state", "fallback"}
_OPTIONAL = {"library", "affine", "wiring", "provenance", "sha256"}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class HubParts:
    """A hub file, taken apart.

    Attributes:
        graph: the main graph.
        document: the JSON document.
        constants: the initializers.
        stages: the nodes of the domain ``ltc_edge``, in order.
    """

    graph: onnx.GraphProto
    document: dict[str, Any]
    constants: dict[str, Array]
    stages: list[onnx.NodeProto]


def read_bytes(path: Path) -> bytes:
    """The content of ``path``.

    Raises:
        ControllerFileError: it cannot be read, or is larger than any hub.
    """
    try:
        if path.is_dir():
            raise ControllerFileError(f"{path}: is a folder, expected an ONNX file")
        with path.open("rb") as file:
            content = file.read(MAX_HUB_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ControllerFileError(f"{path}: cannot be read ({reason})") from None
    if len(content) > MAX_HUB_BYTES:
        raise ControllerFileError(f"{path}: is larger than any controller (over {MAX_HUB_BYTES >> 20} MiB)")
    return content


def parse(content: bytes) -> onnx.ModelProto:
    """The protobuf.

    Raises:
        InputError: it is none.
    """
    try:
        return onnx.ModelProto.FromString(content)
    except (DecodeError, ValueError, RecursionError):
        raise InputError("is not an ONNX file, or is truncated; export it again") from None


def take_apart(model: onnx.ModelProto) -> HubParts:
    """The parts of a hub.

    Raises:
        InputError: a version is unknown, the metadata is unreadable, or the graph holds what no hub does.
    """
    _check_versions(model)
    graph = model.graph
    if model.training_info or graph.sparse_initializer or graph.quantization_annotation:
        raise InputError("training data, sparse or quantised tensors have no place in a hub")
    _check_functions(model)
    constants: dict[str, Array] = {}
    for tensor in graph.initializer:
        if not tensor.name or tensor.name in constants:
            raise InputError(f"two constants are called {_short(tensor.name)}, or one has no name")
        constants[tensor.name] = _array(tensor)
    stages = []
    for node in graph.node:
        if node.domain == DOMAIN:
            stages.append(node)
        elif node.domain not in ("", "ai.onnx") or node.op_type not in ("Split", "Concat"):
            raise InputError(
                f"node {_short(node.op_type)} of domain {_short(node.domain)} has no place between stages; "
                "only Split and Concat of the state do"
            )
    return HubParts(graph, _document(model), constants, stages)


def _check_functions(model: onnx.ModelProto) -> None:
    """Bodies are run to see that they compute their stage; a loop in one might never end."""
    names = [(function.domain, function.name) for function in model.functions]
    if len(set(names)) != len(names) or any(domain != DOMAIN for domain, _ in names):
        raise InputError(f"functions must be of the domain {DOMAIN} and have different names")
    if len(names) > MAX_FUNCTIONS:
        raise InputError(f"there are {len(names)} functions, more than {MAX_FUNCTIONS}")
    _check_size(model)
    for function in model.functions:
        for node in function.node:
            graphs = any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)
            if graphs or node.domain not in ("", "ai.onnx", DOMAIN):
                raise InputError(
                    f"function {_short(function.name)} has a node {_short(node.op_type)} that is no plain "
                    "standard operator; write loops out"
                )


def _check_size(model: onnx.ModelProto) -> None:
    """Bodies are inlined: a dozen that call each other twice would become thousands."""
    bodies = {function.name: function for function in model.functions}
    sizes: dict[str, int] = {}
    for _ in bodies:  # one more level of callers each time
        for name, function in bodies.items():
            called = [node.op_type for node in function.node if node.domain == DOMAIN]
            if all(callee in sizes or callee not in bodies for callee in called):
                sizes[name] = len(function.node) + sum(sizes.get(callee, 1) for callee in called)
        if len(sizes) == len(bodies):
            break
    if len(sizes) < len(bodies):
        raise InputError("functions call themselves; write them out")
    if max(sizes.values(), default=0) > MAX_BODY_NODES:
        raise InputError(f"a function has more than {MAX_BODY_NODES} nodes once its calls are written out")


def check_digest(content: bytes, document: Mapping[str, Any]) -> None:
    """Compare the file with the sha256 in its document, where it has one.

    Raises:
        InputError: they differ.
    """
    recorded = document.get("sha256")
    if recorded is None:
        return
    if isinstance(recorded, str) and len(recorded) == len(NO_DIGEST) and recorded.isascii():
        blank = content.replace(recorded.encode(), NO_DIGEST.encode(), 1)
        if hashlib.sha256(blank).hexdigest() == recorded:
            return
    raise InputError("the contents do not match their sha256: damaged or edited; export it again")


def _check_versions(model: onnx.ModelProto) -> None:
    if not IR_VERSION <= model.ir_version <= NEWEST_IR_VERSION:
        raise InputError(f"ONNX IR version {model.ir_version} is not supported; write version {IR_VERSION}")
    opsets: dict[str, int] = {}
    for entry in model.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        if domain in opsets:
            raise InputError(f"the opset of domain {_short(domain)} is imported twice")
        opsets[domain] = entry.version
    if DOMAIN not in opsets:
        raise InputError(f"not a hub of ltc-edge: it does not import the domain {DOMAIN}")
    if opsets[DOMAIN] != DOMAIN_VERSION:
        raise InputError(
            f"version {opsets[DOMAIN]} of the domain {DOMAIN} is unknown here (this is {DOMAIN_VERSION}); "
            "upgrade ltc-edge"
        )
    if opsets.get("") != OPSET or len(opsets) != 2:
        raise InputError(f"a hub imports opset {OPSET} and {DOMAIN}, not {_short(opsets)}")


def _array(tensor: onnx.TensorProto) -> Array:
    """The tensor, its storage checked by hand: sizes first, then contents."""
    what = f"constant {_short(tensor.name)}"
    if tensor.data_location != TensorProto.DEFAULT or tensor.external_data:
        raise InputError(f"{what} lies in another file; save the model with all data inside")
    if tensor.data_type not in _TYPES:
        raise InputError(f"{what} has data type {tensor.data_type}; use float32, or int64 for indices")
    dtype, width, field = _TYPES[tensor.data_type]
    dims = tuple(tensor.dims)
    if len(dims) > 2 or not all(0 <= size <= MAX_HUB_BYTES for size in dims):
        raise InputError(f"{what} has shape {_short(dims)}; at most two sizes, none negative")
    count, values = math.prod(dims), getattr(tensor, field)
    stored = len(tensor.raw_data) // width if tensor.HasField("raw_data") else len(values)
    if stored != count or len(tensor.raw_data) % width:
        raise InputError(f"{what} holds {stored} numbers for shape {_short(dims)}; it is damaged")
    raw = tensor.raw_data if tensor.HasField("raw_data") else np.array(values, dtype=dtype).tobytes()
    array: Array = np.frombuffer(raw, dtype=dtype).reshape(dims)
    if np.isnan(array).any():
        raise InputError(f"{what} holds a NaN")
    return array


def _document(model: onnx.ModelProto) -> dict[str, Any]:
    found = [entry.value for entry in model.metadata_props if entry.key == METADATA_KEY]
    if len(found) != 1:
        raise InputError(f"has {len(found)} metadata entries {METADATA_KEY!r}, expected one JSON document")
    try:
        document = json.loads(found[0], parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InputError("the JSON document in the metadata is unreadable") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"the metadata is not of a hub (its format is not {FORMAT!r})")
    if document.get("schema") != SCHEMA_VERSION or isinstance(document["schema"], bool):
        raise InputError(
            f"schema version {_short(document.get('schema'))} is unknown here (this is {SCHEMA_VERSION}); "
            "upgrade ltc-edge"
        )
    odd = (_REQUIRED - document.keys()) | (document.keys() - _REQUIRED - _OPTIONAL)
    if odd:
        raise InputError(f"metadata: missing or unknown fields: {_short(', '.join(sorted(odd)))}")
    return document


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _short(value: object) -> str:
    """A foreign value in a message: one line, not too long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
