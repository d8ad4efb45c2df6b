"""``quantization.json``: the quantisation plan as a document. ``docs/bundle-format.md`` specifies it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc_edge.errors import InputError
from ltc_edge.export.coordinates import Coordinates
from ltc_edge.export.plan import QuantizationPlan, Sensitivity, TensorPlan
from ltc_edge.export.program import Affine, Array
from ltc_edge.export.rounding import QuantizedDense

FORMAT = "ltc-edge quantization plan"
SCHEMA_VERSION = 1
MAX_WEIGHTS = 1 << 24


def plan_bytes(plan: QuantizationPlan) -> bytes:
    """The document; the same plan gives the same bytes."""
    matrices: dict[int, dict[str, Any]] = {}
    for output, dense in plan.dense.items():
        entry = matrices.setdefault(id(dense), {"outputs": [], **_dense_to_json(dense)})
        entry["outputs"].append(output)
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


_SIGNALS = ("observation", "dt", "state", "action")


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
        InputError: it is no plan, one of an unknown version, or a field is missing or out of range.
    """
    try:
        document = json.loads(content)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise InputError(f"{where}: is not a quantisation plan of ltc-edge")
        if document.get("schema") != SCHEMA_VERSION:
            raise InputError(
                f"{where}: schema version {document.get('schema')!r} is unknown here (this is version "
                f"{SCHEMA_VERSION}); upgrade ltc-edge"
            )
        dense: dict[str, QuantizedDense] = {}
        for entry in document["dense"]:
            dense |= dict.fromkeys([str(output) for output in entry["outputs"]], _dense_from_json(entry))
        return QuantizationPlan(
            _coordinates_from_json(document["coordinates"]),
            {str(name): _tensor_from_json(entry) for name, entry in document["tensors"].items()},
            dense,
            dict(document["calibration"]),
            tuple(Sensitivity(**entry) for entry in document["sensitivity"]),
        )
    except InputError as error:
        raise InputError(f"{where}: {error}" if where not in str(error) else str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise InputError(f"{where}: unreadable field ({type(error).__name__}: {error})") from None


def _coordinates_from_json(document: Mapping[str, Any]) -> Coordinates:
    signals = {name: Affine(*_vectors(document[name], "center", "span")) for name in _SIGNALS}
    if any((affine.span <= 0).any() for affine in signals.values()):
        raise InputError("spans must be positive")
    conductance = document["conductance"]
    if conductance is not None:
        (conductance,) = _vectors(document, "conductance")
        if (conductance <= 0).any():
            raise InputError("conductances must be positive")
    return Coordinates(**signals, conductance=conductance)


def _vectors(document: Mapping[str, Any], *names: str) -> tuple[Array, ...]:
    vectors = tuple(np.asarray(document[name], dtype=np.float64) for name in names)
    if any(v.ndim != 1 or v.shape != vectors[0].shape or not np.isfinite(v).all() for v in vectors):
        raise InputError(f"{', '.join(names)} must be equal vectors of finite numbers")
    return vectors


def _tensor_from_json(entry: Mapping[str, Any]) -> TensorPlan:
    tensor = TensorPlan(**{**entry, "observed": tuple(float(v) for v in entry["observed"])})
    scales = tensor.scale16, tensor.scale8
    if not all(np.isfinite(s) and s > 0 for s in scales) or not -128 <= int(tensor.zero8) <= 127:
        raise InputError(f"a tensor has a scale or zero point that is out of range: {scales}, {tensor.zero8}")
    return tensor


def _dense_from_json(entry: Mapping[str, Any]) -> QuantizedDense:
    rows, columns = (int(size) for size in entry["shape"])
    if min(rows, columns) < 0 or rows * columns > MAX_WEIGHTS:
        raise InputError(f"a matrix of {rows}×{columns} weights is out of range")
    scale, bias = _vectors(entry, "scale", "bias")
    value = np.asarray(entry["value"], dtype=np.int64)
    if "place" in entry:
        place = np.asarray(entry["place"], dtype=np.int64)
        flat = np.zeros(rows * columns, dtype=np.int64)
        if place.shape != value.shape or ((place < 0) | (place >= len(flat))).any():
            raise InputError("a matrix has weights outside its shape")
        flat[place] = value
        value = flat
    if (
        len(scale) != rows
        or value.shape != (rows * columns,)
        or (np.abs(value) > 127).any()
        or (scale <= 0).any()
    ):
        raise InputError("a matrix does not fit its shape or the range of 8 bits")
    return QuantizedDense(value.reshape(rows, columns).astype(np.int8), scale, bias)
