"""Reading a hub's cell: from its stages' constants to a spec and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.errors import InputError
from ltc_edge.export.hub.stages import (
    AFFINE,
    CTRNN,
    GATED,
    LAYERS,
    LTC,
    MEMORY,
    SYNAPSE_LISTS,
    cfc_constants,
    layer_prefixes,
)
from ltc_edge.wiring import Role, Wiring

CELL_STAGES = ("LTC", "CfC", "CTRNN", "LSTM", "GRU", "MixedMemory")

Array = npt.NDArray[Any]
Nodes = Mapping[str, list[onnx.NodeProto]]
Constants = Mapping[str, Array]


@dataclass(frozen=True)
class Cell:
    """A spec and the cell's parameters, named as the spec has them."""

    spec: CellSpec
    parameters: Mapping[str, FloatArray]


def cell_of(nodes: Nodes, constants: Constants, document: Mapping[str, Any]) -> Cell:
    """The cell that the stages make.

    Raises:
        InputError: there is none, or more than one, or its constants do not fit together.
    """
    kinds = [kind for kind in CELL_STAGES[:-1] if kind in nodes]
    if len(kinds) != 1:
        raise InputError(f"a hub has one cell of {', '.join(CELL_STAGES[:-1])}, not {kinds or 'none'}")
    kind = kinds[0]
    if ("affine" in document and kind != "LTC") or ("wiring" in document and kind not in ("LTC", "CfC")):
        raise InputError(f"metadata: affine or wiring does not belong to {kind}")
    if kind == "LTC":
        cell = _ltc(nodes["LTC"][0], constants, document)
    elif kind == "CfC":
        cell = _cfc(nodes["CfC"], constants, document)
    elif kind == "CTRNN":
        cell = _ctrnn(nodes["CTRNN"][0], constants)
    else:
        cell = _gated(kind, nodes[kind][0], constants)
    if "MixedMemory" not in nodes:
        return cell
    if isinstance(cell.spec, GatedSpec | MixedMemorySpec):
        raise InputError(f"MixedMemory goes before a liquid cell, not before {kind}")
    memory = stage_constants(nodes["MixedMemory"][0], 3, MEMORY, constants)
    named = {f"memory_{name}": array for name, array in memory.items()}
    return Cell(MixedMemorySpec(cell.spec), named | dict(cell.parameters))


def stage_constants(
    node: onnx.NodeProto, dynamic: int, names: tuple[str, ...], constants: Constants
) -> dict[str, Array]:
    """The constants of a stage by name; its first ``dynamic`` inputs are values.

    Raises:
        InputError: one is missing, or has the wrong type.
    """
    given = list(node.input)[dynamic:]
    if len(given) != len(names):
        raise InputError(
            f"stage {node.op_type} has {len(node.input)} inputs, expected {dynamic + len(names)}"
        )
    found = {}
    for name, value in zip(names, given, strict=True):
        if value not in constants:
            raise InputError(
                f"stage {node.op_type}: {name} ({value[:40]!r}) is not an initializer of the graph"
            )
        array = constants[value]
        if (array.dtype.kind == "i") != (name in SYNAPSE_LISTS):
            raise InputError(f"stage {node.op_type}: {name} has type {array.dtype}")
        found[name] = array.copy()
    return found


def _attributes(node: onnx.NodeProto, expected: Mapping[str, type]) -> dict[str, Any]:
    types = {int: onnx.AttributeProto.INT, str: onnx.AttributeProto.STRING}
    names = [attribute.name for attribute in node.attribute]
    if sorted(names) != sorted(expected):
        raise InputError(f"stage {node.op_type} must have the attributes {sorted(expected)}, not {names[:8]}")
    values = {}
    for attribute in node.attribute:
        kind = expected[attribute.name]
        if attribute.type != types[kind] or attribute.ref_attr_name:
            raise InputError(f"stage {node.op_type}: {attribute.name} must be of type {kind.__name__}")
        values[attribute.name] = attribute.i if kind is int else attribute.s.decode("ascii", "replace")
    return values


