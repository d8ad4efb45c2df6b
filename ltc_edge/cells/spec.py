"""What a cell is, as data: sizes, equations chosen, wiring, the shape of every parameter.

The torch cells, the NumPy reference and every export target are built from these, so none of them
needs another. Equations and their sources stand with the torch cells.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import InputError
from ltc_edge.wiring import MAX_NEURONS, Role, Wiring

Shapes = dict[str, tuple[int, ...]]
Solver = Literal["fused", "exponential", "euler", "rk4"]
Positivity = Literal["softplus", "clamp"]
CfCMode = Literal["default", "no_gate", "pure"]
Activation = Literal["lecun_tanh", "tanh", "relu", "silu", "gelu"]

SOLVERS: tuple[Solver, ...] = get_args(Solver)
BOUNDED_SOLVERS: frozenset[Solver] = frozenset({"fused", "exponential"})
"""Solvers whose sub-steps are convex combinations, so that the state stays within proved bounds."""

MAX_UNITS = MAX_NEURONS
MAX_UNFOLDS = 1000
MAX_BACKBONE_LAYERS = 16


@dataclass(frozen=True)
class LTCSpec:
    """Liquid time-constant cell; its parameters are listed a synapse, in the wiring's order.

    Attributes:
        solver: ``fused`` semi-implicit (the default of the paper), ``exponential`` Euler, explicit
            ``euler``, or ``rk4``.
        unfolds: solver sub-steps a step; they belong to a trained model.
        positivity: how conductances are kept positive.
        affine: scale and shift inputs and motor neurons.
    """

    kind: ClassVar[str] = "ltc"
    wiring: Wiring
    solver: Solver = "fused"
    unfolds: int = 6
    positivity: Positivity = "softplus"
    affine: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.wiring, Wiring):
            raise InputError("cell: an ltc needs a wiring")
        _require_choice("solver", self.solver, SOLVERS)
        _require_choice("positivity", self.positivity, ("softplus", "clamp"))
        _require_count("unfolds", self.unfolds, MAX_UNFOLDS)
        if not isinstance(self.affine, bool):
            raise InputError(f"cell: affine must be true or false, not {self.affine!r}")

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return self.wiring.inputs

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.wiring.units

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.wiring.outputs

    @property
    def state_size(self) -> int:
        """Length of the state."""
        return self.units

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every parameter."""
        synapses, sensory = len(self.wiring.synapses), len(self.wiring.sensory_synapses)
        shapes: Shapes = dict.fromkeys(("gleak", "vleak", "cm"), (self.units,))
        shapes |= dict.fromkeys(("w", "sigma", "mu", "erev"), (synapses,))
        shapes |= {f"sensory_{name}": (sensory,) for name in ("w", "sigma", "mu", "erev")}
        if self.affine:
            shapes |= {"input_w": (self.inputs,), "input_b": (self.inputs,)}
            shapes |= {"output_w": (self.outputs,), "output_b": (self.outputs,)}
        return shapes

    def parameters_effective(self) -> int:
        """Parameters stored and executed."""
        return _total(self.parameter_shapes())

    def parameters_dense(self) -> int:
        """Parameters of the same cell without sparsity, as published counts have it."""
        absent = self.units**2 + self.inputs * self.units
        absent -= len(self.wiring.synapses) + len(self.wiring.sensory_synapses)
        return self.parameters_effective() + 4 * absent


