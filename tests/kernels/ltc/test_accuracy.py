"""The kernel against torch in float64, differentiated by autograd, and against ncps 1.0.1."""

import warnings

import numpy as np
import pytest
import torch

from ltc_edge import import_ncps
from ltc_edge.cells.build import build_cell, load_cell_arrays
from ltc_edge.kernels import ltc
from ltc_edge.kernels.binding import SOLVERS
from ltc_edge.kernels.library import instruction_set, instruction_sets
from ltc_edge.kernels.mode import kernel

DTYPES = (torch.float32, torch.float64)
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=["f32", "f64"])
solvers = pytest.mark.parametrize("solver", SOLVERS)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("positivity", ["softplus", "clamp"])
@solvers
def test_every_solver_and_option(make_case, solver, positivity, affine):
    case = make_case(solver=solver, positivity=positivity, affine=affine, batch=9)
    for dtype in DTYPES:
        case.check(dtype)


@pytest.mark.parametrize("unfolds", range(1, 7))
@pytest.mark.parametrize("wires", ["ncp", "dense", "random"])
def test_every_wiring_and_number_of_unfolds(make_case, wires, unfolds):
    solver = SOLVERS[unfolds % 2]
    make_case(wires, solver=solver, unfolds=unfolds, timespans=unfolds > 3).check(DTYPES[unfolds % 2])


@dtypes
@pytest.mark.parametrize("batch", [1, 3, 8, 9, 17, 33])
def test_batches_of_one_tile_and_of_several(make_case, batch, dtype):
    make_case("dense", batch=batch, length=2).check(dtype)


@dtypes
@pytest.mark.parametrize("length", [0, 1, 2, 17])
def test_lengths(make_case, length, dtype):
    make_case(length=length).check(dtype)


@dtypes
def test_no_state_is_the_zero_state(make_case, dtype):
    make_case(state=None).check(dtype)


@dtypes
@solvers
def test_forced_states(make_case, solver, dtype):
    make_case("dense", solver=solver, forced=True).check(dtype)


@pytest.mark.parametrize("forced", [False, True])
@dtypes
@solvers
def test_mixed_memory(make_case, solver, dtype, forced):
    make_case("dense", solver=solver, memory=True, forced=forced).check(dtype)


@dtypes
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_gradients_of_outputs_alone_and_of_the_last_state_alone(make_case, weights, dtype):
    case = make_case()
    found = case.results(dtype, "fused", weights)
    expected = case.results(torch.float64, "torch", weights)
    for name, value in expected.items():
        torch.testing.assert_close(found[name].double(), value, rtol=1e-4, atol=1e-6)


def test_every_instruction_set(make_case):
    case = make_case(batch=17)
    sets = instruction_sets(ltc.library())
    assert sets
    for name in sets:
        with instruction_set(ltc.library(), name):
            for dtype in DTYPES:
                case.check(dtype)


@pytest.mark.parametrize("options", [{}, {"solver": "rk4"}, {"memory": True}, {"forced": True}], ids=str)
@dtypes
def test_steps_computed_again_give_the_bits_of_a_trace_that_was_kept(make_case, monkeypatch, options, dtype):
    case = make_case("dense", batch=9, length=37, **options)
    kept = case.results(dtype, "fused")
    monkeypatch.setattr(ltc, "MOST_TRACE_BYTES", 0)
    again = case.results(dtype, "fused")
    for name, value in kept.items():
        assert torch.equal(again[name], value), name


@pytest.mark.parametrize("implicit", [True, False], ids=["softplus", "clamp"])
def test_ncps(implicit, calls):
    """Gradients too: ncps holds synapses as matrices, which autograd differentiates."""
    from ltc_edge import NcpsOptions

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ncps_torch = pytest.importorskip("ncps.torch", reason="ncps is not installed (extra: dev)")
        wirings = pytest.importorskip("ncps.wirings")
    torch.manual_seed(0)
    module = ncps_torch.LTC(3, wirings.AutoNCP(9, 2), implicit_param_constraints=implicit).double()
    options = NcpsOptions(positivity="softplus" if implicit else "clamp")
    controller = import_ncps(module.state_dict(), options=options)
    cell = build_cell(controller.cell).double()
    load_cell_arrays(cell, {name: controller.parameters[name] for name in cell.spec.parameter_shapes()})
    inputs = torch.randn(4, 7, 3, dtype=torch.float64)
    with kernel("fused"):
        outputs, last = cell(inputs)
    assert calls
    expected, expected_last = module(inputs)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(last, expected_last, rtol=0, atol=1e-13)
    (outputs.square().sum() + last.sum()).backward()
    (expected.square().sum() + expected_last.sum()).backward()
    pairs = {"": cell.spec.wiring.synapses.T, "sensory_": cell.spec.wiring.sensory_synapses.T}
    for name, own in cell.named_parameters():
        theirs = module.rnn_cell.get_parameter(name).grad
        if own.shape != theirs.shape:
            theirs = theirs[tuple(map(np.asarray, pairs["sensory_" if "sensory" in name else ""]))]
        torch.testing.assert_close(own.grad, theirs, rtol=1e-10, atol=1e-12)
