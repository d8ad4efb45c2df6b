"""What the hub's writer and reader share: the domain's names, and a controller as the hub can hold it.

``docs/onnx-domain.md`` specifies both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import LARGEST_INPUT, Controller, Scaling, Timing
from ltc_edge.errors import InputError
from ltc_edge.export.float32 import at_least, at_most, nearest

DOMAIN, DOMAIN_VERSION = "ltc_edge", 1
OPSET, IR_VERSION = 17, 8  # run by onnxruntime 1.15 and newer
NEWEST_IR_VERSION = 10
"""What a foreign writer may say; version 8 brought functions, later ones nothing that a hub uses."""

METADATA_KEY, FORMAT, SCHEMA_VERSION = "ltc_edge", "ltc-edge hub", 1

LAYERS = ("inter", "command", "motor")
"""The cells of a wired CfC, in the order the signal passes them."""

SYNAPSE_LISTS = ("sensory_source", "sensory_target", "source", "target")
_SYNAPSE = ("source", "target", "sigma", "mu", "w", "erev")
LTC = (
    *(f"sensory_{name}" for name in _SYNAPSE),
    *_SYNAPSE,
    *("gleak", "vleak", "cm", "input_w", "input_b", "output_w", "output_b"),
)
AFFINE = {"input_w": 1.0, "input_b": 0.0, "output_w": 1.0, "output_b": 0.0}
"""An LTC's affine maps, and what stands for each where the cell has none."""

MEMORY = ("input_weight", "recurrent_weight", "bias")
GATED = ("weight_ih", "weight_dt", "weight_hh", "bias_ih", "bias_hh")
CTRNN = ("input_weight", "recurrent_weight", "bias", "tau")

SMALLEST_CAPACITANCE = 1e-12
"""Least ``cm`` a body computes with: it divides by it. The conductances' 1e-8 is far above."""

LARGEST_PRODUCT = 1e37
"""What conductance · elapsed time / capacitance may reach: in float32 its sums are still finite."""

SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
LARGEST_MATRIX = 1 << 26
"""Most entries of an LTC's gather matrix, neurons × synapses: it is made when the file is loaded."""


