"""Which vectors an int16 step reads and makes: codes, and the drives of neurons."""

from __future__ import annotations

from ltc_edge.export.c.int16.steps import Rates, Sensory, Step, Steps, Substeps
from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.scratch import Buffers, allocate
from ltc_edge.export.c.steps import Elementwise, Join, Part


def allocate_codes(steps: Steps) -> Buffers:
    """Room for every vector of codes."""
    results = (steps.action, steps.unlimited, steps.state)
    return allocate(steps.steps, reads, lambda step, read: _codes(step, steps, read), results)


def allocate_drives(steps: Steps) -> Buffers:
    """Room for the drives of neurons."""
    return allocate(steps.steps, reads, lambda step, _: _drives(step, steps), ())


def reads(step: Step) -> set[str]:
    """Tensors and constants that a step reads."""
    if isinstance(step, Repeat):
        return {step.start, step.carried, step.following} | {name for s in step.body for name in reads(s)}
    if isinstance(step, Substeps):
        pace = set() if step.pace is None else {step.pace}
        return {step.state, step.moved, step.numerator, step.denominator} | pace
    if isinstance(step, Rates):
        return {step.elapsed}
    if isinstance(step, Elementwise):
        made = {operation.output for operation in step.operations}
        return {name for operation in step.operations for name in operation.inputs} - made
    if isinstance(step, Join):
        return set(step.inputs)
    return {step.input}


def _codes(step: Step, steps: Steps, read: set[str]) -> list[tuple[str, int]]:
    """Vectors of codes that a step makes, with their lengths; what stays within a loop is none."""
    sizes = steps.sizes
    if isinstance(step, Part | Sensory):
        return []
    if isinstance(step, Substeps):
        return [(step.output, 2 * sizes[step.output])]  # sub-steps take turns between two halves
    if isinstance(step, Elementwise):
        return [(op.output, step.size) for op in step.operations if op.output in read]
    if isinstance(step, Repeat):
        inner = [made for s in step.body for made in _codes(s, steps, read)]
        return [(step.carried, sizes[step.carried]), *inner]
    return [(step.output, sizes[step.output])]


def _drives(step: Step, steps: Steps) -> list[tuple[str, int]]:
    return [(step.output, steps.sizes[step.output])] if isinstance(step, Sensory) else []
