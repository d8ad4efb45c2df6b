"""A ``.tflite`` file of ours, read without any runtime: refused unless it is whole and of our own shape.

LiteRT trusts the file it is given: a wrong offset, an index beyond its vector or a scale of zero can end
the process. So everything an interpreter would follow is checked here first, and anything that ltc-edge
does not write is refused. The file also holds a digest of itself, which no accidental change survives.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.flatbuffer_reader import DamagedError, Table, require, root
from ltc_edge.runtimes.litert_graph import FileOperator, FileTensor, LiteRTFile
from ltc_edge.runtimes.litert_operators import CODES, OPTION_TABLES, OPTIONS, TYPES
from ltc_edge.runtimes.litert_rules import check_graph

FORMAT, SCHEMA_VERSION = "ltc-edge-litert", 1
METADATA, DIGEST, RUNTIME = "ltc_edge", "ltc_edge_sha256", "min_runtime_version"
"""Names of the documents in the file: what it is, its digest, and the oldest runtime for it."""

DIGEST_PLACE = b"sha-256 of the file goes here..."
"""What stands in the digest's place while it is computed: 32 bytes, as long as a digest."""

SIGNATURE = "serving_default"
INPUTS, OUTPUTS = ("observation", "dt", "state_in"), ("action", "state_out")

MAX_BYTES = 1 << 24
"""Far more than any controller takes."""
MAX_TABLES = 1 << 14
MAX_ELEMENTS = 1 << 22

_MODEL = {"version": 0, "codes": 1, "subgraphs": 2, "description": 3, "buffers": 4, "metadata": 6}
_MODEL |= {"signatures": 7}
_CODE = {"deprecated": 0, "version": 2, "code": 3}
_SUBGRAPH = {"tensors": 0, "inputs": 1, "outputs": 2, "operators": 3, "name": 4}
_TENSOR = {"shape": 0, "type": 1, "buffer": 2, "name": 3, "quantization": 4}
_QUANTIZATION = {"scale": 2, "zero_point": 3, "axis": 6}
_OPERATOR = {"code": 0, "inputs": 1, "outputs": 2, "options_type": 3, "options": 4}
_SIGNATURE = {"inputs": 0, "outputs": 1, "key": 2}


def read_litert(content: bytes, where: str) -> LiteRTFile:
    """The file, known to be whole and safe to hand to an interpreter.

    Args:
        content: the file.
        where: its name, for messages.

    Raises:
        ControllerFileError: it is damaged, or not a file that ltc-edge wrote.
    """
    if len(content) > MAX_BYTES:
        raise ControllerFileError(f"{where}: {len(content)} bytes is more than any controller takes")
    try:
        model = root(content, b"TFL3", _MODEL)
        start, length = _digest_span(model)
        # In the place of the digest stands what stood there when it was taken.
        hashed = hashlib.sha256(content[:start] + DIGEST_PLACE + content[start + length :]).digest()
        require(hashed == content[start : start + length], "its digest does not match")
        return parse(content)
    except DamagedError as error:
        raise ControllerFileError(
            f"{where}: not a LiteRT file that ltc-edge wrote, or changed since ({error}); export it again"
        ) from None


def with_digest(content: bytes) -> bytes:
    """A file whose digest's place was empty, with its digest."""
    start, length = _digest_span(root(content, b"TFL3", _MODEL))
    assert content[start : start + length] == DIGEST_PLACE
    return content[:start] + hashlib.sha256(content).digest() + content[start + length :]


def parse(content: bytes) -> LiteRTFile:
    """The file without a look at its digest.

    Raises:
        DamagedError: it is damaged, or not a file that ltc-edge wrote.
    """
    model = root(content, b"TFL3", _MODEL)
    require(model.number("version", "I") == 3, "it is of another schema version")
    buffers = [t.span("data") for t in model.tables("buffers", {"data": 0}, MAX_TABLES)]
    (graph,) = _exactly(1, model.tables("subgraphs", _SUBGRAPH, 1), "subgraphs")
    tensors = tuple(_tensor(t, content, buffers) for t in graph.tables("tensors", _TENSOR, MAX_TABLES))
    codes = [_code(t) for t in model.tables("codes", _CODE, MAX_TABLES)]
    operators = tuple(_operator(t, codes) for t in graph.tables("operators", _OPERATOR, MAX_TABLES))
    (signature,) = _exactly(1, model.tables("signatures", _SIGNATURE, 1), "signatures")
    require(signature.text("key") == SIGNATURE, f"no signature {SIGNATURE}")
    inputs, outputs = _names(signature, "inputs"), _names(signature, "outputs")
    for names, given, field in ((INPUTS, inputs, "inputs"), (OUTPUTS, outputs, "outputs")):
        require(tuple(given) == names, f"its {field} are not {', '.join(names)}")
        listed = tuple(int(i) for i in graph.numbers(field, "i"))
        require(listed == tuple(given.values()), f"its {field} differ from its signature's")
    document, interface = _document(model, content, buffers)
    file = LiteRTFile(document, interface, tensors, operators, inputs, outputs)
    check_graph(file)
    return file


