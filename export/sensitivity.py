"""What the rounding of each tensor and each weight matrix costs by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ltc_edge.export.calibration import Steps, saturating
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.plan import Sensitivity, TensorPlan
from ltc_edge.export.program import Array, Binary, Program
from ltc_edge.export.rounding import QuantizedDense
from ltc_edge.export.simulate import round8, round16, with_integer_weights

_UNFOLD = re.compile(r"unfold_\d+")


def sensitivities(
    program: Program,
    tensors: Mapping[str, TensorPlan],
    dense: Mapping[str, QuantizedDense],
    inputs: Steps,
    reset: Array,
) -> tuple[Sensitivity, ...]:
    """Every tensor and weight matrix, the costliest first.

    Args:
        program: the step in unit coordinates.
        tensors, dense: the plan's.
        inputs: what to run over, in unit coordinates.
        reset: the state to start from, ``(S,)``.
    """
    groups = list(dict.fromkeys(_group(name) for name in tensors if name not in program.constants))
    exact, *rounded = _run_tensors(program, tensors, groups, inputs, reset)
    spread = np.maximum(exact.std(axis=(0, 1)), 1e-12)

    def percent(actions: Array) -> float:
        return float((100 * np.sqrt(((actions - exact) ** 2).mean(axis=(0, 1))) / spread).max())

    results = [
        Sensitivity(group, "tensor", percent(rounded[2 * index]), percent(rounded[2 * index + 1]))
        for index, group in enumerate(groups)
    ]
    for group in dict.fromkeys(_group(name) for name in dense):
        chosen = {name: value for name, value in dense.items() if _group(name) == group}
        actions = _run(
            ProgramBatch(with_integer_weights(program, chosen), saturating(program)), inputs, reset
        )
        results.append(Sensitivity(group, "weight", None, percent(actions)))
    return tuple(sorted(results, key=lambda s: -(s.percent8 if s.percent16 is None else s.percent16)))


def _group(name: str) -> str:
    return _UNFOLD.sub("unfold_*", name)


def _run_tensors(
    program: Program, tensors: Mapping[str, TensorPlan], groups: Sequence[str], inputs: Steps, reset: Array
) -> Array:
    """Actions ``(1 + 2·G, T, E, M)``: exact, then each group in 16 and in 8 bits, all in one batch."""
    copies, episodes = 1 + 2 * len(groups), inputs.observation.shape[1]
    row_of = {group: 1 + 2 * index for index, group in enumerate(groups)}
    saturate = saturating(program)
    divisors = {each.right for each in program.operations if isinstance(each, Binary) and each.kind == "div"}

    def round_own_rows(name: str, values: Array) -> Array:
        values = saturate(name, values)
        first = row_of[_group(name)] * episodes
        own16, own8 = slice(first, first + episodes), slice(first + episodes, first + 2 * episodes)
        changed = values.copy()
        changed[own16] = round16(values[own16], tensors[name])
        changed[own8] = round8(values[own8], tensors[name])
        # In 8 bits a small denominator, or all that makes one, may be nothing: the quotient saturates then.
        return np.where(changed == 0.0, tensors[name].scale16, changed) if name in divisors else changed

    many = Steps(np.tile(inputs.observation, (1, copies, 1)), np.tile(inputs.dt, (1, copies, 1)))
    actions = _run(ProgramBatch(program, round_own_rows), many, reset)
    steps, _, channels = actions.shape
    return actions.reshape(steps, copies, episodes, channels).swapaxes(0, 1)


def _run(batch: ProgramBatch, inputs: Steps, reset: Array) -> Array:
    """Actions ``(T, E, M)`` of a free run."""
    state = np.tile(reset, (inputs.observation.shape[1], 1))
    actions = []
    for observation, dt in zip(inputs.observation, inputs.dt, strict=True):
        action, state = batch.step(observation, dt, state)
        actions.append(action)
    return np.stack(actions)
