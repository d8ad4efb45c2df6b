"""An inspection in plain words: what a user reads first."""

from __future__ import annotations

from collections.abc import Iterator

from ltc_edge.evaluation.inspection.drives import COMPLETE, EARLIER
from ltc_edge.evaluation.inspection.effects import MATERIAL, Effect
from ltc_edge.evaluation.inspection.inspection import Inspection, carrier
from ltc_edge.evaluation.inspection.parts import Kind

AGREE = 0.8
"""Rank correlation from which the two measures of drives are said to agree."""

LITTLE = 0.2
"""A neuron that carries a smaller share is not said to carry it."""


def sentences(inspection: Inspection) -> Iterator[str]:
    """What drives each action and through what, what cuts cost, and whether the measures agree."""
    for action in range(len(inspection.controller.actions)):
        yield _driven(inspection, action)
    for kind in (Kind.OBSERVATION, Kind.NEURON, Kind.SYNAPSE):
        effects = inspection.effects.of(kind)
        if effects:
            yield _cuts(kind, effects)
    yield _agreement(inspection)


def percent(share: float) -> str:
    """A share for readers."""
    return f"{100 * share:.0f} %" if abs(share) >= 0.095 or share == 0 else f"{100 * share:.2g} %"


def _driven(inspection: Inspection, action: int) -> str:
    controller, drives = inspection.controller, inspection.drives
    by_gradient, by_perturbation = (
        shares[:, action] for shares in (drives.gradient_shares, drives.perturbed_shares)
    )
    top = int(by_gradient[:-1].argmax())
    name = controller.observations[top].name
    said = (
        f"{name} drives {controller.actions[action].name} most: {percent(by_gradient[top])} by integrated "
        f"gradients, {percent(by_perturbation[top])} by perturbation"
    )
    other = int(by_perturbation[:-1].argmax())
    if other != top:
        said += f" (which puts {controller.observations[other].name} first)"
    carried = carrier(inspection, top)
    if carried is not None and carried[1] >= LITTLE:
        neuron = inspection.neurons[carried[0]].neuron
        said += f"; {percent(min(carried[1], 1.0))} of that goes through {neuron.name}"
        cut = [e for e in inspection.effects.of(Kind.NEURON) if e.part == neuron]
        if cut:
            said += f", and cutting it {_loss(inspection, cut[0])}"
    elif carried is not None:
        said += "; no single neuron carries it"
    if by_gradient[-1] > by_gradient[top]:
        said += f". More than any observation of the window weighs what was seen before it ({EARLIER})"
    return f"{said}."


def _loss(inspection: Inspection, effect: Effect) -> str:
    if effect.verdict == "free" or effect.share is None or effect.share <= 0:
        return "loses nothing that shows"
    doubt = "" if effect.verdict == "costs" else ", as far as so few trials can tell"
    return f"loses {percent(min(effect.share, 1.0))} of what it gains on {inspection.arena.nothing}{doubt}"


def _cuts(kind: Kind, effects: tuple[Effect, ...]) -> str:
    counts = {verdict: sum(e.verdict == verdict for e in effects) for verdict in ("free", "costs", "unclear")}
    said = (
        f"{counts['free']} of {len(effects)} {kind}s can be cut alone without losing {percent(MATERIAL)}; "
        f"{counts['costs']} cost more"
    )
    worst = sorted((e for e in effects if e.verdict == "costs"), key=lambda e: -e.lost)[:3]
    if len(worst) < counts["costs"]:
        said += f", most {', '.join(effect.part.name for effect in worst)}"
    elif worst:
        said += f": {', '.join(effect.part.name for effect in worst)}"
    if counts["unclear"]:
        said += f"; of {counts['unclear']} so few trials cannot tell"
    return f"{said}."


def _agreement(inspection: Inspection) -> str:
    agreement = inspection.drives.agreement
    least = float(agreement.min())
    agree = "agree" if least >= AGREE else "do not agree well: what an observation does depends on the others"
    gap = inspection.drives.gap
    complete = "complete" if gap <= COMPLETE else "NOT complete, so doubt them"
    return (
        f"Gradients and perturbation {agree} (rank correlation {least:.2f}); the gradients are {complete} "
        f"(they miss {gap:.1g} of the difference)."
    )