def _require_vectors(stage: str, arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if array.ndim != 1:
            raise InputError(f"stage {stage}: {name} has shape {array.shape}, expected a vector")


def _width(stage: str, name: str, array: Array) -> int:
    if array.ndim != 2:
        raise InputError(f"stage {stage}: {name} has shape {array.shape}, expected a matrix")
    return int(array.shape[1])


def _ltc(node: onnx.NodeProto, constants: Constants, document: Mapping[str, Any]) -> Cell:
    arrays = stage_constants(node, 3, LTC, constants)
    _require_vectors("LTC", arrays)
    settings = _attributes(node, {"unfolds": int, "solver": str})
    affine = document.get("affine", True)
    if not isinstance(affine, bool):
        raise InputError("metadata: affine must be true or false")
    if not affine:
        for name, neutral in AFFINE.items():
            if not (arrays[name] == neutral).all():
                raise InputError(f"stage LTC: {name} is not {neutral:g}, but the cell is not affine")
    wiring = _ltc_wiring(arrays, document.get("wiring"))
    spec = LTCSpec(wiring, positivity="clamp", affine=affine, **settings)
    shapes = spec.parameter_shapes()
    return Cell(spec, {name: array for name, array in arrays.items() if name in shapes})


def _ltc_wiring(arrays: Mapping[str, Array], described: Any) -> Wiring:
    units, motors = len(arrays["cm"]), len(arrays["output_w"])
    if motors > units:
        raise InputError(f"stage LTC: {motors} outputs of {units} neurons")
    if described is None:
        roles = [str(Role.MOTOR)] * motors + [str(Role.INTER)] * (units - motors)
        described = {"kind": "custom", "roles": roles, "seed": None}
    fields = {"kind", "roles", "seed", "polarity", "sensory_polarity"}
    if not isinstance(described, dict) or not {"kind", "roles"} <= described.keys() <= fields:
        raise InputError(f"metadata: wiring must be an object of {', '.join(sorted(fields))}")
    if not isinstance(described["roles"], list) or len(described["roles"]) != units:
        raise InputError(f"metadata: wiring must give a role to each of the {units} neurons")
    document = {
        "kind": described["kind"],
        "inputs": len(arrays["input_w"]),
        "roles": described["roles"],
        "seed": described.get("seed"),
        "sensory": _rows(arrays, "sensory_", described.get("sensory_polarity")),
        "recurrent": _rows(arrays, "", described.get("polarity")),
    }
    return Wiring.from_json(document)


def _rows(arrays: Mapping[str, Array], prefix: str, polarity: Any) -> list[tuple[int, int, Any]]:
    """Synapses as (source, target, polarity); without polarities the sign of ``erev`` is meant."""
    source, target = arrays[f"{prefix}source"], arrays[f"{prefix}target"]
    if source.shape != target.shape:
        raise InputError(f"stage LTC: {prefix}source and {prefix}target differ in length")
    later = (source[1:] > source[:-1]) | ((source[1:] == source[:-1]) & (target[1:] > target[:-1]))
    if not later.all():
        raise InputError(f"stage LTC: {prefix}synapses must be listed by source, then by target, each once")
    if polarity is None:
        polarity = np.where(arrays[f"{prefix}erev"] < 0, -1, 1).tolist()
    if not isinstance(polarity, list) or len(polarity) != len(source):
        raise InputError(f"metadata: wiring must give a {prefix}polarity to each of {len(source)} synapses")
    return list(zip(source.tolist(), target.tolist(), polarity, strict=True))


def _cfc(nodes: list[onnx.NodeProto], constants: Constants, document: Mapping[str, Any]) -> Cell:
    if len(nodes) not in (1, len(LAYERS)):
        raise InputError(f"there are {len(nodes)} stages CfC, expected one, or three of a wired cell")
    settings = _attributes(nodes[0], {"mode": str, "activation": str})
    pure = settings["mode"] == "pure"
    heads = len(cfc_constants(pure, 0))
    layers = (len(nodes[0].input) - 3 - heads) // 2
    stages = []
    for node in nodes:
        if _attributes(node, {"mode": str, "activation": str}) != settings:
            raise InputError("the stages CfC of a wired cell differ in mode or activation")
        stages.append(stage_constants(node, 3, cfc_constants(pure, max(layers, 0)), constants))
    units = [stage["ff1_bias"].size for stage in stages]
    first = "backbone_0_weight" if layers > 0 else "ff1_weight"
    inputs = _width("CfC", first, stages[0][first]) - units[0]
    if len(nodes) == 1:
        if "wiring" in document:
            raise InputError("metadata: a wiring belongs to three stages CfC, not to one")
        width = stages[0]["backbone_0_bias"].size if layers > 0 else CfCSpec.backbone_units
        spec = CfCSpec(inputs, units[0], backbone_units=width, backbone_layers=max(layers, 0), **settings)
    else:
        spec = CfCSpec(inputs, sum(units), _cfc_wiring(inputs, units, document.get("wiring")), **settings)
    parameters = {
        prefix + name: array
        for prefix, stage in zip(layer_prefixes(spec), stages, strict=True)
        for name, array in stage.items()
    }
    _check_masks(spec, parameters)
    return Cell(spec, parameters)


def _cfc_wiring(inputs: int, units: list[int], described: Any) -> Wiring:
    """The wiring described, or every neuron of a layer listening to all of the layer before."""
    if described is not None:
        wiring = Wiring.from_json(described)
        sizes = [len(wiring.neurons(role)) for role in (Role.INTER, Role.COMMAND, Role.MOTOR)]
        if (wiring.inputs, sizes) != (inputs, units):
            raise InputError(f"metadata: the wiring has {sizes} neurons, the stages CfC {units}")
        return wiring
    inter, command, motor = units
    # Checked before anything of that size is made.
    CfCSpec(inputs, sum(units))
    roles = (Role.MOTOR,) * motor + (Role.COMMAND,) * command + (Role.INTER,) * inter
    sensory = np.zeros((inputs, sum(units)), dtype=np.int8)
    recurrent = np.zeros((sum(units), sum(units)), dtype=np.int8)
    sensory[:, motor + command :] = 1
    recurrent[motor + command :, motor : motor + command] = 1
    recurrent[motor : motor + command, :motor] = 1
    return Wiring("custom", sensory, recurrent, roles)


def _check_masks(spec: CfCSpec, parameters: Mapping[str, Array]) -> None:
    for prefix, layer in zip(layer_prefixes(spec), spec.layers(), strict=True):
        for head in ("ff1_weight", "ff2_weight"):
            weight = parameters.get(prefix + head)
            if layer.mask is None or weight is None or weight.shape != layer.mask.T.shape:
                continue  # another shape is refused with the rest
            if weight[~layer.mask.T].any():
                raise InputError(f"stage CfC: {prefix}{head} is not zero where the wiring has no synapse")


def _ctrnn(node: onnx.NodeProto, constants: Constants) -> Cell:
    arrays = stage_constants(node, 3, CTRNN, constants)
    inputs = _width("CTRNN", "input_weight", arrays["input_weight"])
    unfolds = _attributes(node, {"unfolds": int})["unfolds"]
    return Cell(CTRNNSpec(inputs, arrays["tau"].size, unfolds), arrays)


def _gated(kind: str, node: onnx.NodeProto, constants: Constants) -> Cell:
    arrays = stage_constants(node, 4 if kind == "LSTM" else 3, GATED, constants)
    _attributes(node, {})
    inputs, units = (_width(kind, name, arrays[name]) for name in ("weight_ih", "weight_hh"))
    spec = GatedSpec("lstm" if kind == "LSTM" else "gru", inputs, units)
    return Cell(spec, arrays)
