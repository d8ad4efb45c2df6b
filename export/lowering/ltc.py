"""An LTC as vector operations, in two forms: `ltc_floating` and, for integers, `ltc_unit`.

With synapses listed as (source, target), every sub-step starts with ``s = σ(sigma·(v[source] − mu))``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.cells.spec import BOUNDED_SOLVERS, LTCSpec
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.lowering.ltc_floating import floating_ltc
from ltc_edge.export.lowering.ltc_synapses import Constants
from ltc_edge.export.lowering.ltc_unit import unit_ltc
from ltc_edge.export.ltc_bounds import effective_parameters
from ltc_edge.export.program import Affine, Array, ProgramBuilder, Signal


def lower_ltc(
    builder: ProgramBuilder,
    spec: LTCSpec,
    parameters: Mapping[str, Array],
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine | None,
    conductance: Array | None,
) -> tuple[Signal, str]:
    """One step of an LTC.

    Args:
        builder: collects the operations.
        spec: the cell.
        parameters: its parameters, in float64.
        z: normalised inputs ``(I,)``.
        t: elapsed time in the cell's units ``(1,)``.
        state: the state ``(N,)``.
        unit: coordinates of the next state for the unit form, or None for the floating form.
        conductance: for the unit form, what counts as each neuron's greatest conductance, ``(N,)``.

    Returns:
        The cell's outputs, and the tensor of the next state in the coordinates asked for.

    Raises:
        FormatRefusedError: there is a list of no synapses, or the unit form is asked of an explicit solver
            or divides by too little.
    """
    if not (len(spec.wiring.synapses) and len(spec.wiring.sensory_synapses)):
        raise FormatRefusedError(
            "no-synapses", "an LTC without synapses between its neurons, or from its inputs, has no such form"
        )
    p = effective_parameters(spec, parameters)
    constants = Constants(spec, p)
    if unit is not None and conductance is not None:
        if spec.solver not in BOUNDED_SOLVERS:
            raise FormatRefusedError(
                "explicit-solver",
                f"an LTC with the {spec.solver} solver has no bounded integer form; fused and exponential "
                "have",
            )
        following = unit_ltc(builder, constants, z, t, state, unit, conductance)
    else:
        following = floating_ltc(builder, constants, z, t, state)
    center, span = (np.zeros(spec.units), np.ones(spec.units)) if unit is None else (unit.center, unit.span)
    with builder.stage("output"):
        motor = (
            following if spec.outputs == spec.units else builder.slice("motor", following, 0, spec.outputs)
        )
    gain, shift = p.get("output_w", np.ones(spec.outputs)), p.get("output_b", np.zeros(spec.outputs))
    outputs = Signal(motor, gain * center[: spec.outputs] + shift, gain * span[: spec.outputs])
    return outputs, following
