"""The JSON document of ``ltc-edge descent``."""

from __future__ import annotations

import dataclasses
from typing import Any

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.descent.curve import Curve, OverSeeds, over_seeds
from ltc_edge.evaluation.descent.peak import Peak
from ltc_edge.evaluation.descent.swept import Swept
from ltc_edge.evaluation.descent.verdict import Verdict


def sweep_document(swept: Swept) -> dict[str, Any]:
    """What was swept, and what came of each share of wrong labels."""
    subject, dimension = swept.subject, swept.dimension
    return {
        "subject": subject.name,
        "subject_sha256": subject.sha256,
        **dataclasses.asdict(swept.settings),
        "window": int(subject.train.inputs.shape[1]),
        "windows_to_draw_from": len(subject.train),
        "test_windows": len(subject.test),
        "outputs": subject.outputs,
        "labels": swept.labels,
        "d_eff": None if dimension is None else dimension.estimate.value,
        "d_eff_ci95": None if dimension is None else list(dimension.estimate.ci95),
        "d_eff_steady": None if dimension is None else dimension.steady,
        "n_d_eff": swept.n_d_eff,
        "seeds": list(swept.grid.seeds),
        "metric": "share of wrong classes" if subject.is_classes else "mean squared error / variance",
        "curves": [
            _curve(curve, verdict, swept) for curve, verdict in zip(swept.curves, swept.verdicts, strict=True)
        ],
    }


def _curve(curve: Curve, verdict: Verdict, swept: Swept) -> dict[str, Any]:
    start = verdict.interpolates_from
    return {
        "noise": curve.noise,
        "label_noise": curve.label_noise,
        "premise_met": verdict.premise_met,
        "interpolates_from_width": None if start is None else curve.widths[start],
        "double_descent": verdict.is_double_descent,
        "peak": None if verdict.peak is None else _peak(curve, verdict.peak, swept.labels),
        "verdict": verdict.words,
        "points": [_point(curve, index, swept) for index in range(len(curve.widths))],
    }


def _peak(curve: Curve, peak: Peak, labels: int) -> dict[str, Any]:
    parameters = curve.parameters[peak.index]
    return {
        "width": curve.widths[peak.index],
        "parameters": parameters,
        "parameters_per_label": parameters / labels,
        "rise": peak.rise,
        "fall": peak.fall,
        "p_value": peak.p_value,
    }


def _point(curve: Curve, index: int, swept: Swept) -> dict[str, Any]:
    document: dict[str, Any] = {
        "width": curve.widths[index],
        "parameters": curve.parameters[index],
        "parameters_per_label": curve.parameters[index] / swept.labels,
        "parameters_per_n_d_eff": None if swept.n_d_eff is None else curve.parameters[index] / swept.n_d_eff,
        **_figure("train_error", curve.summary(curve.train_error)[index], curve.train_error[index]),
        **_figure("test_error", curve.summary(curve.test_error)[index], curve.test_error[index]),
        "stopped": dict(curve.stopped[index]),
    }
    if curve.ridge_error is not None:
        document |= _figure("ridge_error", curve.summary(curve.ridge_error)[index], curve.ridge_error[index])
    if curve.lipschitz is not None:
        low, high = (over_seeds(curve.lipschitz[index, :, end], logarithmic=True).mean for end in range(2))
        document |= {"lipschitz_lower": low, "lipschitz_upper": high}
    return document


def _figure(name: str, figure: OverSeeds, values: FloatArray) -> dict[str, Any]:
    return {name: figure.mean, f"{name}_ci95": list(figure.ci95), f"{name}_of_seeds": values.tolist()}
