"""What the kernel does with odd tensors, odd numbers and odd wirings: as torch, or a clear refusal."""

import itertools
import math

import numpy as np
import pytest
import torch

from ltc_edge.cells.build import build_cell
from ltc_edge.cells.spec import MAX_UNFOLDS
from ltc_edge.kernels import ltc
from ltc_edge.kernels.binding import BAD_TIMESPAN, SOLVERS
from ltc_edge.kernels.library import instruction_set, instruction_sets
from ltc_edge.kernels.mode import kernel

solvers = pytest.mark.parametrize("solver", SOLVERS)
ways = pytest.mark.parametrize("how", ["fused", "torch"])
NAN = math.nan


def plain(case, dtype=torch.float64, how="fused", **changes):
    """Outputs and last state without gradients."""
    tensors = {name: getattr(case, name) for name in ("inputs", "state", "timespans")} | changes
    with torch.no_grad(), kernel(how):
        cell = build_cell(case.cell.spec).to(dtype)
        cell.load_state_dict(case.cell.state_dict())
        return cell(*(None if each is None else each.to(dtype) for each in tensors.values()))


def test_tensors_that_are_not_contiguous(make_case):
    case = make_case("dense", batch=5, length=4)
    expected = plain(case)
    views = {
        "inputs": case.inputs.transpose(0, 1).contiguous().transpose(0, 1),
        "state": case.state.T.contiguous().T,
        "timespans": torch.stack([case.timespans, case.timespans], dim=-1)[..., 0],
    }
    assert not any(each.is_contiguous() for each in views.values())
    for found, value in zip(plain(case, **views), expected, strict=True):
        assert torch.equal(found, value)
    spread = case.inputs[:1].expand(5, -1, -1)
    for found, value in zip(plain(case, inputs=spread), plain(case, inputs=spread.clone()), strict=True):
        assert torch.equal(found, value)


def test_no_sequences(make_case):
    make_case("dense", batch=0).check()


@pytest.mark.parametrize("alone", ["inputs", "state", "timespans", "w", "sensory_mu", "output_b"])
def test_a_gradient_wanted_of_one_tensor_alone(make_case, alone):
    case = make_case("dense")
    expected = case.results(torch.float64, "fused", (1.0, 0.0))[f"gradient of {alone}"]
    cell = case.cell.requires_grad_(False)
    if alone in dict(cell.named_parameters()):
        wanted = cell.get_parameter(alone).requires_grad_()
    else:
        wanted = getattr(case, alone).requires_grad_()
    with kernel("fused"):
        outputs, _ = cell(case.inputs, case.state, case.timespans)
    weight = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1)).double()
    (outputs * weight).sum().backward()
    assert torch.equal(wanted.grad, expected)
    others = [case.inputs, case.state, case.timespans, *cell.parameters()]
    assert all(each.grad is None for each in others if each is not wanted)


def test_nothing_is_kept_where_no_gradient_is_wanted(make_case):
    case = make_case("dense")
    case.cell.requires_grad_(False)
    with kernel("fused"):
        outputs, last = case.cell(case.inputs, case.state, case.timespans)
    assert not outputs.requires_grad
    assert not last.requires_grad
    for found, value in zip((outputs, last), plain(case), strict=True):
        assert torch.equal(found, value)


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FC00001, 0xFFC12345, 0x7F800001], ids=hex)
@pytest.mark.parametrize("memory", [False, True])
@solvers
def test_nan_stays_in_its_sequence_and_stays_nan(make_case, solver, memory, bits):
    """Whatever the payload, which an exponential by integer arithmetic could take for a number."""
    case = make_case("dense", batch=4, length=5, solver=solver, memory=memory)
    nan = torch.from_numpy(np.array([bits], np.uint32).view(np.float32))
    for name in ("inputs", "state"):
        spoilt = getattr(case, name).float().clone()
        spoilt[(1, 2) if name == "inputs" else 1] = nan
        sets = instruction_sets(ltc.library())
        for each in sets:
            with instruction_set(ltc.library(), each):
                clean = plain(case, torch.float32)
                outputs, last = plain(case, torch.float32, **{name: spoilt})
            first = 2 if name == "inputs" else 0
            assert outputs[1, first:].isnan().all()
            assert last[1].isnan().all()
            others = [0, 2, 3]
            assert torch.equal(outputs[others], clean[0][others])
            assert torch.equal(last[others], clean[1][others])
            assert torch.equal(outputs[1, :first], clean[0][1, :first])


def test_nan_stays_in_its_sequence_on_the_way_back(make_case):
    case = make_case("dense", batch=4, length=5)
    clean = case.results(torch.float32, "fused")["gradient of inputs"]
    case.inputs[1, 2] = NAN
    found = case.results(torch.float32, "fused")
    assert torch.equal(found["gradient of inputs"][[0, 2, 3]], clean[[0, 2, 3]])
    assert found["gradient of inputs"][1, :3].isnan().all()
    assert found["gradient of w"].isnan().all()


