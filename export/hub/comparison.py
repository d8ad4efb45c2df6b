"""Is a hub's main graph the one that its stages make? Compared node by node, nothing interpreted."""

from __future__ import annotations

from typing import Any

import onnx

from ltc_edge.errors import InputError


def check_graph(found: onnx.GraphProto, expected: onnx.GraphProto) -> None:
    """Refuse a graph that is not ``expected``, the one its own stages make, up to the names of values.

    Raises:
        InputError: an input, output, node or constant is missing, superfluous or joined otherwise.
    """
    for kind in ("input", "output"):
        ours, theirs = (_interface(getattr(graph, kind)) for graph in (expected, found))
        if ours != theirs:
            raise InputError(f"the graph's {kind}s must be {ours}, not {str(theirs)[:120]}")
    ours, theirs = _signature(expected), _signature(found)
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            node = found.node[index]
            raise InputError(
                f"node {index} ({node.op_type[:40]}) is not what follows here; expected "
                f"{expected.node[index].op_type} joined to the stages before it as the domain's "
                "specification has it"
            )
    if len(ours) != len(theirs):
        raise InputError(f"there are {len(theirs)} nodes, expected {len(ours)} for these stages")
    if len(found.initializer) != len(_constants_used(found)):
        raise InputError("there are constants that no stage uses")


def _interface(values: Any) -> list[str]:
    described = []
    for value in values:
        tensor = value.type.tensor_type
        sizes = [str(d.dim_value) if d.HasField("dim_value") else "?" for d in list(tensor.shape.dim)[:8]]
        kind = "float32" if tensor.elem_type == onnx.TensorProto.FLOAT else f"type {tensor.elem_type}"
        described.append(f"{value.name[:40]}: {kind}[{', '.join(sizes)}]")
    return described


def _constants_used(graph: onnx.GraphProto) -> set[str]:
    constants = {tensor.name for tensor in graph.initializer}
    return {name for node in graph.node for name in node.input if name in constants}


def _signature(graph: onnx.GraphProto) -> list[Any]:
    """Every node as a value that does not depend on the names of values and constants."""
    constants = {tensor.name: _content(tensor) for tensor in graph.initializer}
    values = {value.name: value.name for value in graph.input}
    outputs = {value.name for value in graph.output}
    nodes = []
    for index, node in enumerate(graph.node):
        # A name not yet defined stays undefined: an input from a later node is a cycle.
        inputs = [constants.get(name) or values.get(name, "undefined") for name in node.input]
        attributes = sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute)
        for position, name in enumerate(node.output):
            taken = name in values or name in constants or not name
            values[name] = "taken" if taken else f"{index}.{position}"
        results = [name if name in outputs else "" for name in node.output]
        domain = "" if node.domain == "ai.onnx" else node.domain
        taken_names = [values[name] for name in node.output]
        nodes.append((domain, node.op_type, inputs, results, taken_names, attributes))
    return nodes


def _content(tensor: onnx.TensorProto) -> tuple[Any, ...]:
    array = onnx.numpy_helper.to_array(tensor)
    return (str(array.dtype), array.shape, array.tobytes())
