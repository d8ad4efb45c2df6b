"""Recurrent cells: what they are (`ltc_edge.cells.spec`, no torch) and how they train (the torch modules)."""

from ltc_edge.cells.spec import (
    CellSpec,
    CfCSpec,
    CTRNNSpec,
    GatedSpec,
    LTCSpec,
    MixedMemorySpec,
    spec_from_json,
    spec_to_json,
)

__all__ = [
    "CTRNNSpec",
    "CellSpec",
    "CfCSpec",
    "GatedSpec",
    "LTCSpec",
    "MixedMemorySpec",
    "spec_from_json",
    "spec_to_json",
]
