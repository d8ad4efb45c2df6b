"""Bytes of the constants in the files of a format, by type, read off the files themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ltc_edge.errors import InputError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.c import CSources

_C_TYPES: Mapping[str, np.dtype[Any]] = {
    "float": np.dtype(np.float32),
    "int32_t": np.dtype(np.int32),
    "int16_t": np.dtype(np.int16),
    "uint16_t": np.dtype(np.uint16),
    "int8_t": np.dtype(np.int8),
    "uint8_t": np.dtype(np.uint8),
}
_STRUCT = re.compile(r"typedef struct \{(.*?)\} (\w+);", re.DOTALL)
_BLOCK = re.compile(r"static const struct \{(.*?)\} parameters = \{", re.DOTALL)
_MEMBER = re.compile(r"^\s*(\w+) (\w+)(?:\[(\d+)\])?;", re.MULTILINE)


def parameter_bytes(artifact: Artifact) -> Mapping[str, int]:
    """Bytes of constants by type, such as ``int8``.

    In ONNX these are initializers and the constants of functions, in LiteRT tensors that hold numbers, in
    C the parameter block.

    Raises:
        InputError: a file is not readable.
        MissingExtraError: what reads it is not installed.
    """
    if artifact.form.runtime == "c":
        return _of_c(artifact.c_sources())
    if artifact.form.runtime == "onnx":
        return _of_onnx(artifact.content)
    return _of_litert(artifact.content, artifact.form.file)


def _of_onnx(content: bytes) -> Counter[str]:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load_model_from_string(content)
    except DecodeError:
        raise InputError("the ONNX file is not readable; export it again") from None
    found: Counter[str] = Counter()
    tensors = list(model.graph.initializer)
    for node in _nodes(model):
        if node.op_type == "Constant":
            # What a function takes as an attribute is a number of its call's, not a constant of its own.
            tensors += [_constant(value) for value in node.attribute if not value.ref_attr_name]
    for tensor in tensors:
        array = onnx.numpy_helper.to_array(tensor)
        found[array.dtype.name] += array.nbytes
    return found


def _nodes(model: Any) -> Iterable[Any]:
    yield from model.graph.node
    for function in model.functions:
        yield from function.node


def _constant(attribute: Any) -> Any:
    """The tensor of a constant's attribute."""
    import onnx

    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return value
    dtype = np.int64 if "int" in attribute.name else np.float32
    return onnx.numpy_helper.from_array(np.asarray(value, dtype=dtype))


def _of_litert(content: bytes, name: str) -> Counter[str]:
    from ltc_edge.runtimes.litert_file import read_litert

    # Tensors of the same bytes share a buffer in the file.
    buffers = {
        tensor.data.tobytes(): tensor.data.dtype.name
        for tensor in read_litert(content, name).tensors
        if tensor.data is not None
    }
    return _total(buffers)


def _total(buffers: Mapping[bytes, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for content, kind in buffers.items():
        found[kind] += len(content)
    return found


def _of_c(sources: CSources) -> Counter[str]:
    text = sources.files[f"{sources.name}.c"].decode("ascii", errors="replace")
    headers = "".join(
        content.decode("ascii", errors="replace")
        for name, content in sources.files.items()
        if name.endswith(".h")
    )
    structs = {name: body for body, name in _STRUCT.findall(headers)}
    block = _BLOCK.search(text)
    if block is None:
        raise InputError(f"{sources.name}.c: has no parameters; export it again")
    return _of_members(block[1], structs)


def _of_members(body: str, structs: Mapping[str, str]) -> Counter[str]:
    """Bytes of the members of a struct by type, those of structs in it included."""
    found: Counter[str] = Counter()
    for kind, member, length in _MEMBER.findall(body):
        if kind in _C_TYPES:
            inner = Counter({_C_TYPES[kind].name: _C_TYPES[kind].itemsize})
        elif kind in structs:
            inner = _of_members(structs[kind], structs)
        else:
            raise InputError(f"the parameter {member} has the type {kind}, which is not known here")
        for name, size in inner.items():
            found[name] += size * int(length or 1)
    return found