@pytest.mark.parametrize("solver", ["fused", "exponential"])
@pytest.mark.parametrize("name", ["state", "vleak"])
def test_nan_in_one_place_hides_no_large_number_in_another(make_case, name, solver):
    """The kernel spares itself the limits of the exponential where all numbers are small."""
    case = make_case("dense", batch=3, length=2, solver=solver)
    if name == "state":
        case.state[0], case.state[1] = 1e4, NAN
    else:
        case.state[0] = 1e4
        with torch.no_grad():
            case.cell.vleak[0] = NAN
    found, expected = plain(case, torch.float32), plain(case, how="torch")
    for own, value in zip(found, expected, strict=True):
        torch.testing.assert_close(own.double(), value, rtol=1e-4, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])
def test_inputs_beyond_all_bounds_saturate(make_case, sign, dtype):
    """Infinity too, which torch's matrix products multiply by zeros."""
    case = make_case("dense", batch=3)
    case.inputs[1, 1, 0] = sign * 1e6
    expected = plain(case, how="torch")
    for size in (1e6, 1e30, math.inf):
        case.inputs[1, 1, 0] = sign * size
        for own, value in zip(plain(case, dtype), expected, strict=True):
            torch.testing.assert_close(own.double(), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("span", [0.0, -0.0, -0.1, NAN, -math.inf])
@pytest.mark.parametrize("memory", [False, True])
@ways
def test_time_does_not_stand_nor_go_back(make_case, how, memory, span):
    case = make_case("dense", memory=memory)
    plain(case)
    case.timespans[1, 2] = span
    for grad, dtype in itertools.product((False, True), (torch.float32, torch.float64)):
        with pytest.raises(ValueError) as refused:  # noqa: PT011
            case.results(dtype, how) if grad else plain(case, dtype, how)
        assert str(refused.value) == BAD_TIMESPAN


@pytest.mark.parametrize("span", [1e-30, 1e30, math.inf])
@pytest.mark.parametrize("solver", ["fused", "exponential"])
def test_spans_of_almost_no_time_and_of_almost_all(make_case, solver, span):
    case = make_case("dense", solver=solver)
    case.timespans[:] = span
    for own, expected in zip(plain(case, torch.float32), plain(case, how="torch"), strict=True):
        torch.testing.assert_close(own.double(), expected, rtol=1e-5, atol=1e-6)


WRONG = {
    "inputs": ((3, 4, 2), "inputs have shape"),
    "state": ((2, 5), "state has shape"),
    "timespans": ((3, 5), "timespans have shape"),
    "forced": ((3, 4, 4), "forced has shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_shapes_are_refused_alike(make_case, name):
    case = make_case("dense", forced=True)
    tensors = {each: getattr(case, each) for each in WRONG}
    case.check()
    shape, message = WRONG[name]
    tensors[name] = torch.ones(shape, dtype=torch.float64)
    said = []
    for how in ("fused", "torch"):
        with pytest.raises(ValueError, match=message) as refused, kernel(how):
            case.cell(**tensors)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_precisions_that_differ_go_through_torch(make_case, calls):
    case = make_case("dense")
    case.inputs.copy_(case.inputs.float())
    expected = plain(case, state=None)
    assert len(calls) == 1
    with kernel("fused"), torch.no_grad():
        found = case.cell(case.inputs.float(), None, case.timespans)
    assert len(calls) == 1
    for own, value in zip(found, expected, strict=True):
        torch.testing.assert_close(own, value, rtol=1e-12, atol=1e-14)


LINKS = {
    "no recurrent synapses": (np.ones((2, 4)), np.zeros((4, 4))),
    "no sensory synapses": (np.zeros((2, 4)), np.ones((4, 4))),
    "no synapses": (np.zeros((2, 4)), np.zeros((4, 4))),
    "a neuron that hears nobody": (np.eye(2, 4), np.eye(4, k=1)),
    "a neuron that tells nobody": (np.eye(2, 4), np.eye(4, k=-1)),
}


@pytest.mark.parametrize("links", LINKS)
@solvers
def test_wirings_that_lack_something(make_case, custom_wiring, links, solver):
    case = make_case(custom_wiring(*LINKS[links]), solver=solver)
    for dtype in (torch.float32, torch.float64):
        case.check(dtype)


def test_as_many_unfolds_as_a_cell_may_have(make_case):
    case = make_case("dense", batch=2, length=1, unfolds=MAX_UNFOLDS)
    found, expected = (case.results(torch.float64, how) for how in ("fused", "torch"))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-12, msg=name)


def test_no_capacitance_at_all(make_case):
    """Clamped to zero, a neuron of the fused solver is where it settles."""
    case = make_case("dense", positivity="clamp")
    with torch.no_grad():
        case.cell.cm.zero_()
    case.check()
