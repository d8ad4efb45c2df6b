"""A variant of an integer graph that gives out every tensor on the way."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper, shape_inference

from ltc_edge.export.onnx_integer.repeats import DOMAIN


def debug_outputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with sub-steps written out, and each float tensor of the step an output more.

    An output is named as the tensor of the plan and its program that it holds, so that the first one
    that leaves the simulation can be told. ``NAME.real`` holds values before they are rounded,
    ``observation.fraction`` and ``dt.fraction`` (and of int16 ``state_in.fraction``) the inputs in unit
    coordinates. In the int8 graph the program's last state is ``state_out`` itself.
    """
    flat = onnx.ModelProto()
    flat.CopyFrom(model)
    substeps = {f.name: f for f in model.functions if f.name == "SubStep"}
    nodes = []
    for node in model.graph.node:
        called = substeps.get(node.op_type) if node.domain == DOMAIN else None
        nodes += [node] if called is None else _inlined(node, called)
    del flat.graph.node[:], flat.functions[:]
    flat.graph.node.extend(nodes)
    flat.functions.extend(f for f in model.functions if f.name not in substeps)
    if not flat.functions:
        kept = [entry for entry in flat.opset_import if entry.domain != DOMAIN]
        del flat.opset_import[:]
        flat.opset_import.extend(kept)
    _give_out_all(flat)
    return flat


def _inlined(call: onnx.NodeProto, function: onnx.FunctionProto) -> list[onnx.NodeProto]:
    """The body of ``function`` with the names of ``call``; inner ones begin with the call's own."""
    names = dict(zip(function.input, call.input, strict=True))
    names |= dict(zip(function.output, call.output, strict=True))
    body = []
    for node in function.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [names[name] for name in node.input]
        copy.output[:] = [names.setdefault(name, f"{call.name}.{name}") for name in node.output]
        body.append(copy)
    return body


def _give_out_all(model: onnx.ModelProto) -> None:
    """Make an output of each float tensor that depends on an input."""
    graph = model.graph
    inferred = shape_inference.infer_shapes(model, strict_mode=True)
    types = {value.name: value.type.tensor_type for value in inferred.graph.value_info}
    given = {value.name for value in graph.output}
    depends = {value.name for value in graph.input}
    for node in graph.node:
        if not depends.intersection(node.input):
            continue
        depends.update(node.output)
        for name in node.output:
            if name in given or types[name].elem_type != TensorProto.FLOAT:
                continue
            shape = [d.dim_value for d in types[name].shape.dim]
            graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
