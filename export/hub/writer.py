"""The hub: a controller as one ONNX file from which every other format is made.

One step is a chain of ``ltc_edge`` stages, each a model-local function over standard operators, so that
any runtime can execute the file and our writers can read the constants back. ``docs/onnx-domain.md``
specifies it; `ltc_edge.export.hub.reader` is its inverse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import onnx
from onnx import helper

from ltc_edge.cells.spec import CfCSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.export.hub.functions import functions
from ltc_edge.export.hub.graph import main_graph
from ltc_edge.export.hub.stages import (
    DOMAIN,
    DOMAIN_VERSION,
    FORMAT,
    IR_VERSION,
    METADATA_KEY,
    OPSET,
    SCHEMA_VERSION,
    hub_controller,
)
from ltc_edge.version import __version__

NO_DIGEST = "0" * 64
"""Stands in for the sha256 of a file while the sha256 is computed."""


def hub_bytes(controller: Controller) -> bytes:
    """The hub's file; the same controller gives the same bytes.

    Raises:
        InputError: a number of the controller is beyond float32.
    """
    content: bytes = _model(hub_controller(controller)).SerializeToString(deterministic=True)
    found = hashlib.sha256(content).hexdigest()
    # Of equal length, so nothing else in the file changes. The key is part of the pattern, for a name may
    # be made of zeros too.
    blank, filled = (f'"sha256": "{digits}"'.encode() for digits in (NO_DIGEST, found))
    return content.replace(blank, filled, 1)


def hub_model(controller: Controller) -> onnx.ModelProto:
    """The hub as a model.

    Raises:
        InputError: a number of the controller is beyond float32.
    """
    return onnx.ModelProto.FromString(hub_bytes(controller))


def _model(controller: Controller) -> onnx.ModelProto:
    model = helper.make_model(
        main_graph(controller),
        functions=functions(controller),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, DOMAIN_VERSION)],
        ir_version=IR_VERSION,
        producer_name="ltc-edge",
        producer_version=__version__,
        domain=DOMAIN,
        doc_string=f"{controller.name}: one step of a controller; state_out is the next step's state_in.",
    )
    document = json.dumps(metadata(controller), sort_keys=True, allow_nan=False, ensure_ascii=True)
    readable = {
        "observations": _listed(controller.observations),
        "actions": _listed(controller.actions),
        "period": f"{controller.timing.period_s:g} s",
        METADATA_KEY: document,
    }
    for key, value in readable.items():
        model.metadata_props.add(key=key, value=value)
    return model


def metadata(controller: Controller) -> dict[str, Any]:
    """The JSON document: what the graph does not hold."""
    cell = controller.cell.cell if isinstance(controller.cell, MixedMemorySpec) else controller.cell
    document: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "library": f"ltc-edge {__version__}",
        "name": controller.name,
        "purpose": controller.purpose,
        "period_s": controller.timing.period_s,
        "observations": [{"name": s.name, "unit": s.unit} for s in controller.observations],
        "actions": [{"name": s.name, "unit": s.unit} for s in controller.actions],
        "initial_state": controller.initial_state.tolist(),
        "fallback": controller.fallback.tolist(),
        "provenance": dict(controller.provenance),
        "sha256": NO_DIGEST,
    }
    if isinstance(cell, LTCSpec):
        wiring = cell.wiring
        document["affine"] = cell.affine
        document["wiring"] = {
            "kind": wiring.kind,
            "roles": [str(role) for role in wiring.roles],
            "seed": wiring.seed,
            "polarity": wiring.recurrent[tuple(wiring.synapses.T)].tolist(),
            "sensory_polarity": wiring.sensory[tuple(wiring.sensory_synapses.T)].tolist(),
        }
    elif isinstance(cell, CfCSpec) and cell.wiring is not None:
        document["wiring"] = cell.wiring.to_json()
    return document


def _listed(signals: Sequence[Any]) -> str:
    return ", ".join(f"{s.name} [{s.unit}]" if s.unit else s.name for s in signals)
