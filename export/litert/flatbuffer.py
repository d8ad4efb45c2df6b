"""A graph as the bytes of a ``.tflite`` file: the same graph always gives the same bytes.

The object API of LiteRT's schema writes shapes, scales and options anew for each tensor and operator,
which for controllers of this size is most of the file. Here equal ones are written once: a flatbuffer may
refer to one place from many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ltc_edge.errors import FormatRefusedError, require
from ltc_edge.export.litert.graph import Format, Graph, Operator
from ltc_edge.runtimes.flatbuffer_reader import DamagedError
from ltc_edge.runtimes.litert_file import SIGNATURE, parse, with_digest
from ltc_edge.runtimes.litert_operators import CODES, OPTION_TABLES, OPTIONS, TYPES

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
ALIGNMENT = 16
"""Of constants in the file, so that it can be used in place on any processor."""


def flatbuffer(graph: Graph) -> bytes:
    """The file, with its digest.

    Raises:
        FormatRefusedError: the graph breaks a rule of LiteRT's kernels, such as for the ratio of two scales.
        MissingExtraError: ai-edge-litert is not installed.
    """
    content = with_digest(serialized(graph))
    try:
        parse(content)
    except DamagedError as error:
        raise FormatRefusedError(
            "out-of-range", f"this controller has no LiteRT file of this type: {error}"
        ) from None
    return content


def serialized(graph: Graph) -> bytes:
    """The bytes of any graph, unchecked and without a digest.

    Raises:
        MissingExtraError: ai-edge-litert is not installed.
    """
    return _Writer(graph).model()


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self._schema: Any = require("ai_edge_litert.schema_py_generated", "litert")
        self._builder: Any = require("flatbuffers", "litert").Builder(1 << 14)
        self._graph = graph
        self._written: dict[Any, int] = {}
        # Buffer 0 is empty by convention and serves every tensor that is not a constant.
        self._buffers: list[bytes] = [b""]
        self._codes = sorted({(CODES[o.kind], o.version) for o in graph.operators})

    def model(self) -> bytes:
        """Everything, from the leaves to the root."""
        graph = self._graph
        tensors = self._offsets(
            [self._tensor(t.name, t.shape, t.format, self._buffer(t.data)) for t in graph.tensors]
        )
        operators = self._offsets([self._operator(o) for o in graph.operators])
        subgraph = self._table(
            "SubGraph",
            Tensors=tensors,
            Inputs=self._integers(tuple(graph.inputs.values())),
            Outputs=self._integers(tuple(graph.outputs.values())),
            Operators=operators,
            Name=self._text("main"),
        )
        signature = self._table(
            "SignatureDef",
            Inputs=self._tensor_map(graph.inputs),
            Outputs=self._tensor_map(graph.outputs),
            SignatureKey=self._text(SIGNATURE),
        )
        metadata = self._offsets(
            [
                self._table("Metadata", Name=self._text(name), Buffer=self._buffer(data))
                for name, data in graph.metadata.items()
            ]
        )
        root = self._table(
            "Model",
            Version=SCHEMA_VERSION,
            OperatorCodes=self._offsets([self._operator_code(*code) for code in self._codes]),
            Subgraphs=self._offsets([subgraph]),
            Description=self._text("ltc-edge"),
            Buffers=self._offsets([self._buffer_table(data) for data in self._buffers]),
            Metadata=metadata,
            SignatureDefs=self._offsets([signature]),
        )
        self._builder.Finish(root, IDENTIFIER)
        return bytes(self._builder.Output())

    def _tensor(self, name: str, shape: tuple[int, ...], format_: Format, buffer: int) -> int:
        # The interpreter wants a table of scales even where there are none to be given.
        quantization = self._once(("format", format_), lambda: self._quantization(format_))
        return self._table(
            "Tensor",
            Shape=self._integers(shape),
            Type=next(number for number, dtype in TYPES.items() if dtype == format_.dtype),
            Buffer=buffer,
            Name=self._text(name),
            Quantization=quantization,
        )

    def _quantization(self, format_: Format) -> int:
        if not format_.scale:
            return self._table("QuantizationParameters")
        scale = np.asarray(format_.scale, dtype=np.float32)
        zero_point = np.full(len(scale), format_.zero_point, dtype=np.int64)
        return self._table(
            "QuantizationParameters",
            Scale=self._builder.CreateNumpyVector(scale),
            ZeroPoint=self._builder.CreateNumpyVector(zero_point),
            QuantizedDimension=format_.axis,
        )

    def _operator(self, operator: Operator) -> int:
        fields: dict[str, Any] = {}
        if operator.kind in OPTION_TABLES:
            number, name = OPTION_TABLES[operator.kind]
            options = {key: value for key, (_, _, value) in OPTIONS.get(operator.kind, {}).items()}
            fields["BuiltinOptionsType"] = number
            fields["BuiltinOptions"] = self._once(("options", name), lambda: self._table(name, **options))
        return self._table(
            "Operator",
            OpcodeIndex=self._codes.index((CODES[operator.kind], operator.version)),
            Inputs=self._integers(operator.inputs),
            Outputs=self._integers(operator.outputs),
            **fields,
        )

    def _operator_code(self, code: int, version: int) -> int:
        # Runtimes older than the wide field read the deprecated one, as far as it reaches.
        return self._table(
            "OperatorCode", DeprecatedBuiltinCode=min(code, 127), Version=version, BuiltinCode=code
        )

    def _tensor_map(self, entries: Any) -> int:
        return self._offsets(
            [self._table("TensorMap", Name=self._text(n), TensorIndex=i) for n, i in entries.items()]
        )

    def _buffer(self, data: bytes | None) -> int:
        if data is None:
            return 0
        if data not in self._buffers[1:]:
            self._buffers.append(data)
        return self._buffers.index(data, 1)

    def _buffer_table(self, data: bytes) -> int:
        if not data:
            return self._table("Buffer")
        self._builder.StartVector(1, len(data), ALIGNMENT)
        self._builder.head -= len(data)
        self._builder.Bytes[self._builder.head : self._builder.head + len(data)] = data
        return self._table("Buffer", Data=self._builder.EndVector())

    def _table(self, name: str, **fields: Any) -> int:
        """A table of the schema by its fields; offsets in them are already written."""
        schema, builder = self._schema, self._builder
        getattr(schema, f"{name}Start")(builder)
        for key, value in fields.items():
            getattr(schema, f"{name}Add{key}")(builder, value)
        return int(getattr(schema, f"{name}End")(builder))

    def _text(self, text: str) -> int:
        return self._once(("text", text), lambda: int(self._builder.CreateString(text)))

    def _integers(self, values: tuple[int, ...]) -> int:
        return self._once(
            ("integers", values),
            lambda: int(self._builder.CreateNumpyVector(np.asarray(values, dtype=np.int32))),
        )

    def _offsets(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())

    def _once(self, key: Any, write: Callable[[], int]) -> int:
        if key not in self._written:
            self._written[key] = write()
        return self._written[key]