def _exactly(count: int, tables: list[Table], what: str) -> list[Table]:
    require(len(tables) == count, f"{len(tables)} {what} instead of {count}")
    return tables


def _metadata(model: Table) -> dict[str, int]:
    entries = model.tables("metadata", {"name": 0, "buffer": 1}, 8)
    return {entry.text("name"): int(entry.number("buffer", "I")) for entry in entries}


def _digest_span(model: Table) -> tuple[int, int]:
    buffers = model.tables("buffers", {"data": 0}, MAX_TABLES)
    index = _metadata(model).get(DIGEST)
    require(index is not None and index < len(buffers), "it has no digest of itself")
    assert index is not None
    start, length = buffers[index].span("data")
    require(length == len(DIGEST_PLACE), "its digest is cut off")
    return start, length


def _document(
    model: Table, content: bytes, buffers: list[tuple[int, int]]
) -> tuple[Mapping[str, Any], Interface]:
    index = _metadata(model).get(METADATA)
    require(index is not None and index < len(buffers), f"it has no {METADATA} document")
    assert index is not None
    start, length = buffers[index]
    try:
        document = json.loads(content[start : start + length].decode())
        require(isinstance(document, dict) and document.get("format") == FORMAT, "its document is foreign")
        newer = document.get("schema_version") != SCHEMA_VERSION
        require(not newer, f"schema_version is not {SCHEMA_VERSION}; it needs another ltc-edge")
        return document, Interface.from_json(document.get("interface"))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its document is not JSON: {type(error).__name__}") from None
    except InputError as error:
        raise DamagedError(str(error)) from None


def _code(table: Table) -> tuple[str, int]:
    code = int(table.number("code", "i"))
    kinds = [kind for kind, number in CODES.items() if number == code]
    require(kinds, f"operator {code} is none of ours")
    require(table.number("deprecated", "b") == min(code, 127), "an operator has two codes")
    return kinds[0], int(table.number("version", "i", 1))


def _tensor(table: Table, content: bytes, buffers: list[tuple[int, int]]) -> FileTensor:
    name, shape = table.text("name"), tuple(int(n) for n in table.numbers("shape", "i"))
    require(1 <= len(shape) <= 2 and all(n > 0 for n in shape), f"{name!r} has shape {shape}")
    require(math.prod(shape) <= MAX_ELEMENTS, f"{name!r} has shape {shape}")
    dtype = TYPES.get(int(table.number("type", "b")))
    require(dtype is not None, f"{name!r} is of an unknown type")
    buffer = int(table.number("buffer", "I"))
    require(buffer < len(buffers), f"{name!r} has no buffer")
    start, length = buffers[buffer]
    data = None
    if length:
        kind = np.dtype(dtype).newbyteorder("<")
        require(length == math.prod(shape) * kind.itemsize, f"{name!r} is not as long as its shape")
        require(start % kind.itemsize == 0, f"{name!r} is out of line")
        data = np.frombuffer(content, kind, math.prod(shape), start).reshape(shape)
    quantization = table.table("quantization", _QUANTIZATION)
    scale = tuple(quantization.numbers("scale", "f").tolist())
    zero_point = tuple(quantization.numbers("zero_point", "q").tolist())
    axis = int(quantization.number("axis", "i"))
    return FileTensor(name, shape, str(dtype), scale, zero_point, axis, data)


def _operator(table: Table, codes: list[tuple[str, int]]) -> FileOperator:
    index = int(table.number("code", "I"))
    require(index < len(codes), "an operator has no code")
    kind, version = codes[index]
    number = int(table.number("options_type", "B"))
    require(number == OPTION_TABLES.get(kind, (0, ""))[0], f"{kind} has the options of another operator")
    if kind in OPTION_TABLES:
        expected = OPTIONS.get(kind, {})
        options = table.table("options", {name: slot for name, (slot, _, _) in expected.items()})
        for name, (_, number_type, value) in expected.items():
            require(options.number(name, number_type, -1) == value, f"{kind} has another {name}")
    else:
        require("options" not in table.places, f"{kind} has options")
    inputs, outputs = (tuple(int(i) for i in table.numbers(name, "i")) for name in ("inputs", "outputs"))
    return FileOperator(kind, version, inputs, outputs)


def _names(signature: Table, field: str) -> dict[str, int]:
    entries = signature.tables(field, {"name": 0, "index": 1}, 3)
    return {entry.text("name"): int(entry.number("index", "I")) for entry in entries}
