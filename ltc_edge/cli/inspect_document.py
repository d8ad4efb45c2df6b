"""What ``ltc-edge inspect --json`` prints; docs/inspection.md names the keys."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ltc_edge.evaluation.inspection.dense_circuit import drawable_circuit
from ltc_edge.evaluation.inspection.drives import EARLIER
from ltc_edge.evaluation.inspection.words import sentences

if TYPE_CHECKING:
    from ltc_edge.evaluation.inspection.effects import Effect
    from ltc_edge.evaluation.inspection.inspection import Inspection
    from ltc_edge.evaluation.inspection.neurons import NeuronActivity


def inspection_document(inspection: Inspection) -> dict[str, Any]:
    """Words first, then every figure."""
    effects = inspection.effects
    circuit = drawable_circuit(inspection.controller)
    return {
        "words": list(sentences(inspection)),
        "cell": inspection.controller.cell.kind,
        "wiring": circuit.summary,
        "synapses": len(circuit.synapses),
        "parameters_effective": inspection.controller.parameters_effective(),
        "trials": inspection.arena.trials,
        "score": inspection.arena.score,
        "score_mean": float(effects.whole.mean()),
        "baseline_mean": float(effects.baseline.mean()),
        "neurons": [_neuron_document(inspection, neuron) for neuron in inspection.neurons],
        "drives": _drives_document(inspection),
        "cuts": [_effect_document(effect) for effect in effects.effects],
    }


def _neuron_document(inspection: Inspection, activity: NeuronActivity) -> dict[str, Any]:
    observations = inspection.controller.observations
    through = inspection.drives.through[:, activity.neuron.index]
    time = activity.time
    return {
        "name": activity.neuron.name,
        "role": activity.neuron.role,
        "mean": activity.mean,
        "std": activity.std,
        "low": activity.low,
        "high": activity.high,
        "time_constant_s": None if time is None else dataclasses.asdict(time) | {"used": time.used},
        "through": {o.name: float(share) for o, share in zip(observations, through, strict=True)},
    }


def _drives_document(inspection: Inspection) -> dict[str, Any]:
    drives, controller = inspection.drives, inspection.controller
    sources = [*(signal.name for signal in controller.observations), EARLIER]
    actions = {}
    for m, action in enumerate(controller.actions):
        actions[action.name] = {
            "integrated_gradients": dict(zip(sources, drives.gradient_shares[:, m].tolist(), strict=True)),
            "perturbation": dict(zip(sources, drives.perturbed_shares[:, m].tolist(), strict=True)),
            "rank_correlation": float(drives.agreement[m]),
        }
    return {"explained": len(drives.difference), "gap": drives.gap, "actions": actions}


def _effect_document(effect: Effect) -> dict[str, Any]:
    return {
        "kind": str(effect.part.kind),
        "name": effect.part.name,
        "lost": effect.lost,
        "lost_ci95": list(effect.lost_ci95),
        "lost_share": effect.share,
        "worst": effect.worst,
        "verdict": effect.verdict,
    }
