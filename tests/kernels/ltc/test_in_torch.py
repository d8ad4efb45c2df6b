"""The kernel inside torch: compilation, transforms, copies, threads and forks."""

import copy
import io
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ltc_edge.kernels import ltc
from ltc_edge.kernels.mode import kernel

FORK = """
import os, torch
from ltc_edge import wiring
from ltc_edge.cells import LTCSpec
from ltc_edge.cells.build import build_cell
from ltc_edge.kernels.mode import kernel

torch.set_num_threads(2)
torch.manual_seed(0)
cell = build_cell(LTCSpec(wiring.dense(2, 4, 1)))
inputs = torch.randn(70, 5, 2)

def gradient():
    cell.zero_grad()
    with kernel("fused"):
        cell(inputs)[0].square().sum().backward()
    return cell.w.grad.clone()

before = gradient()
child = os.fork()
if child == 0:
    os._exit(0 if torch.equal(gradient(), before) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert torch.equal(gradient(), before)
"""


@pytest.fixture
def fused():
    with kernel("fused"):
        yield


@pytest.mark.parametrize("memory", [False, True])
def test_a_second_derivative_is_refused_with_the_remedy(make_case, memory):
    case = make_case("dense", memory=memory)
    inputs = case.inputs.requires_grad_()

    def twice(how):
        with kernel(how):
            outputs, _ = case.cell(inputs, case.state, case.timespans)
            (first,) = torch.autograd.grad(outputs.square().sum(), inputs, create_graph=True)
            return first, torch.autograd.grad(first.square().sum(), inputs)[0] if how == "torch" else None

    first, _ = twice("fused")
    expected, second = twice("torch")
    torch.testing.assert_close(first, expected, rtol=1e-10, atol=1e-12)
    assert second.abs().sum() > 0
    with pytest.raises(RuntimeError, match="no second derivative: LTC_EDGE_KERNEL=torch"):
        first.square().sum().backward()


def test_compiled_without_a_break(make_case, calls, fused):
    case = make_case("dense")
    compiled = torch.compile(case.cell, backend="aot_eager", fullgraph=True)
    inputs = case.inputs.requires_grad_()
    found = []
    for cell in (case.cell, compiled):
        outputs, last = cell(inputs, case.state, case.timespans)
        objective = outputs.square().sum() + last.sum()
        found.append([outputs, last, *torch.autograd.grad(objective, [inputs, *case.cell.parameters()])])
    assert len(calls) == 2
    for own, expected in zip(*found, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-14)


def test_compiled_with_a_gradient_of_a_parameter_alone(make_case, fused):
    case = make_case("dense", memory=True)
    cell = case.cell.requires_grad_(False)
    name, wanted = next(iter(cell.named_parameters()))
    wanted.requires_grad_()
    compiled = torch.compile(cell, backend="aot_eager", fullgraph=True)
    own, expected = (
        torch.autograd.grad(run(case.inputs, case.state, case.timespans)[0].sum(), wanted)[0]
        for run in (cell, compiled)
    )
    torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-14)
    assert expected.abs().sum() > 0, name


@pytest.mark.parametrize("memory", [False, True])
def test_the_operator_keeps_torchs_rules(make_case, memory):
    case = make_case("dense", memory=memory)
    cell = case.cell.cell if memory else case.cell
    gates = torch.ones(3, 4, 20, dtype=torch.float64) if memory else None
    recurrent = case.cell.memory_recurrent_weight if memory else None
    batch = ltc.Batch(case.inputs, case.state, case.timespans, None, gates, recurrent)
    parameters = [cell.get_parameter(name) for name in ltc.binding.NAMES]
    settings = [cell.spec.outputs, 0, cell.spec.unfolds, 1, 1]
    arguments = (*batch, parameters, cell.synapse_list, cell.sensory_list, settings, True)
    rules = ("test_schema", "test_autograd_registration", "test_faketensor")
    assert set(torch.library.opcheck(ltc.operator, arguments, test_utils=rules).values()) == {"SUCCESS"}


def test_parameters_in_the_place_of_others(make_case, fused):
    case = make_case("dense")
    other = {name: (2 * value).detach().requires_grad_() for name, value in case.cell.named_parameters()}
    outputs, _ = torch.func.functional_call(case.cell, other, (case.inputs,))
    gradients = torch.autograd.grad(outputs.sum(), list(other.values()), materialize_grads=True)
    with torch.no_grad():
        for name, parameter in case.cell.named_parameters():
            parameter.copy_(other[name])
    expected, _ = case.cell(case.inputs)
    expected.sum().backward()
    assert torch.equal(outputs, expected)
    for own, parameter in zip(gradients, case.cell.parameters(), strict=True):
        assert torch.equal(own, parameter.grad)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_transforms_go_through_torch(make_case, calls, fused):
    """Their first use in a process compiles what torch has for them, with a warning of its own."""
    case = make_case("dense")
    with torch.no_grad():
        expected, _ = case.cell(case.inputs)
    assert len(calls) == 1

    def first(inputs):
        return case.cell(inputs.unsqueeze(0))[0][0]

    mapped = torch.func.vmap(first)(case.inputs)
    torch.testing.assert_close(mapped, expected, rtol=1e-12, atol=1e-14)
    direction = torch.ones_like(case.inputs)
    _, slope = torch.func.jvp(lambda x: case.cell(x)[0], (case.inputs,), (direction,))
    step = 1e-6
    with kernel("torch"), torch.no_grad():
        ahead, behind = (case.cell(case.inputs + sign * step * direction)[0] for sign in (1, -1))
    torch.testing.assert_close(slope, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-7)
    assert len(calls) == 1


def test_copies_compute_the_same(make_case, calls, fused):
    case = make_case("dense")
    file = io.BytesIO()
    torch.save(case.cell, file)
    file.seek(0)
    copies = [
        copy.deepcopy(case.cell),
        pickle.loads(pickle.dumps(case.cell)),
        torch.load(file, weights_only=False),
    ]
    with torch.no_grad():
        outputs, last = case.cell(case.inputs, case.state)
        for each in copies:
            own, own_last = each(case.inputs, case.state)
            assert torch.equal(own, outputs)
            assert torch.equal(own_last, last)
    assert len(calls) == 4


def test_several_threads_of_python_at_once(make_case):
    torch.set_num_threads(2)
    cases = [make_case("dense", batch=20, length=9, seed=seed) for seed in range(4)]
    expected = [case.results(torch.float32, "fused") for case in cases]
    with kernel("fused"), ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            found = list(pool.map(lambda case: case.results(torch.float32, "fused"), cases))
            for own, value in zip(found, expected, strict=True):
                assert all(torch.equal(own[name], value[name]) for name in value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU, torch's autograd does not outlive a fork")
def test_a_fork_after_threads():
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
