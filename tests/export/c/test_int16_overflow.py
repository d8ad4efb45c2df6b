"""The proof that nothing overflows: it holds for every run, and refuses what does overflow."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.int16.emulate import run_steps
from ltc_edge.export.c.int16.files import prove_steps
from ltc_edge.export.c.int16.guard import code_guard
from ltc_edge.export.c.int16.lowering import lower_steps
from ltc_edge.export.c.int16.overflow import WORD
from ltc_edge.export.c.int16.steps import Matrix, Sensory, Substeps
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN


@pytest.fixture
def proved(lab):
    def make(kind):
        controller, plan = lab.controller(kind), lab.plan(kind)
        steps = lower_steps(controller, plan)
        guard = code_guard(controller, plan, steps)
        return steps, guard, prove_steps(steps, guard)

    return make


def test_every_tensor_stays_within_its_interval(proved, integer_kind):
    steps, guard, proof = proved(integer_kind)
    rng = np.random.default_rng(6)
    low, high = (int(code) for code in guard.dt_codes)
    sizes = {OBSERVATION: len(guard.observation_center), STATE_IN: len(guard.initial_state)}
    for _ in range(300):
        # Corners of all codes, where sums are greatest, and points between them.
        inputs = {
            name: rng.choice([-32768, 32767, 0, int(rng.integers(-32768, 32768))], size=size)
            for name, size in sizes.items()
        }
        tensors = run_steps(steps, {**inputs, DT: rng.choice([low, high], size=1)})
        for name, values in tensors.items():
            if name in proof.tensors:
                interval = proof.tensors[name]
                assert (values >= interval.low).all(), name
                assert (values <= interval.high).all(), name
    assert 0 < proof.widest[0] <= WORD
    assert proof.checked > len(tensors)


def changed(steps, kind, change):
    """Steps of which those of a kind were changed."""
    found = [step for step in steps.steps if isinstance(step, kind)]
    assert found
    return dataclasses.replace(
        steps, steps=tuple(change(step) if step is found[0] else step for step in steps.steps)
    )


def heavier(step):
    synapses = step.synapses
    weights = {"numerator": synapses.numerator, "denominator": synapses.denominator}
    more = {name: np.full_like(values, 32767) for name, values in weights.items()}
    many = dataclasses.replace(synapses, **more, weight_bits=1)
    if isinstance(step, Sensory):
        greatest = np.full_like(step.numerator_bias, 2**31 - 1 - 30_000 * 32767)
        return dataclasses.replace(step, synapses=many, numerator_bias=greatest)
    return dataclasses.replace(step, synapses=many)


def test_sums_that_might_overflow_are_refused(proved):
    steps, guard, _ = proved("ltc")
    with pytest.raises(FormatRefusedError, match=r"numerator\[\d+\] may reach \d+, beyond 32 bits"):
        prove_steps(changed(steps, Sensory, heavier), guard)


def test_a_place_that_might_lie_beyond_the_table_is_refused(proved):
    steps, guard, _ = proved("ltc dense, not affine")

    def earlier(step):
        synapses = step.synapses
        offset = synapses.offset - (synapses.offset.min() + 1)
        return dataclasses.replace(
            step, synapses=dataclasses.replace(synapses, offset=offset.astype(np.int32), clamped=False)
        )

    with pytest.raises(FormatRefusedError, match="table of sigmoids"):
        prove_steps(changed(steps, Substeps, earlier), guard)


def test_a_row_that_might_overflow_is_refused(proved):
    steps, guard, _ = proved("lstm")

    def biased(step):
        rows = dataclasses.replace(step.rows, bias=np.full_like(step.rows.bias, 2**31 - 1))
        return dataclasses.replace(step, rows=rows)

    with pytest.raises(FormatRefusedError, match="beyond 32 bits"):
        prove_steps(changed(steps, Matrix, biased), guard)
