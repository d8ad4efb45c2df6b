"""Joined operators compute what the separate ones did."""

import numpy as np
import pytest

from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.litert.fusion import fused
from ltc_edge.export.lowering import lower_floating
from ltc_edge.export.program import Slice


@pytest.mark.parametrize(
    "kind", ["ltc", "ltc exponential", "ltc rk4", "cfc", "cfc wired", "lstm", "mixed memory, ltc"]
)
def test_the_same_numbers(cases, kind):
    built = cases.controller(kind)
    program = lower_floating(built)
    other = fused(program)
    observations, spans = cases.irregular(20)
    state = np.tile(built.reset_state, (20, 1))
    one = ProgramBatch(program).tensors(observations, spans[:, None], state)
    two = ProgramBatch(other).tensors(observations, spans[:, None], state)
    assert one.keys() <= two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-12, atol=1e-12)


def test_one_dense_operation_for_each_input(cases):
    program = fused(lower_floating(cases.controller("ltc")))
    inputs = [operation.input for operation in program.dense()]
    assert len(inputs) == len(set(inputs))
    sliced = {operation.output for operation in program.operations if isinstance(operation, Slice)}
    assert not sliced & set(inputs)
