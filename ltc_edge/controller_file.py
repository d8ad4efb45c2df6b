"""The controller's file: safetensors, with a JSON document in its header.

One file, so that weights and description cannot part; safetensors, so that reading it runs no code.
``docs/controller-format.md`` specifies it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import spec_from_json, spec_to_json
from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.files import digest, read_safetensors, safetensors_bytes, write_atomically
from ltc_edge.signals import ActionSignal, ObservationSignal

FORMAT = "ltc-edge controller"
SCHEMA_VERSION = 1
_VECTORS = ("normalizer_offset", "normalizer_scale", "denormalizer_offset", "denormalizer_scale")


def save_controller(controller: Controller, path: Path | str) -> None:
    """Write ``controller`` to ``path``, atomically; the same controller gives the same bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    write_atomically(Path(path), controller_bytes(controller))


def controller_bytes(controller: Controller) -> bytes:
    """The controller's file as bytes."""
    tensors = {f"parameters.{name}": array for name, array in controller.parameters.items()}
    tensors |= {
        "normalizer_offset": controller.normalizer.offset.astype(np.float64),
        "normalizer_scale": controller.normalizer.scale.astype(np.float64),
        "denormalizer_offset": controller.denormalizer.offset.astype(np.float64),
        "denormalizer_scale": controller.denormalizer.scale.astype(np.float64),
        "initial_state": controller.initial_state.astype(np.float64),
        "fallback": controller.fallback.astype(np.float64),
    }
    document = _to_json(controller)
    document["sha256"] = digest(document, tensors)
    return safetensors_bytes(tensors, {"ltc_edge": json.dumps(document, sort_keys=True, allow_nan=False)})


def load_controller(path: Path | str) -> Controller:
    """Read a controller.

    Raises:
        ControllerFileError: the file is missing, damaged, edited, of an unknown version, or no controller.
    """
    path = Path(path)
    tensors, metadata = read_safetensors(path)
    if "ltc_edge" not in metadata:
        raise ControllerFileError(
            f"{path}: not a controller of ltc-edge (its header has no ltc_edge document)"
        )
    try:
        document = json.loads(metadata["ltc_edge"])
    except (ValueError, RecursionError):
        raise ControllerFileError(f"{path}: the JSON document in the header is unreadable") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ControllerFileError(f"{path}: not a controller of ltc-edge (its format is not {FORMAT!r})")
    version = document.get("schema")
    if version != SCHEMA_VERSION:
        raise ControllerFileError(
            f"{path}: schema version {version!r} is unknown here (this is version {SCHEMA_VERSION}); "
            "upgrade ltc-edge"
        )
    recorded = document.pop("sha256", None)
    try:
        intact = recorded == digest(document, tensors)
    except RecursionError:
        intact = False
    if not intact:
        raise ControllerFileError(
            f"{path}: the contents do not match their sha256, so the file was damaged or edited; "
            "export or train it again"
        )
    try:
        return _from_json(document, tensors)
    except InputError as error:
        raise ControllerFileError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ControllerFileError(f"{path}: unreadable field ({type(error).__name__}: {error})") from None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _to_json(controller: Controller) -> dict[str, Any]:
    timing = controller.timing
    return {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "name": controller.name,
        "purpose": controller.purpose,
        "observations": [{"name": signal.name, "unit": signal.unit} for signal in controller.observations],
        "clip": _finite(controller.clip),
        "cell": spec_to_json(controller.cell),
        "actions": [
            {
                "name": signal.name,
                "unit": signal.unit,
                "low": _finite(signal.low),
                "high": _finite(signal.high),
                "slew": _finite(signal.slew),
            }
            for signal in controller.actions
        ],
        "timing": {
            "period_s": timing.period_s,
            "dt_min_s": timing.dt_min_s,
            "dt_max_s": timing.dt_max_s,
            "time_unit_s": timing.time_unit_s,
        },
        "provenance": dict(controller.provenance),
    }


def _from_json(document: Mapping[str, Any], tensors: Mapping[str, FloatArray]) -> Controller:
    def number(value: Any, absent: float) -> float:
        return absent if value is None else float(value)

    prefix = "parameters."
    parameters = {
        name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)
    }
    unknown = {name for name in tensors if not name.startswith(prefix)} - {
        *_VECTORS,
        "initial_state",
        "fallback",
    }
    if unknown:
        raise InputError(f"unknown tensors: {', '.join(sorted(unknown))}")
    return Controller(
        name=str(document["name"]),
        purpose=str(document["purpose"]),
        observations=tuple(
            ObservationSignal(str(o["name"]), str(o["unit"])) for o in document["observations"]
        ),
        normalizer=Scaling(tensors["normalizer_offset"], tensors["normalizer_scale"]),
        cell=spec_from_json(document["cell"]),
        parameters=parameters,
        actions=tuple(
            ActionSignal(
                str(a["name"]),
                str(a["unit"]),
                low=number(a["low"], -math.inf),
                high=number(a["high"], math.inf),
                slew=number(a["slew"], math.inf),
            )
            for a in document["actions"]
        ),
        denormalizer=Scaling(tensors["denormalizer_offset"], tensors["denormalizer_scale"]),
        timing=Timing(**{name: float(value) for name, value in document["timing"].items()}),
        initial_state=tensors["initial_state"],
        fallback=tensors["fallback"],
        clip=number(document["clip"], math.inf),
        provenance={str(name): str(value) for name, value in document["provenance"].items()},
    )
