"""What ``ltc-edge size --json`` prints; docs/sizing.md names the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltc_edge.evaluation.sizing.dimension import Dimension, Estimate
    from ltc_edge.evaluation.sizing.learning_curve import Candidate, Curve
    from ltc_edge.evaluation.sizing.recommendation import Recommendation
    from ltc_edge.evaluation.sizing.report import Sizing
    from ltc_edge.training.options import ModelOptions


def sizing_document(sizing: Sizing) -> dict[str, Any]:
    """All that was found."""
    from ltc_edge.evaluation.sizing.law import gap_heuristic

    data = sizing.subject.data
    curve = sizing.curve
    return {
        "subject": sizing.subject.name,
        "demonstrations": sizing.subject.demonstrated,
        "kind": data.kind,
        "rows": sum(segment.rows for segment in sizing.subject.segments),
        "recordings": len(data.train.sources),
        "inputs": list(data.input_names),
        "targets": list(data.target_names),
        "outputs": data.outputs,
        "window_rows": data.window_length,
        "memory_rows": {
            name: {"rows": float(rows), "resolved": bool(resolved)}
            for name, rows, resolved in zip(
                sizing.subject.signal_names, sizing.memory.rows, sizing.memory.resolved, strict=True
            )
        },
        "independent_windows": sizing.windows,
        "dimension": _dimension_document(sizing.dimension),
        "law_of_robustness": {
            "smooth_parameters": sizing.smooth_parameters,
            "interpolating_parameters": sizing.interpolating_parameters,
            "premises": [
                {"premise": each.name, "state": each.state, "reason": each.reason} for each in sizing.premises
            ],
        },
        "learning_curve": None if curve is None else _curve_document(curve, sizing),
        "no_learning_curve": sizing.no_curve,
        "recommendations": {
            cell: _recommendation_document(found)
            | {
                "gap_heuristic": None
                if found.chosen is None
                else gap_heuristic(found.chosen.parameters, sizing.windows)
            }
            for cell, found in sizing.recommendations.items()
        },
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "ci95": list(estimate.ci95)}


def _dimension_document(found: Dimension) -> dict[str, Any]:
    return {
        "estimate": _estimate(found.estimate),
        "steady": found.steady,
        "plateau": list(found.plateau),
        "participation_ratio": _estimate(found.participation_ratio),
        "points": found.points,
        "repeated_share": found.repeated,
        "apart_rows": found.apart,
        "columns": found.columns,
        "scales": [
            {
                "order": scale.order,
                "share": scale.share,
                "radius": scale.radius,
                "two_nn": _estimate(scale.two_nn),
                "mle": _estimate(scale.mle),
                "calibrated": _estimate(scale.calibrated),
            }
            for scale in found.scales
        ],
    }


def _curve_document(curve: Curve, sizing: Sizing) -> dict[str, Any]:
    assert sizing.folds is not None
    return {
        "folds": len(sizing.folds.folds),
        "by_recording": sizing.folds.by_recording,
        "guess": curve.guess.tolist(),
        "candidates": [
            _candidate_document(each) | {"held_out": each.held_out.tolist(), "trained": each.trained.tolist()}
            for each in curve.candidates
        ],
    }


def _candidate_document(candidate: Candidate) -> dict[str, Any]:
    return {
        "cell": candidate.options.cell,
        "units": candidate.options.units,
        "synapses": candidate.synapses,
        "parameters": candidate.parameters,
    }


def _recommendation_document(found: Recommendation) -> dict[str, Any]:
    chosen = None
    if found.chosen is not None:
        chosen = _candidate_document(found.chosen) | {"train_options": train_options(found.chosen.options)}
    return {
        "outcome": found.outcome,
        "reason": found.reason,
        "settled": found.settled,
        "chosen": chosen,
        "best_units": found.best.options.units,
    }


def train_options(options: ModelOptions) -> str:
    """What to say to `train` for this network."""
    said = f"--cell {options.cell} --units {options.units}"
    if options.cell == "ltc":
        return f"{said} --wiring dense --linear-readout --solver {options.solver} --unfolds {options.unfolds}"
    if options.cell == "cfc":
        return f"{said} --wiring dense --backbone-units {options.backbone_units}"
    return said
