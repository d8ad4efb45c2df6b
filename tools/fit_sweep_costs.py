"""Fit the cost models of ``ltc-edge sweep --proxy``, and check what screening before training relies on.

    python tools/fit_sweep_costs.py FOLDER... [--of-a-kind 1] [--target cortex-m4] [--measured costs.jsonl]

Below each FOLDER it looks for finished runs of ``ltc-edge train``, exports the controllers before and after
their training to both formats in C, and compiles and emulates them. It prints one JSON object: by format and
cell the coefficients of each model with its relative error where each controller is predicted from all
others, and by figure the least and the greatest change that training made. What was measured is kept in the
file of --measured, and not measured again. A controller takes some five seconds of CPU.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls
from sweep_costs.controllers import FORMATS, costs, pairs

from ltc_edge.errors import LtcEdgeError
from ltc_edge.sweep.cost_model import MODELLED, Model, traits
from ltc_edge.sweep.exported import export_format

OF = {
    "instructions": ("constant", "multiply_accumulates", "sigmoids", "divisions", "signals"),
    "flash": ("constant", "parameter_bytes", "signals"),
    "stack": ("constant", "units", "signals"),
}
LEAST = 6
"""Controllers that a model is fitted to."""


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--of-a-kind", type=int, default=1)
    parser.add_argument("--target", default="cortex-m4")
    parser.add_argument("--measured", type=Path, default=Path("sweep_costs.jsonl"))
    said = parser.parse_args()
    rows = measured(said.folders, said.of_a_kind, said.target, said.measured)
    print(json.dumps({"models": models(rows), "change_by_training": changes(rows)}, indent=1))


def measured(folders: Sequence[Path], of_a_kind: int, target: str, kept: Path) -> list[dict[str, Any]]:
    """A row for each controller and format, of those that have both figures."""
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    known = {(row["run"], row["format"]) for row in rows}
    with kept.open("a") as file:
        for pair in pairs(folders, of_a_kind):
            for form in FORMATS:
                if (str(pair.path), form) in known:
                    continue
                row = {"run": str(pair.path), "format": form, "cell": pair.trained.cell.kind}
                row["same_network"] = pair.trained.cell == pair.untrained.cell
                row["untrained"] = costs(pair.untrained, form, target)
                row["trained"] = costs(pair.trained, form, target)
                try:
                    row["traits"] = traits(export_format(pair.trained, form, None))
                except LtcEdgeError as refused:
                    row["traits"] = str(refused)
                file.write(json.dumps(row) + "\n")
                file.flush()
                rows.append(row)
    return [row for row in rows if isinstance(row["trained"], dict) and isinstance(row["untrained"], dict)]


def models(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Coefficients and errors by format, cell and figure."""
    found: dict[str, Any] = {}
    for form, cell in sorted({(row["format"], row["cell"]) for row in rows}):
        chosen = [row for row in rows if (row["format"], row["cell"]) == (form, cell)]
        if len(chosen) >= LEAST:
            found[f"{form} {cell}"] = {name: fitted(chosen, name) for name in MODELLED}
    return found


def fitted(rows: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """One model: non-negative least squares of the relative error."""
    assert set(OF[name]) <= {field.name for field in fields(Model)}
    given = np.array([[row["traits"][trait] for trait in OF[name]] for row in rows])
    true = np.array([row["trained"][name] for row in rows])
    share = given / true[:, None]

    def fit(rows: Any) -> Any:
        return nnls(share[rows], np.ones(len(share[rows])))[0]

    everyone = np.arange(len(true))
    left_out = np.array([share[row] @ fit(np.delete(everyone, row)) - 1.0 for row in everyone])
    return {
        "coefficients": {k: float(f"{v:.4g}") for k, v in zip(OF[name], fit(everyone), strict=True) if v},
        "controllers": len(rows),
        "error_rms": round(float(np.sqrt((left_out**2).mean())), 4),
        "error_most": round(float(np.abs(left_out).max()), 4),
        "range": [float(true.min()), float(true.max())],
    }


def changes(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """By format and figure, how much less and more it was after training than before, as shares."""
    found: dict[str, Any] = {}
    for form in FORMATS:
        same = [row for row in rows if row["format"] == form and row["same_network"]]
        for name in ("instructions", "flash", "ram", "stack"):
            shares = [row["trained"][name] / row["untrained"][name] - 1.0 for row in same]
            if shares:
                spread = [round(min(shares), 4), round(max(shares), 4)]
                found[f"{form} {name}"] = {"least": spread[0], "most": spread[1], "controllers": len(shares)}
    return found


if __name__ == "__main__":
    main()
