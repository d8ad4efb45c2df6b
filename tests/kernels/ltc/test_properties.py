"""Laws of the kernel that hold whatever the values are."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_edge import wiring
from ltc_edge.cells import LTCSpec
from ltc_edge.cells.build import build_cell
from ltc_edge.kernels import ltc
from ltc_edge.kernels.binding import SOLVERS
from ltc_edge.kernels.mode import kernel

few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**32 - 1)
solvers = pytest.mark.parametrize("solver", SOLVERS)


@solvers
@few
@given(seed=seeds, memory=st.booleans(), unfolds=st.integers(1, 3))
def test_gradients_are_finite_differences(make_case, solver, seed, memory, unfolds):
    case = make_case("ncp", 2, 3, solver=solver, memory=memory, seed=seed, unfolds=unfolds)
    cell = case.cell
    names, parameters = zip(*cell.named_parameters(), strict=True)

    def run(inputs, state, timespans, *values):
        replaced = dict(zip(names, values, strict=True))
        return torch.func.functional_call(cell, replaced, (inputs, state, timespans))

    tensors = [each.detach().clone() for each in (case.inputs, case.state, case.timespans, *parameters)]
    with kernel("fused"):
        assert torch.autograd.gradcheck(run, [each.requires_grad_() for each in tensors], fast_mode=True)


@few
@given(
    seed=seeds,
    solver=st.sampled_from(SOLVERS),
    memory=st.booleans(),
    batch=st.integers(1, 70),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_the_same_bits_for_any_number_of_threads(make_case, seed, solver, memory, batch, dtype):
    """Of the kernel: the products that torch makes of a memory's gates depend on its threads."""
    case = make_case("dense", batch, 3, solver=solver, seed=seed)
    cell, units = case.cell.to(dtype), case.cell.spec.units
    sequences = [case.inputs, case.state, case.timespans, None, None, None]
    if memory:
        generator = torch.Generator().manual_seed(seed)
        shapes = (batch, 2 * units), (batch, 3, 4 * units), (4 * units, units)
        sequences[1], *sequences[4:] = (torch.randn(shape, generator=generator) for shape in shapes)
    sequences = [None if each is None else each.to(dtype).requires_grad_() for each in sequences]
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        outputs, last = cell.run_fused(ltc.Batch(*sequences))
        wanted = [each for each in (*sequences, *cell.parameters()) if each is not None]
        gradients = torch.autograd.grad((outputs, last), wanted, (outputs.detach(), last.detach()))
        found.append((outputs, last, *gradients))
    for other in found[1:]:
        assert all(map(torch.equal, other, found[0]))


@few
@given(seed=seeds, solver=st.sampled_from(SOLVERS), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_lanes_without_a_sequence_change_nothing(make_case, seed, solver, dtype):
    """A batch beside others whose outputs nobody uses, in a tile as wide, has the same bits and gradients."""
    case = make_case("ncp", 4, 3, solver=solver, seed=seed)
    parameters = list(case.cell.to(dtype).parameters())

    def run(rows):
        inputs, state, timespans = (
            each[:rows].to(dtype) for each in (case.inputs, case.state, case.timespans)
        )
        given = [inputs.requires_grad_(), *parameters]
        with kernel("fused"):
            outputs, last = case.cell(inputs, state, timespans)
        gradient, *rest = torch.autograd.grad(outputs[:2].sum() + last[:2].sum(), given)
        return [outputs[:2], last[:2], gradient[:2], *rest]

    for alone, beside in zip(run(2), run(4), strict=True):
        assert torch.equal(alone, beside)


@pytest.mark.parametrize("solver", ["fused", "exponential"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])
@settings(max_examples=15, deadline=None)
@given(
    seed=seeds,
    log_dt=st.floats(-4.0, 3.0),
    log_input=st.floats(-2.0, 4.0),
    unfolds=st.integers(1, 6),
    positivity=st.sampled_from(["softplus", "clamp"]),
)
def test_the_state_stays_within_theorem_2(solver, dtype, seed, log_dt, log_input, unfolds, positivity):
    """In the hull of 0, the first state, the leak and the reversal potentials that a neuron hears."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    circuit = wiring.random(2, 6, 2, sparsity=0.5, seed=seed % 1000)
    cell = build_cell(LTCSpec(circuit, solver, unfolds, positivity), generator).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(10.0 ** rng.uniform(-1, 1))
    state = torch.randn(3, 6, generator=generator).to(dtype)
    inputs = 10.0**log_input * torch.randn(3, 20, 2, generator=generator).to(dtype)
    timespans = 10.0**log_dt * (0.5 + torch.rand(3, 20, generator=generator)).to(dtype)
    low, high = (f(torch.zeros(6, dtype=dtype), cell.vleak.detach()) for f in (torch.minimum, torch.maximum))
    for pairs, erev in ((circuit.synapses, cell.erev), (circuit.sensory_synapses, cell.sensory_erev)):
        targets = torch.from_numpy(pairs[:, 1].copy())
        low = low.scatter_reduce(0, targets, erev.detach(), "amin")
        high = high.scatter_reduce(0, targets, erev.detach(), "amax")
    low, high = torch.minimum(low, state), torch.maximum(high, state)
    slack = 100 * torch.finfo(dtype).eps * torch.maximum(-low, high).clamp(min=1.0)
    with torch.no_grad(), kernel("fused"):
        for t in range(20):
            _, state = cell(inputs[:, t : t + 1], state, timespans[:, t : t + 1])
            assert ((state >= low - slack) & (state <= high + slack)).all()