def constants_of(spec: CellSpec) -> tuple[str, ...]:
    """Names of the constants that the cell's stage takes, in order."""
    if isinstance(spec, LTCSpec):
        return LTC
    if isinstance(spec, CTRNNSpec):
        return CTRNN
    if isinstance(spec, GatedSpec):
        return GATED
    if isinstance(spec, MixedMemorySpec):
        return constants_of(spec.cell)
    return cfc_constants(spec.mode == "pure", len(spec.backbone_shapes()) // 2)


def cfc_constants(pure: bool, backbone_layers: int) -> tuple[str, ...]:
    """Names of the constants of a ``CfC`` stage, in order."""
    linear = [f"backbone_{index}" for index in range(backbone_layers)]
    linear += ["ff1"] if pure else ["ff1", "ff2", "time_a", "time_b"]
    names = tuple(f"{name}_{part}" for name in linear for part in ("weight", "bias"))
    return (*names, "w_tau", "A") if pure else names


def is_limited(controller: Controller) -> bool:
    """Whether any action has a limit."""
    low, high = controller.limits
    return bool(np.isfinite(low).any() or np.isfinite(high).any())


def layer_prefixes(spec: CfCSpec) -> tuple[str, ...]:
    """What the parameter names of each cell of a CfC start with."""
    return ("",) if spec.wiring is None else tuple(f"layer_{index}_" for index in range(len(LAYERS)))


def hub_controller(controller: Controller) -> Controller:
    """``controller`` as a hub holds it, which is what reading the hub gives back.

    Parameters are float32; an LTC's conductances have their positivity map applied, in float64, and the
    mode ``clamp``. Limits and slew rates are rounded inwards and the range of dt outwards.

    Raises:
        InputError: a number is beyond float32, or the controller is too large.
    """
    try:
        rounded = dataclasses.replace(
            controller,
            normalizer=_scaling(controller.normalizer),
            cell=_stored_spec(controller.cell),
            parameters=_parameters(controller),
            actions=tuple(
                dataclasses.replace(
                    signal,
                    low=float(at_least(np.array(signal.low))),
                    high=float(at_most(np.array(signal.high))),
                    slew=float(at_most(np.array(signal.slew))),
                )
                for signal in controller.actions
            ),
            denormalizer=_scaling(controller.denormalizer),
            timing=_timing(controller.timing),
            initial_state=controller.initial_state.astype(np.float64),
            fallback=_fallback(controller),
            clip=np.inf
            if controller.input_limit == LARGEST_INPUT
            else float(nearest(np.array(controller.clip))),
        )
    except InputError as error:
        raise InputError(f"controller {controller.name!r} cannot be held in float32: {error}") from None
    check_products(rounded)
    return rounded


def check_products(controller: Controller) -> None:
    """Refuse an LTC whose matrices would overflow float32 or be too large.

    Raises:
        InputError: they would.
    """
    spec = controller.cell.cell if isinstance(controller.cell, MixedMemorySpec) else controller.cell
    if not isinstance(spec, LTCSpec):
        return
    p = {name: np.abs(array.astype(np.float64)) for name, array in controller.parameters.items()}
    synapses = len(p["w"]) + len(p["sensory_w"]) + 1
    if spec.units * synapses > LARGEST_MATRIX:
        raise InputError(
            f"ltc: {spec.units} neurons by {synapses} synapses are more than {LARGEST_MATRIX} entries; "
            "use a sparser wiring or fewer neurons"
        )
    conductance = [p["w"], p["sensory_w"], p["w"] * p["erev"], p["sensory_w"] * p["sensory_erev"]]
    conductance += [p["gleak"], p["gleak"] * p["vleak"]]
    largest = max(float(array.max(initial=0.0)) for array in conductance) * synapses
    span = controller.timing.dt_max_s / controller.timing.time_unit_s / spec.unfolds
    per_time = largest / max(float(p["cm"].min()), SMALLEST_CAPACITANCE)
    if not max(span, 1.0) * per_time < LARGEST_PRODUCT:
        raise InputError(
            "ltc: conductance · dt_max / cm is beyond float32; lower dt_max or raise the least cm "
            f"({p['cm'].min():g})"
        )


def _parameters(controller: Controller) -> Mapping[str, FloatArray]:
    cell = controller.cell.cell if isinstance(controller.cell, MixedMemorySpec) else controller.cell
    softplus = isinstance(cell, LTCSpec) and cell.positivity == "softplus"
    parameters: dict[str, FloatArray] = {}
    with np.errstate(over="ignore"):
        for name, array in controller.parameters.items():
            values = array.astype(np.float64)
            if softplus and name in ("w", "sensory_w", "cm", "gleak"):
                values = np.logaddexp(0.0, values)
            parameters[name] = values.astype(np.float32)
    return parameters


def _stored_spec(spec: CellSpec) -> CellSpec:
    """The spec with what a hub does not hold at its default: what a CfC without backbone says of one."""
    if isinstance(spec, MixedMemorySpec):
        inner = _stored_spec(spec.cell)
        assert not isinstance(inner, GatedSpec | MixedMemorySpec)
        return MixedMemorySpec(inner)
    if isinstance(spec, LTCSpec):
        return dataclasses.replace(spec, positivity="clamp")
    if isinstance(spec, CfCSpec) and spec.wiring is not None:
        return CfCSpec(spec.inputs, spec.units, spec.wiring, spec.mode, activation=spec.activation)
    if isinstance(spec, CfCSpec) and spec.backbone_layers == 0:
        return dataclasses.replace(spec, backbone_units=CfCSpec.backbone_units)
    return spec


def _scaling(scaling: Scaling) -> Scaling:
    offset, scale = (nearest(array) for array in (scaling.offset, scaling.scale))
    if not (scale >= SMALLEST_SCALE).all():
        raise InputError(f"scaling: a scale is below {SMALLEST_SCALE:g}")
    return Scaling(offset, scale)


def _timing(timing: Timing) -> Timing:
    """dt's range outwards, so that the period stays in it; the unit to the nearest."""
    low, high = at_most(np.array(timing.dt_min_s)), at_least(np.array(timing.dt_max_s))
    return Timing(timing.period_s, float(low), float(high), float(nearest(np.array(timing.time_unit_s))))


def _fallback(controller: Controller) -> npt.NDArray[np.float64]:
    """Within the rounded limits."""
    low, high = controller.limits
    result: npt.NDArray[np.float64] = np.clip(
        controller.fallback.astype(np.float64), at_least(low), at_most(high)
    )
    return result