@dataclass(frozen=True)
class CfCLayer:
    """One closed-form cell: ``inputs`` in, ``units`` of state, and the mask of its sparse heads.

    ``mask``, shape ``(inputs + units, units)``, is None where every connection exists.
    """

    inputs: int
    units: int
    mask: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class CfCSpec:
    """Closed-form continuous-time cell: one cell with a backbone, or, when wired, one a layer of the wiring.

    The state of a wired cell is ordered inter | command | motor.
    """

    kind: ClassVar[str] = "cfc"
    inputs: int
    units: int
    wiring: Wiring | None = None
    mode: CfCMode = "default"
    backbone_units: int = 128
    backbone_layers: int = 1
    activation: Activation = "lecun_tanh"

    def __post_init__(self) -> None:
        _require_choice("mode", self.mode, ("default", "no_gate", "pure"))
        _require_choice("activation", self.activation, ("lecun_tanh", "tanh", "relu", "silu", "gelu"))
        _require_count("inputs", self.inputs)
        _require_count("units", self.units)
        if self.wiring is not None:
            if (self.wiring.inputs, self.wiring.units) != (self.inputs, self.units):
                raise InputError(
                    f"cfc: the wiring is for {self.wiring.inputs} inputs and {self.wiring.units} units, "
                    f"not {self.inputs} and {self.units}"
                )
            if not all(len(self.wiring.neurons(role)) for role in Role):
                raise InputError("cfc: a wired CfC needs inter, command and motor neurons; use an NCP wiring")
        _require_count("backbone_layers", self.backbone_layers, MAX_BACKBONE_LAYERS, least=0)
        _require_count("backbone_units", self.backbone_units)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.units if self.wiring is None else self.wiring.outputs

    @property
    def state_size(self) -> int:
        """Length of the state."""
        return self.units

    def layers(self) -> tuple[CfCLayer, ...]:
        """The cells in the order the signal passes them."""
        if self.wiring is None:
            return (CfCLayer(self.inputs, self.units),)
        layers = []
        previous: npt.NDArray[np.int64] | None = None
        for role in (Role.INTER, Role.COMMAND, Role.MOTOR):
            own = self.wiring.neurons(role)
            feed = (
                self.wiring.sensory[:, own]
                if previous is None
                else self.wiring.recurrent[np.ix_(previous, own)]
            )
            # A layer's own state is always fully connected: a published wired CfC ignores recurrent synapses.
            mask = np.concatenate([feed != 0, np.ones((own.size, own.size), dtype=np.bool_)])
            layers.append(CfCLayer(feed.shape[0], int(own.size), mask))
            previous = own
        return tuple(layers)

    def backbone_shapes(self) -> Shapes:
        """Weights and biases of the backbone, outermost first; a wired cell has none."""
        shapes: Shapes = {}
        if self.wiring is None:
            width = self.inputs + self.units
            for index in range(self.backbone_layers):
                shapes[f"backbone_{index}_weight"] = (self.backbone_units, width)
                shapes[f"backbone_{index}_bias"] = (self.backbone_units,)
                width = self.backbone_units
        return shapes

    def heads(self) -> tuple[str, ...]:
        """Names of the linear heads of one layer."""
        return ("ff1",) if self.mode == "pure" else ("ff1", "ff2", "time_a", "time_b")

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every parameter; masked entries of the heads ``ff1`` and ``ff2`` are zero."""
        shapes = self.backbone_shapes()
        has_backbone = bool(shapes)
        for index, layer in enumerate(self.layers()):
            prefix = "" if self.wiring is None else f"layer_{index}_"
            width = self.backbone_units if has_backbone else layer.inputs + layer.units
            for head in self.heads():
                shapes[f"{prefix}{head}_weight"] = (layer.units, width)
                shapes[f"{prefix}{head}_bias"] = (layer.units,)
            if self.mode == "pure":
                shapes |= {f"{prefix}w_tau": (layer.units,), f"{prefix}A": (layer.units,)}
        return shapes

    def parameters_effective(self) -> int:
        """Parameters stored and executed."""
        masked_heads = len([head for head in self.heads() if head.startswith("ff")])
        absent = sum(int((~layer.mask).sum()) for layer in self.layers() if layer.mask is not None)
        return self.parameters_dense() - masked_heads * absent

    def parameters_dense(self) -> int:
        """Parameters of the same cell without sparsity, as published counts have it."""
        return _total(self.parameter_shapes())


@dataclass(frozen=True)
class CTRNNSpec:
    """Continuous-time recurrent network (Funahashi & Nakamura 1993), integrated in ``unfolds`` sub-steps."""

    kind: ClassVar[str] = "ctrnn"
    inputs: int
    units: int
    unfolds: int = 6

    def __post_init__(self) -> None:
        _require_count("inputs", self.inputs)
        _require_count("units", self.units)
        _require_count("unfolds", self.unfolds, MAX_UNFOLDS)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.units

    @property
    def state_size(self) -> int:
        """Length of the state."""
        return self.units

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every parameter."""
        n = self.units
        return {"input_weight": (n, self.inputs), "recurrent_weight": (n, n), "bias": (n,), "tau": (n,)}

    def parameters_effective(self) -> int:
        """Parameters stored and executed."""
        return _total(self.parameter_shapes())

    parameters_dense = parameters_effective


@dataclass(frozen=True)
class GatedSpec:
    """LSTM or GRU baseline; the elapsed time enters as one more input, zero at the nominal period."""

    kind: Literal["lstm", "gru"]
    inputs: int
    units: int

    def __post_init__(self) -> None:
        _require_choice("kind", self.kind, ("lstm", "gru"))
        _require_count("inputs", self.inputs)
        _require_count("units", self.units)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.units

    @property
    def state_size(self) -> int:
        """Length of the state."""
        return self.units * (2 if self.kind == "lstm" else 1)

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every parameter; gates are stacked in torch's order."""
        rows = self.units * (4 if self.kind == "lstm" else 3)
        return {
            "weight_ih": (rows, self.inputs),
            "weight_dt": (rows,),
            "weight_hh": (rows, self.units),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }

    def parameters_effective(self) -> int:
        """Parameters stored and executed."""
        return _total(self.parameter_shapes())

    parameters_dense = parameters_effective


