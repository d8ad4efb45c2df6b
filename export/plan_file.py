"""``quantization.json``: the quantisation plan as a document. ``docs/bundle-format.md`` specifies it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc_edge.errors import InputError
from ltc_edge.export.coordinates import Coordinates
from ltc_edge.export.plan import QuantizationPlan, Sensitivity, TensorPlan
from ltc_edge.export.program import Affine, Array
from ltc_edge.export.rounding import GREATEST, QuantizedDense

FORMAT = "ltc-edge quantization plan"
SCHEMA_VERSION = 1
MAX_WEIGHTS = 1 << 26
"""Of all matrices of a plan: a hostile file must not claim all memory."""

_SIGNALS = ("observation", "dt", "state", "action")


def plan_bytes(plan: QuantizationPlan) -> bytes:
    """The document; the same plan gives the same bytes."""
    matrices: dict[int, dict[str, Any]] = {}
    for output, dense in plan.dense.items():
        if id(dense) not in matrices:
            matrices[id(dense)] = {"outputs": [], **_dense_to_json(dense)}
        matrices[id(dense)]["outputs"].append(output)
    document = {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "coordinates": {name: _affine_to_json(getattr(plan.coordinates, name)) for name in _SIGNALS}
        | {
            "conductance": None
            if plan.coordinates.conductance is None
            else plan.coordinates.conductance.tolist()
        },
        "tensors": {name: dataclasses.asdict(tensor) for name, tensor in plan.tensors.items()},
        "dense": list(matrices.values()),
        "calibration": dict(plan.calibration),
        "sensitivity": [dataclasses.asdict(entry) for entry in plan.sensitivity],
    }
    return (_compact(document) + "\n").encode()


def _compact(document: Mapping[str, Any]) -> str:
    """JSON with a line for each entry of the large tables: readable, and no longer than need be."""
    lines = []
    for key, value in document.items():
        if isinstance(value, dict) and value and key in ("tensors", "coordinates"):
            rows = [
                f"    {json.dumps(name)}: {json.dumps(entry, allow_nan=False)}"
                for name, entry in value.items()
            ]
            text = "{\n" + ",\n".join(rows) + "\n  }"
        elif isinstance(value, list) and value:
            text = (
                "[\n" + ",\n".join(f"    {json.dumps(entry, allow_nan=False)}" for entry in value) + "\n  ]"
            )
        else:
            text = json.dumps(value, allow_nan=False)
        lines.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _affine_to_json(affine: Affine) -> dict[str, Any]:
    return {"center": affine.center.tolist(), "span": affine.span.tolist()}


def _dense_to_json(dense: QuantizedDense) -> dict[str, Any]:
    """Rows one after the other; where most are zero, only the others, with their places."""
    flat = dense.values.reshape(-1)
    document: dict[str, Any] = {
        "shape": list(dense.values.shape),
        "scale": dense.scale.tolist(),
        "bias": dense.bias.tolist(),
    }
    place = np.flatnonzero(flat)
    if 2 * len(place) < len(flat):
        return document | {"place": place.tolist(), "value": flat[place].tolist()}
    return document | {"value": flat.tolist()}


def plan_from_bytes(content: bytes, where: str) -> QuantizationPlan:
    """The plan in a document.

    Raises:
        InputError: it is no plan, one of an unknown version, or a field is missing, unknown or out of range.
    """
    try:
        return _plan_from_json(json.loads(content, parse_constant=_refuse_constant))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{where}: is not readable as JSON ({type(error).__name__}: {error})") from None


def _refuse_constant(name: str) -> float:
    raise InputError(f"holds {name}, which is no number of a plan")


def _plan_from_json(document: Any) -> QuantizationPlan:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError("is not a quantisation plan of ltc-edge")
    if document.get("schema") != SCHEMA_VERSION:
        raise InputError(
            f"schema version {document.get('schema')!r} is unknown here (this is version {SCHEMA_VERSION}); "
            "upgrade ltc-edge"
        )
    fields = "format schema coordinates tensors dense calibration sensitivity"
    whole = _fields(document, "the plan", *fields.split())
    for name, kind in (("tensors", dict), ("dense", list), ("calibration", dict), ("sensitivity", list)):
        if not isinstance(whole[name], kind):
            raise InputError(f"{name} is not the {'object' if kind is dict else 'list'} it has to be")
    json.dumps(whole["calibration"], allow_nan=False)  # 1e999 is read as infinity
    return QuantizationPlan(
        _coordinates_from_json(whole["coordinates"]),
        {name: _tensor_from_json(name, entry) for name, entry in whole["tensors"].items()},
        _matrices_from_json(whole["dense"]),
        whole["calibration"],
        tuple(_sensitivity_from_json(entry) for entry in whole["sensitivity"]),
    )


def _coordinates_from_json(document: Any) -> Coordinates:
    fields = _fields(document, "coordinates", *_SIGNALS, "conductance")
    signals = {name: _affine_from_json(name, fields[name]) for name in _SIGNALS}
    conductance = fields["conductance"]
    if conductance is not None:
        conductance = _vector(conductance, "conductance")
        if (conductance <= 0).any():
            raise InputError("conductances must be positive")
    return Coordinates(**signals, conductance=conductance)


def _affine_from_json(name: str, document: Any) -> Affine:
    fields = _fields(document, f"the coordinates of {name}", "center", "span")
    center, span = _vector(fields["center"], f"{name}: center"), _vector(fields["span"], f"{name}: span")
    if center.shape != span.shape or (span <= 0).any():
        raise InputError(f"{name}: center and span must be of one length, and spans positive")
    return Affine(center, span)


def _tensor_from_json(name: str, document: Any) -> TensorPlan:
    what = f"tensor {name!r}"
    fields = _fields(document, what, *(field.name for field in dataclasses.fields(TensorPlan)))
    numbers = {key: _number(fields[key], f"{what}: {key}") for key in ("low", "high", "scale16", "scale8")}
    observed, zero8 = _vector(fields["observed"], f"{what}: observed"), fields["zero8"]
    if numbers["low"] > numbers["high"] or len(observed) != 2 or type(fields["proved"]) is not bool:
        raise InputError(f"{what}: its range is not in order")
    if not (numbers["scale8"] > 0 and numbers["scale16"] > 0 and math.frexp(numbers["scale16"])[0] == 0.5):
        raise InputError(f"{what}: scales must be positive, and that of 16 bits a power of two")
    if type(zero8) is not int or not -128 <= zero8 <= 127:
        raise InputError(f"{what}: zero8 is {zero8!r}, expected a whole number from -128 to 127")
    low, high = observed.tolist()
    return TensorPlan(**numbers, observed=(low, high), proved=fields["proved"], zero8=zero8)


def _matrices_from_json(entries: list[Any]) -> dict[str, QuantizedDense]:
    """Weight matrices by output; together they are of bounded size, whatever a few bytes claim."""
    matrices: dict[str, QuantizedDense] = {}
    left = MAX_WEIGHTS
    for entry in entries:
        sparse = ("place",) if isinstance(entry, dict) and "place" in entry else ()
        fields = _fields(entry, "a matrix", "outputs", "shape", "scale", "bias", "value", *sparse)
        outputs = fields["outputs"]
        if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
            raise InputError("the outputs of a matrix must be names")
        if len(set(outputs)) != len(outputs) or not matrices.keys().isdisjoint(outputs):
            raise InputError(f"an output has two matrices: {', '.join(outputs)}")
        rows, columns = _whole(fields["shape"], "shape", 0, MAX_WEIGHTS, length=2)
        left -= rows * columns
        if left < 0:
            raise InputError(f"there are more than {MAX_WEIGHTS} weights")
        matrices |= dict.fromkeys(outputs, _dense_from_json(fields, rows, columns))
    return matrices


def _dense_from_json(fields: Mapping[str, Any], rows: int, columns: int) -> QuantizedDense:
    scale, bias = _vector(fields["scale"], "scale"), _vector(fields["bias"], "bias")
    if len(scale) != rows or len(bias) != rows or (scale <= 0).any():
        raise InputError(f"a matrix of {rows} rows needs as many biases, and as many positive scales")
    size = rows * columns
    stored = len(fields["place"]) if isinstance(fields.get("place"), list) else size
    value = _whole(fields["value"], "value", -GREATEST, GREATEST, length=stored)
    flat = np.zeros(size, dtype=np.int8)
    if "place" in fields:
        flat[_whole(fields["place"], "place", 0, size - 1, length=stored)] = value
    else:
        flat[:] = value
    return QuantizedDense(flat.reshape(rows, columns), scale, bias)


def _sensitivity_from_json(document: Any) -> Sensitivity:
    fields = _fields(document, "a sensitivity", *(field.name for field in dataclasses.fields(Sensitivity)))
    if not isinstance(fields["name"], str) or fields["kind"] not in ("tensor", "weight"):
        raise InputError("a sensitivity is of a named tensor or weight")
    percent16 = None if fields["percent16"] is None else _number(fields["percent16"], "percent16")
    return Sensitivity(fields["name"], fields["kind"], percent16, _number(fields["percent8"], "percent8"))


def _fields(document: Any, what: str, *names: str) -> Mapping[str, Any]:
    """An object that has these fields and no other."""
    if not isinstance(document, dict):
        raise InputError(f"{what} is not an object")
    if document.keys() != set(names):
        raise InputError(
            f"{what} lacks or should not have: {', '.join(sorted(document.keys() ^ set(names)))}"
        )
    return document


def _number(value: Any, what: str) -> float:
    return float(_vector([value], what)[0])


def _vector(value: Any, what: str) -> Array:
    """Finite numbers."""
    if not isinstance(value, list) or not set(map(type, value)) <= {int, float}:
        raise InputError(f"{what} must hold numbers")
    vector = np.asarray(value, dtype=np.float64)
    if not np.isfinite(vector).all():
        raise InputError(f"{what} must hold finite numbers")
    return vector


def _whole(value: Any, what: str, low: int, high: int, *, length: int) -> list[int]:
    """As many whole numbers, each within the range."""
    if not isinstance(value, list) or len(value) != length or not set(map(type, value)) <= {int}:
        raise InputError(f"{what} must hold {length} whole numbers")
    if value and not (low <= min(value) and max(value) <= high):
        raise InputError(f"{what} must lie between {low} and {high}")
    return value
