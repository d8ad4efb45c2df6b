"""Which vectors a float32 step reads and makes."""

from __future__ import annotations

from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.scratch import Buffers, allocate
from ltc_edge.export.c.steps import (
    Elementwise,
    ExponentialSubsteps,
    Join,
    Linear,
    Part,
    Step,
    Steps,
    Substeps,
    SynapseSums,
)


def allocate_floats(steps: Steps) -> Buffers:
    """Room for every vector of a step, in floats."""
    return allocate(
        steps.steps,
        reads,
        lambda step, read: _makes(step, steps.sizes, read),
        (steps.action, steps.state),
    )


def reads(step: Step) -> set[str]:
    """Names of the vectors that a step reads."""
    if isinstance(step, Linear | Part | SynapseSums):
        return {step.input}
    if isinstance(step, Substeps):
        return {step.state, step.charge, step.rate, step.numerator, step.denominator}
    if isinstance(step, ExponentialSubsteps):
        return {step.state, step.slope, step.seconds, step.numerator, step.denominator}
    if isinstance(step, Elementwise):
        made = {operation.output for operation in step.operations}
        return {name for operation in step.operations for name in operation.inputs} - made
    if isinstance(step, Join):
        return set(step.inputs)
    return {step.start, step.carried, step.following} | {name for s in step.body for name in reads(s)}


def _makes(step: Step, sizes: dict[str, int], read: set[str]) -> list[tuple[str, int]]:
    """Vectors that a step makes, with their lengths; what stays within an elementwise loop is none."""
    if isinstance(step, Part):
        return []
    if isinstance(step, SynapseSums):
        return [(step.numerator, sizes[step.numerator]), (step.denominator, sizes[step.denominator])]
    if isinstance(step, Substeps | ExponentialSubsteps):
        return [(step.output, 2 * sizes[step.output])]  # sub-steps take turns between two halves
    if isinstance(step, Elementwise):
        return [(op.output, step.size) for op in step.operations if op.output in read]
    if isinstance(step, Repeat):
        inner = [made for s in step.body for made in _makes(s, sizes, read)]
        return [(step.carried, sizes[step.carried]), *inner]
    return [(step.output, sizes[step.output])]
