"""Controllers from trained `ncps.torch.LTC` and `ncps.torch.CfC` modules (ncps 1.0.1).

A state dict holds the weights and the masks, but neither the number of unfolds nor how positivity is
kept nor the CfC's gate: these must be said where they differ from ncps' defaults.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import (
    Activation,
    CellSpec,
    CfCMode,
    CfCSpec,
    LiquidSpec,
    LTCSpec,
    MixedMemorySpec,
    Positivity,
)
from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.errors import InputError, require
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.wiring import Role, Wiring

Array = npt.NDArray[Any]

_LTC_PLAIN = ("gleak", "vleak", "cm")
_SYNAPTIC = ("w", "sigma", "mu", "erev")


@dataclass(frozen=True)
class NcpsOptions:
    """What a state dict does not say; the defaults are ncps'.

    Attributes:
        unfolds, positivity: of an LTC: ``ode_unfolds``, and whether ``implicit_param_constraints``.
        mode, activation: of a CfC and its backbone.
        outputs: motor neurons of an LTC with ``output_mapping=None``; None for all units.
    """

    unfolds: int = 6
    positivity: Positivity = "softplus"
    mode: CfCMode = "default"
    activation: Activation = "lecun_tanh"
    outputs: int | None = None


@dataclass
class _Source:
    """A state dict, with the names read so far, so that what nobody read can be refused."""

    tensors: Mapping[str, Array]
    read: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        return name in self.tensors

    def take(self, name: str) -> Array:
        if name not in self.tensors:
            raise InputError(
                f"ncps state dict: {name} is missing; is it the state dict of ncps.torch.LTC or CfC?"
            )
        self.read.add(name)
        array = self.tensors[name]
        if not np.isfinite(array).all():
            raise InputError(f"ncps state dict: {name} is not finite")
        return array


def import_ncps(
    source: str | Path | Mapping[str, Any],
    *,
    options: NcpsOptions | None = None,
    observations: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
    period_s: float = 1.0,
    time_unit_s: float = 1.0,
    name: str = "imported",
) -> Controller:
    """A Controller equal to a trained ncps module.

    Args:
        source: a file written by ``torch.save(module.state_dict(), file)``, or the state dict itself.
        options: what the state dict does not say.
        observations, actions: names of inputs and outputs; ``x0…`` and ``y0…`` where not given.
        period_s: native period of the controller, in seconds.
        time_unit_s: seconds in one unit of the ``timespans`` the module was trained with.
        name: name of the controller.

    Returns:
        A controller without normaliser and limits, in the precision of the state dict.

    Raises:
        InputError: the file is not a state dict of ncps' LTC or CfC, or its tensors do not fit together.
        MissingExtraError: a file is given and torch is not installed.
    """
    options = options or NcpsOptions(outputs=None if actions is None else len(actions))
    tensors = _read(Path(source)) if isinstance(source, str | Path) else source
    state = _Source({key: _as_array(key, value) for key, value in tensors.items()})
    cell, parameters = _cell(state, options)
    if state.has("fc.weight"):
        parameters["readout_weight"] = state.take("fc.weight")
        parameters["readout_bias"] = state.take("fc.bias")
    unread = sorted(state.tensors.keys() - state.read)
    if unread:
        raise InputError(
            f"ncps state dict: unknown tensors {', '.join(unread[:5])}; only LTC and CfC can be imported"
        )
    outputs = parameters["readout_bias"].size if "readout_bias" in parameters else cell.outputs
    return Controller(
        name=name,
        purpose="regression",
        observations=_name_inputs(observations, cell.inputs),
        normalizer=Scaling.identity(cell.inputs),
        cell=cell,
        parameters=_one_dtype(parameters),
        actions=tuple(ActionSignal(label) for label in _labels(actions, "y", outputs)),
        denormalizer=Scaling.identity(outputs),
        timing=Timing(period_s, 1e-6 * time_unit_s, 1e6 * time_unit_s, time_unit_s),
        initial_state=np.zeros(cell.state_size),
        fallback=np.zeros(outputs),
        provenance={"imported_from": "ncps"},
    )


def _read(path: Path) -> Mapping[str, Any]:
    torch = require("torch", "train")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            # What torch thinks of an old or foreign pickle; it is read or refused all the same.
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises whatever its unpickler meets: UnpicklingError, RuntimeError, EOFError, KeyError…
        # Its advice is to run the code in the file, which is never done here.
        raise InputError(
            f"{path}: not a readable state dict ({type(error).__name__}: damaged, or more than tensors); "
            "write it with torch.save(module.state_dict(), file)"
        ) from None
    if not isinstance(loaded, Mapping):
        raise InputError(
            f"{path}: holds a {type(loaded).__name__}, not a state dict; save module.state_dict()"
        )
    return loaded


def _as_array(name: object, value: Any) -> Array:
    if not isinstance(name, str):
        raise InputError("ncps state dict: a name is not text; save module.state_dict()")
    try:
        array = np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
        if array.dtype.kind not in "fi":
            raise TypeError(f"type {array.dtype}")
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"ncps state dict: {name} is not a numeric tensor ({error})") from None
    return array.astype(np.float64 if array.dtype == np.float64 else np.float32)


def _one_dtype(parameters: Mapping[str, Array]) -> dict[str, FloatArray]:
    """All float64 where any is: a controller has one precision."""
    dtype = np.result_type(*parameters.values())
    return {name: np.ascontiguousarray(array, dtype=dtype) for name, array in parameters.items()}


def _labels(names: Sequence[str] | None, letter: str, count: int) -> Sequence[str]:
    if names is None:
        return [f"{letter}{index}" for index in range(count)]
    if len(names) != count:
        raise InputError(f"{len(names)} names given for {count} {'inputs' if letter == 'x' else 'outputs'}")
    return names


def _name_inputs(names: Sequence[str] | None, count: int) -> tuple[ObservationSignal, ...]:
    return tuple(ObservationSignal(label) for label in _labels(names, "x", count))


def _cell(state: _Source, options: NcpsOptions) -> tuple[CellSpec, dict[str, Array]]:
    liquid: LiquidSpec
    if state.has("rnn_cell.gleak"):
        liquid, parameters = _ltc(state, options)
    elif state.has("rnn_cell.layer_0.ff1.weight"):
        liquid, parameters = _wired_cfc(state, options)
    elif state.has("rnn_cell.ff1.weight"):
        liquid, parameters = _cfc(state, options)
    else:
        raise InputError(
            "ncps state dict: neither rnn_cell.gleak (LTC) nor rnn_cell.ff1.weight (CfC) is in it"
        )
    if not state.has("lstm.input_map.weight"):
        return liquid, parameters
    parameters["memory_input_weight"] = state.take("lstm.input_map.weight")
    parameters["memory_bias"] = state.take("lstm.input_map.bias")
    parameters["memory_recurrent_weight"] = state.take("lstm.recurrent_map.weight")
    return MixedMemorySpec(liquid), parameters


def _shape(array: Array, *shape: int, name: str) -> Array:
    if array.shape != shape:
        raise InputError(f"ncps state dict: {name} has shape {array.shape}, expected {shape}")
    return array


def _columns(array: Array, name: str) -> int:
    if array.ndim != 2:
        raise InputError(f"ncps state dict: {name} has shape {array.shape}, expected a matrix")
    return int(array.shape[1])


def _backbone_index(key: str) -> int:
    index = key.split(".")[2]
    if not index.isdecimal():
        raise InputError(f"ncps state dict: unknown tensor {key}")
    return int(index)


def _ltc(state: _Source, options: NcpsOptions) -> tuple[LTCSpec, dict[str, Array]]:
    parameters = {name: state.take(f"rnn_cell.{name}") for name in _LTC_PLAIN}
    mask, sensory_mask = state.take("rnn_cell.sparsity_mask"), state.take("rnn_cell.sensory_sparsity_mask")
    if mask.ndim != 2 or sensory_mask.ndim != 2:
        raise InputError("ncps state dict: the sparsity masks are not matrices")
    inputs, units = sensory_mask.shape
    polarity = {}
    for prefix, present in (("", mask), ("sensory_", sensory_mask)):
        chosen = np.nonzero(present)
        for name in _SYNAPTIC:
            full = _shape(
                state.take(f"rnn_cell.{prefix}{name}"), *present.shape, name=f"rnn_cell.{prefix}{name}"
            )
            parameters[f"{prefix}{name}"] = full[chosen]
        # A trained reversal potential may have crossed zero; the wiring then records the sign it has now.
        sign = np.where(state.take(f"rnn_cell.{prefix}erev") < 0, -1, 1)
        polarity[prefix] = np.where(present != 0, sign, 0).astype(np.int8)
    affine = any(state.has(f"rnn_cell.{name}") for name in ("input_w", "output_w"))
    mapped = state.take("rnn_cell.output_w").size if state.has("rnn_cell.output_w") else None
    outputs = mapped or options.outputs or units
    if affine:
        for name, size, neutral in (
            ("input_w", inputs, 1.0),
            ("input_b", inputs, 0.0),
            ("output_w", outputs, 1.0),
            ("output_b", outputs, 0.0),
        ):
            key = f"rnn_cell.{name}"
            # ncps' mappings "linear" and None leave some of the four out.
            parameters[name] = state.take(key) if state.has(key) else np.full(size, neutral, dtype=np.float32)
    wiring = Wiring("custom", polarity["sensory_"], polarity[""], _roles(polarity[""], sensory_mask, outputs))
    spec = LTCSpec(wiring, unfolds=options.unfolds, positivity=options.positivity, affine=affine)
    return spec, parameters


def _roles(recurrent: Array, sensory: Array, outputs: int) -> tuple[Role, ...]:
    """Motor neurons come first; of the rest, those without a sensory synapse are command neurons.

    Only where that split is an NCP's: no synapse from a motor or command neuron into an inter neuron.
    """
    units = recurrent.shape[0]
    if not 0 < outputs <= units:
        raise InputError(f"ncps state dict: {outputs} outputs for {units} units")
    hears = (sensory != 0).any(axis=0)
    inter = hears & (np.arange(units) >= outputs)
    command = ~hears & (np.arange(units) >= outputs)
    layered = bool(inter.any() and command.any()) and not (recurrent[:, inter] != 0).any()
    return tuple(
        Role.MOTOR if index < outputs else Role.COMMAND if layered and command[index] else Role.INTER
        for index in range(units)
    )


def _heads(state: _Source, source: str, target: str) -> tuple[dict[str, Array], bool]:
    parameters: dict[str, Array] = {}
    pure = state.has(f"{source}w_tau")
    for head in ("ff1",) if pure else ("ff1", "ff2", "time_a", "time_b"):
        parameters[f"{target}{head}_weight"] = state.take(f"{source}{head}.weight")
        parameters[f"{target}{head}_bias"] = state.take(f"{source}{head}.bias")
    if pure:
        parameters[f"{target}w_tau"] = state.take(f"{source}w_tau").reshape(-1)
        parameters[f"{target}A"] = state.take(f"{source}A").reshape(-1)
    return parameters, pure


def _cfc(state: _Source, options: NcpsOptions) -> tuple[CfCSpec, dict[str, Array]]:
    parameters, pure = _heads(state, "rnn_cell.", "")
    ff1 = state.take("rnn_cell.ff1.weight")
    features = _columns(ff1, "rnn_cell.ff1.weight")
    units, layers = len(ff1), 0
    # ncps puts activation (and dropout) modules between the linear ones, so their numbers have holes.
    keys = [key for key in state.tensors if key.startswith("rnn_cell.backbone.") and key.endswith(".weight")]
    width = features
    for key in sorted(keys, key=_backbone_index):
        weight = state.take(key)
        parameters[f"backbone_{layers}_weight"] = weight
        parameters[f"backbone_{layers}_bias"] = state.take(key.removesuffix("weight") + "bias")
        width = _columns(weight, key) if layers == 0 else width
        layers += 1
    spec = CfCSpec(
        inputs=width - units,
        units=units,
        mode="pure" if pure else options.mode,
        backbone_units=features if layers else 1,
        backbone_layers=layers,
        activation=options.activation,
    )
    return spec, parameters


def _wired_cfc(state: _Source, options: NcpsOptions) -> tuple[CfCSpec, dict[str, Array]]:
    parameters: dict[str, Array] = {}
    feeds: list[Array] = []
    pure = False
    for index in range(3):
        prefix = f"rnn_cell.layer_{index}."
        heads, pure = _heads(state, prefix, f"layer_{index}_")
        mask = state.take(f"{prefix}sparsity_mask")  # (units, inputs + units)
        for head in ("ff1", "ff2"):
            name = f"layer_{index}_{head}_weight"
            if name in heads:
                heads[name] = heads[name] * _shape(mask, *heads[name].shape, name=f"{prefix}sparsity_mask")
        parameters |= heads
        feeds.append(mask[:, : mask.shape[1] - mask.shape[0]].T)
    inter, command, motor = (feed.shape[1] for feed in feeds)
    if feeds[1].shape[0] != inter or feeds[2].shape[0] != command:
        raise InputError("ncps state dict: the layers of the wired CfC do not fit together")
    units = inter + command + motor
    recurrent = np.zeros((units, units), dtype=np.int8)
    sensory = np.zeros((feeds[0].shape[0], units), dtype=np.int8)
    first_inter = motor + command
    sensory[:, first_inter:] = feeds[0] != 0
    recurrent[first_inter:, motor:first_inter] = feeds[1] != 0
    recurrent[motor:first_inter, :motor] = feeds[2] != 0
    roles = (Role.MOTOR,) * motor + (Role.COMMAND,) * command + (Role.INTER,) * inter
    mode: CfCMode = "pure" if pure else options.mode
    return CfCSpec(sensory.shape[0], units, Wiring("custom", sensory, recurrent, roles), mode), parameters