LiquidSpec = LTCSpec | CfCSpec | CTRNNSpec


@dataclass(frozen=True)
class MixedMemorySpec:
    """An LSTM memory before a liquid cell (Lechner & Hasani 2020, arXiv 2006.04418); state: cell | memory."""

    kind: ClassVar[str] = "mixed_memory"
    cell: LiquidSpec

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return self.cell.inputs

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.cell.units

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.cell.outputs

    @property
    def state_size(self) -> int:
        """Length of the state."""
        return 2 * self.cell.state_size

    def memory_shapes(self) -> Shapes:
        """Name and shape of the memory's own parameters; gates in the order cell, input, forget, output."""
        rows = 4 * self.units
        return {
            "memory_input_weight": (rows, self.inputs),
            "memory_recurrent_weight": (rows, self.units),
            "memory_bias": (rows,),
        }

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every parameter, the memory's first."""
        return self.memory_shapes() | self.cell.parameter_shapes()

    def parameters_effective(self) -> int:
        """Parameters stored and executed."""
        return _total(self.memory_shapes()) + self.cell.parameters_effective()

    def parameters_dense(self) -> int:
        """Parameters of the same cell without sparsity."""
        return _total(self.memory_shapes()) + self.cell.parameters_dense()


CellSpec = LiquidSpec | GatedSpec | MixedMemorySpec

_BY_KIND: dict[str, type[LiquidSpec | GatedSpec]] = {
    "ltc": LTCSpec,
    "cfc": CfCSpec,
    "ctrnn": CTRNNSpec,
    "lstm": GatedSpec,
    "gru": GatedSpec,
}


def spec_to_json(spec: CellSpec) -> dict[str, Any]:
    """A JSON document from which `spec_from_json` makes an equal spec."""
    if isinstance(spec, MixedMemorySpec):
        return {"kind": spec.kind, "cell": spec_to_json(spec.cell)}
    document: dict[str, Any] = {"kind": spec.kind}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        document[field.name] = value.to_json() if isinstance(value, Wiring) else value
    return document


def spec_from_json(document: Mapping[str, Any]) -> CellSpec:
    """The spec that `spec_to_json` wrote.

    Raises:
        InputError: the kind is unknown, or a field is missing, superfluous or out of range.
    """
    if not isinstance(document, Mapping):
        raise InputError(f"cell: must be an object, not {type(document).__name__}")
    fields = dict(document)
    kind = fields.get("kind")
    if kind == MixedMemorySpec.kind:
        _require_fields(kind, fields, {"kind", "cell"})
        return _mixed_memory_from_json(fields["cell"])
    if not isinstance(kind, str) or kind not in _BY_KIND:
        raise InputError(f"cell: unknown kind {kind!r}; known are {', '.join(_BY_KIND)} and mixed_memory")
    spec = _BY_KIND[kind]
    if spec is not GatedSpec:
        del fields["kind"]
    if fields.get("wiring") is not None:
        fields["wiring"] = Wiring.from_json(fields["wiring"])
    _require_fields(kind, fields, {field.name for field in dataclasses.fields(spec)})
    try:
        return spec(**fields)
    except TypeError as error:
        raise InputError(f"cell: {kind} has a field of the wrong type ({error})") from None


def _mixed_memory_from_json(document: Any) -> MixedMemorySpec:
    # Looked at before it is read, so that a document nested a thousand deep is refused at its second level.
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if kind in ("lstm", "gru", MixedMemorySpec.kind):
        raise InputError(f"cell: mixed memory goes before a liquid cell, not before {kind}")
    inner = spec_from_json(document)
    assert not isinstance(inner, GatedSpec | MixedMemorySpec)
    return MixedMemorySpec(inner)


def _require_fields(kind: str, fields: Mapping[str, Any], expected: set[str]) -> None:
    if fields.keys() != expected:
        odd = ", ".join(sorted(str(name) for name in fields.keys() ^ expected))
        raise InputError(f"cell: {kind} has missing or unknown fields: {odd}")


def _total(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes.values())


def _require_count(name: str, value: object, limit: int = MAX_UNITS, *, least: int = 1) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= limit:
        raise InputError(f"cell: {name} must be a whole number from {least} to {limit}, not {value!r}")


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"cell: {name} must be one of {', '.join(choices)}, not {value!r}")
