"""A change after training in words, for the model card and the command line."""

from __future__ import annotations

from ltc_edge.bundle.tuning import Change, Phase
from ltc_edge.training.judgement import Judgement
from ltc_edge.verification.change import ChangeResult
from ltc_edge.verification.closed_loop import three_decimals

GOALS = {"solver": "its solver", "integers": "integers"}


def changed(change: Change, cost: ChangeResult | None) -> str:
    """What was changed, what fine-tuning did, and what the task shows, as one paragraph."""
    sentences = [solver_changed(change), *(phase_done(phase) for phase in change.phases), _costs(cost)]
    return " ".join(sentence for sentence in sentences if sentence)


def solver_changed(change: Change) -> str:
    """Solver and sub-steps before and after, or nothing."""
    if not change.is_other_solver or change.unfolds is None:
        return ""
    before, after = (f"{count} sub-step{'' if count == 1 else 's'}" for count in change.unfolds)
    if change.solver is not None:
        before, after = f"{change.solver[0]} with {before}", f"{change.solver[1]} with {after}"
    return f"Solver: {before} in training, {after} here."


def phase_done(phase: Phase) -> str:
    """One phase of fine-tuning."""
    if not phase.updates:
        return (
            f"Not trained for {GOALS[phase.goal]}: their error is noise of 16-bit rounding, which no weights "
            f"would remove: {_distance(phase.before)}."
        )
    return (
        f"Fine-tuned for {GOALS[phase.goal]} by imitation of the trained controller, {phase.updates} "
        f"updates: {_distance(phase.before)} before, {_distance(phase.after)} after."
    )


def _distance(judgement: Judgement) -> str:
    errors = ", ".join(f"{kind} {100 * error:.3g} %" for kind, error in judgement.errors.items())
    told = f"RMS error over \u03c3 {errors}"
    if judgement.return_lost_percent is None:
        return told
    return f"return lost {three_decimals(judgement.return_lost_percent)} %, {told}"


def _costs(cost: ChangeResult | None) -> str:
    if cost is None:
        return "What this costs of the task was not measured."
    interval = ""
    if cost.lost_ci95 is not None:
        low, high = (three_decimals(value) for value in cost.lost_ci95)
        interval = f" ({low} to {high} %)"
    return (
        f"In floats, {cost.metric} {cost.changed:.6g} against {cost.trained:.6g} as trained: "
        f"{three_decimals(cost.lost_percent)} % lost{interval}. "
        "The formats are verified against the changed controller."
    )
