"""The hub's main graph: a controller's stages, chained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.export.hub.stages import (
    AFFINE,
    DOMAIN,
    LAYERS,
    MEMORY,
    constants_of,
    is_limited,
    layer_prefixes,
)

_DOCS = {
    "Normalize": "raw sensor values to the cell's inputs",
    "Elapsed": "seconds since the last step, within the range allowed, and in the cell's time unit",
    "Denormalize": "to the actuators' units",
    "Limit": "within the actuators' limits",
    "SlewLimit": "within slew * dt of the previous action",
}


def main_graph(controller: Controller) -> onnx.GraphProto:
    """The chain of stages of a controller that `hub_controller` leaves as it is."""
    return _GraphWriter(controller).graph()


class _GraphWriter:
    """Adds stage after stage; each returns the names of its results."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def graph(self) -> onnx.GraphProto:
        """The whole graph."""
        c = self.controller
        normalizer, denormalizer, timing = c.normalizer, c.denormalizer, c.timing
        scaling = {"offset": normalizer.offset, "scale": normalizer.scale, "limit": np.array(c.input_limit)}
        self.stage("Normalize", ["observation"], self.floats("normalize_", scaling), ["z"])
        times = {"dt_min": timing.dt_min_s, "dt_max": timing.dt_max_s, "time_unit": timing.time_unit_s}
        arrays = {name: np.array(value) for name, value in times.items()}
        self.stage("Elapsed", ["dt"], self.floats("", arrays), ["dt_s", "timespan"])
        parts, previous = self.split_state()
        output, following = self.cell(c.cell, parts)
        if c.has_readout:
            readout = {name: c.parameters[f"readout_{name}"] for name in ("weight", "bias")}
            output = self.stage("Readout", [output], self.floats("readout_", readout), ["u"])[0]
        chain = ["Denormalize"] + ["Limit"] * is_limited(c) + ["SlewLimit"] * c.is_slew_limited
        results = dict.fromkeys(chain, "unlimited") | {"Limit": "limited"} | {chain[-1]: "action"}
        back = {"offset": denormalizer.offset, "scale": denormalizer.scale}
        output = self.stage(
            "Denormalize", [output], self.floats("denormalize_", back), [results["Denormalize"]]
        )[0]
        if is_limited(c):
            low, high = c.limits
            limits = self.floats("action_", {"low": low, "high": high})
            output = self.stage("Limit", [output], limits, [results["Limit"]])[0]
        if c.is_slew_limited:
            slew = self.floats("action_", {"slew": c.slew})
            output = self.stage("SlewLimit", [output, previous, "dt_s"], slew, ["action"])[0]
            following.append(output)
        self.join_state(following)
        return helper.make_graph(
            self.nodes,
            "controller",
            [_value(name, size) for name, size in self.inputs()],
            [_value("action", len(c.actions)), _value("state_out", c.state_size)],
            self.constants,
            doc_string="raw sensor values and the elapsed seconds in, bounded actions and the next state out",
        )

    def inputs(self) -> list[tuple[str, int]]:
        """Names and widths of the inputs."""
        return [
            ("observation", len(self.controller.observations)),
            ("dt", 1),
            ("state_in", self.controller.state_size),
        ]

    def stage(
        self,
        kind: str,
        inputs: Sequence[str],
        constants: Sequence[str],
        outputs: Sequence[str],
        name: str = "",
        **attributes: Any,
    ) -> list[str]:
        """Add one stage."""
        doc = _DOCS.get(kind, "")
        node = helper.make_node(kind, [*inputs, *constants], outputs, name or kind, doc, DOMAIN, **attributes)
        self.nodes.append(node)
        return list(outputs)

    def floats(self, prefix: str, arrays: dict[str, Any]) -> list[str]:
        """Add constants and return their names."""
        for name, array in arrays.items():
            whole = np.asarray(array).dtype.kind == "i"
            values = np.ascontiguousarray(array, dtype=np.int64 if whole else np.float32)
            # ascontiguousarray makes a number a vector.
            values = values.reshape(np.shape(array))
            self.constants.append(numpy_helper.from_array(values, prefix + name))
        return [prefix + name for name in arrays]

    def split(self, value: str, names: list[str], sizes: list[int], constant: str) -> list[str]:
        """Split ``value``, unless it is one part."""
        if len(names) == 1:
            return [value]
        (sizes_name,) = self.floats("", {constant: np.array(sizes, dtype=np.int64)})
        self.nodes.append(helper.make_node("Split", [value, sizes_name], names, f"Split_{value}", axis=1))
        return names

    def split_state(self) -> tuple[list[str], str]:
        """Parts of the cell's state, and the previous action."""
        c = self.controller
        names, sizes = _state_parts(c.cell)
        if c.is_slew_limited:
            names, sizes = [*names, "previous"], [*sizes, len(c.actions)]
        parts = self.split("state_in", names, sizes, "state_sizes")
        return (parts[:-1], parts[-1]) if c.is_slew_limited else (parts, "")

    def join_state(self, parts: list[str]) -> None:
        """Concatenate the next state, or rename the one part that it is."""
        if len(parts) > 1:
            self.nodes.append(helper.make_node("Concat", parts, ["state_out"], "Concat_state_out", axis=1))
            return
        for node in self.nodes:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    if name == parts[0]:
                        names[index] = "state_out"

    def cell(self, spec: CellSpec, parts: list[str]) -> tuple[str, list[str]]:
        """The cell's stages: its output, and the parts of its next state."""
        p = self.controller.parameters
        if isinstance(spec, MixedMemorySpec):
            memory = {name: p[f"memory_{name}"] for name in MEMORY}
            names = self.floats("memory_", memory)
            self.stage("MixedMemory", ["z", *parts], names, ["h_memory", "c_next"])
            inner_names, sizes = _state_parts(spec.cell)
            inner = self.split("h_memory", [f"{name}_memory" for name in inner_names], sizes, "layer_sizes")
            output, following = self.cell(spec.cell, inner)
            return output, [*following, "c_next"]
        if isinstance(spec, CfCSpec):
            return self.cfc(spec, parts)
        if isinstance(spec, LTCSpec):
            names = self.floats("", _ltc_constants(spec, p))
            settings: dict[str, Any] = {"unfolds": spec.unfolds, "solver": spec.solver}
            self.stage("LTC", ["z", *parts, "timespan"], names, ["output", "v_next"], **settings)
            return "output", ["v_next"]
        names = self.floats("", {name: p[name] for name in constants_of(spec)})
        unfolds = {"unfolds": spec.unfolds} if isinstance(spec, CTRNNSpec) else {}
        results = ["h_next", "c_next"] if spec.kind == "lstm" else ["h_next"]
        self.stage(spec.kind.upper(), ["z", *parts, "timespan"], names, results, "", **unfolds)
        return "h_next", results

    def cfc(self, spec: CfCSpec, parts: list[str]) -> tuple[str, list[str]]:
        """One ``CfC``, or three in a chain."""
        x, following = "z", []
        for prefix, layer, part in zip(layer_prefixes(spec), LAYERS, parts, strict=False):
            label = f"{layer}_" if prefix else ""
            arrays = {name: self.controller.parameters[prefix + name] for name in constants_of(spec)}
            names, result = self.floats(label, arrays), f"{label}h_next"
            attributes = {"mode": spec.mode, "activation": spec.activation}
            stage = f"CfC_{layer}" if prefix else "CfC"
            self.stage("CfC", [x, part, "timespan"], names, [result], stage, **attributes)
            x = result
            following.append(result)
        return x, following


def _value(name: str, size: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])


def _state_parts(spec: CellSpec) -> tuple[list[str], list[int]]:
    if isinstance(spec, LTCSpec):
        return ["v"], [spec.units]
    if isinstance(spec, CfCSpec) and spec.wiring is not None:
        return list(LAYERS), [layer.units for layer in spec.layers()]
    if spec.kind in ("lstm", MixedMemorySpec.kind):
        return ["h", "c"], [spec.units, spec.units]
    return ["h"], [spec.units]


def _ltc_constants(spec: LTCSpec, parameters: Any) -> dict[str, npt.NDArray[Any]]:
    wiring = spec.wiring
    lists = {
        "sensory_source": wiring.sensory_synapses[:, 0],
        "sensory_target": wiring.sensory_synapses[:, 1],
        "source": wiring.synapses[:, 0],
        "target": wiring.synapses[:, 1],
    }
    sizes = {"input": spec.inputs, "output": spec.outputs}
    return {
        name: lists[name]
        if name in lists
        else parameters[name]
        if name in parameters
        else np.full(sizes[name.split("_")[0]], AFFINE[name])
        for name in constants_of(spec)
    }
