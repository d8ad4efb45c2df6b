"""A controller without some of its synapses: another wiring, and the parameters of the rest.

What a removed synapse transmitted on average is left to its target. In an LTC, a synapse of conductance w
and reversal potential E whose activation is the constant s adds w·s to the denominator and w·s·E to the
numerator of every sub-step, as a leak of conductance w·s towards E does; so the leak takes it over, exactly:

    gleak' = gleak + Σ w·s          vleak' = (gleak·vleak + Σ w·s·E) / gleak'

vleak' lies among vleak and the E, so that the proved bounds of the state still hold, and those of the time
constant get narrower. In a wired CfC the biases of the sparse heads take over weight times mean.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.cells.spec import CfCSpec, LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.inspection.parts import liquid, synapses_of, wiring_of, with_liquid
from ltc_edge.runtimes.reference import positivity
from ltc_edge.wiring import Role, Wiring


def removal_refusal(controller: Controller) -> str | None:
    """Why no synapse can be removed; None where some can."""
    if wiring_of(controller.cell) is not None:
        return None
    what = "a backbone of shared layers" if controller.cell.kind == "cfc" else "full weight matrices"
    return (
        f"a {controller.cell.kind} computes through {what}: it has no list of synapses, and a weight of zero "
        "is stored and multiplied like any other; train an ltc, or a cfc with --wiring ncp"
    )


def without_synapses(controller: Controller, removed: BoolArray, transmitted: FloatArray) -> Controller:
    """The controller without the synapses that are marked, ``(S,)`` in the order of `synapses_of`.

    Args:
        controller: an LTC or a wired CfC, with or without mixed memory.
        removed: which to remove.
        transmitted: what each transmits on average, ``(S,)``; see `Means`.

    Raises:
        InputError: the cell has no synapses.
    """
    refusal = removal_refusal(controller)
    if refusal is not None:
        raise InputError(refusal)
    cell = liquid(controller.cell)
    assert isinstance(cell, LTCSpec | CfCSpec)
    parameters = {name: array.copy() for name, array in controller.parameters.items()}
    if isinstance(cell, LTCSpec):
        _leave_to_leaks(cell, parameters, removed, transmitted)
    else:
        _leave_to_biases(cell, parameters, removed, transmitted)
    sparse = dataclasses.replace(cell, wiring=_sparse_wiring(cell, removed))
    return dataclasses.replace(controller, cell=with_liquid(controller.cell, sparse), parameters=parameters)


def _sparse_wiring(cell: LTCSpec | CfCSpec, removed: BoolArray) -> Wiring:
    wiring, synapses = cell.wiring, synapses_of(cell)
    assert wiring is not None
    sensory, recurrent = wiring.sensory.copy(), wiring.recurrent.copy()
    for index in np.flatnonzero(removed).tolist():
        adjacency = sensory if index < synapses.sensory else recurrent
        adjacency[synapses.source[index], synapses.target[index]] = 0
    return Wiring("custom", sensory, recurrent, wiring.roles)


def _leave_to_leaks(
    cell: LTCSpec, parameters: dict[str, FloatArray], removed: BoolArray, transmitted: FloatArray
) -> None:
    conductance, synapses = positivity(cell), synapses_of(cell)
    exact = {name: array.astype(np.float64) for name, array in parameters.items()}
    w = conductance(np.concatenate([exact["sensory_w"], exact["w"]]))
    erev = np.concatenate([exact["sensory_erev"], exact["erev"]])
    constant = np.where(removed, w * transmitted, 0.0)
    added = np.bincount(synapses.target, constant, cell.units)
    pulled = np.bincount(synapses.target, constant * erev, cell.units)
    before = conductance(exact["gleak"])
    after = before + added
    changed = added > 0
    gleak = after + np.log(-np.expm1(-after)) if cell.positivity == "softplus" else after
    vleak = (before * exact["vleak"] + pulled) / np.where(changed, after, 1.0)
    dtype = parameters["gleak"].dtype
    parameters["gleak"] = np.where(changed, gleak, exact["gleak"]).astype(dtype)
    parameters["vleak"] = np.where(changed, vleak, exact["vleak"]).astype(dtype)
    first = synapses.sensory
    for name in ("w", "sigma", "mu", "erev"):
        parameters[f"sensory_{name}"] = parameters[f"sensory_{name}"][~removed[:first]]
        parameters[name] = parameters[name][~removed[first:]]


def _leave_to_biases(
    cell: CfCSpec, parameters: dict[str, FloatArray], removed: BoolArray, transmitted: FloatArray
) -> None:
    """Only the heads ``ff1`` and ``ff2`` are sparse; the gates go on hearing everything."""
    synapses = synapses_of(cell)
    assert cell.wiring is not None
    order = list(Role)
    place = {int(n): k for role in Role for k, n in enumerate(cell.wiring.neurons(role))}
    for index in np.flatnonzero(removed).tolist():
        source, target = int(synapses.source[index]), int(synapses.target[index])
        layer = order.index(cell.wiring.roles[target])
        column = source if index < synapses.sensory else place[source]
        for head in (head for head in cell.heads() if head.startswith("ff")):
            weight = parameters[f"layer_{layer}_{head}_weight"]
            parameters[f"layer_{layer}_{head}_bias"][place[target]] += (
                weight[place[target], column] * transmitted[index]
            )
            weight[place[target], column] = 0.0


def without_idle_neurons(controller: Controller) -> Controller:
    """The controller without the neurons that no motor neuron hears of, and without their synapses.

    Its actions are the same. Only an LTC's: in other cells a neuron is heard by more than its synapses.
    """
    cell = controller.cell
    if not isinstance(cell, LTCSpec):
        return controller
    wiring = cell.wiring
    heard = np.array([role is Role.MOTOR for role in wiring.roles])
    while True:
        # A neuron is heard where one that is heard listens to it.
        following = heard | (wiring.recurrent[:, heard] != 0).any(axis=1)
        if (following == heard).all():
            break
        heard = following
    if heard.all():
        return controller
    sensory, recurrent = wiring.sensory_synapses, wiring.synapses
    kept = {"sensory_": heard[sensory[:, 1]], "": heard[recurrent[:, 0]] & heard[recurrent[:, 1]]}
    parameters = {name: array.copy() for name, array in controller.parameters.items()}
    for prefix, own in kept.items():
        for name in ("w", "sigma", "mu", "erev"):
            parameters[prefix + name] = parameters[prefix + name][own]
    for name in ("gleak", "vleak", "cm"):
        parameters[name] = parameters[name][heard]
    roles = tuple(role for role, own in zip(wiring.roles, heard, strict=True) if own)
    smaller = Wiring("custom", wiring.sensory[:, heard], wiring.recurrent[np.ix_(heard, heard)], roles)
    return dataclasses.replace(
        controller,
        cell=dataclasses.replace(cell, wiring=smaller),
        parameters=parameters,
        initial_state=controller.initial_state[heard],
    )
