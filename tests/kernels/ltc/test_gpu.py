"""The kernel for GPUs: on one where there is one, otherwise as Triton's interpreter runs it.

The interpreter does not check types as the compiler does, so that the passes are compiled for a GPU as well,
for which none is needed.
"""

import importlib
import importlib.util
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge import wiring
from ltc_edge.cells import fused
from ltc_edge.errors import KernelError
from ltc_edge.kernels import mode
from ltc_edge.kernels.binding import SOLVERS
from ltc_edge.kernels.gpu.rows import MOST_PLACES, fits_with_memory, rows, tables
from ltc_edge.kernels.mode import kernel

DTYPES = (torch.float32, torch.float64)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ltc_edge.kernels.gpu import passes

constants = {"unfolds": 2, "is_forced": True, "traced": True, "padded": 16, "width": 8}
for function in (passes.forward, passes.backward):
    for number, solver, memory in (("fp32", 0, True), ("fp64", 1, False)):
        values = {**constants, "solver": solver, "memory": memory}
        def kind(name):
            if name in values:
                return "constexpr"
            if not name.endswith("_ptr"):
                return "i32"
            return "*i32" if name in ("slots_ptr", "ends_ptr") else f"*{number}"
        names = function.arg_names
        fixed = {(i,): values[name] for i, name in enumerate(names) if name in values}
        source = ASTSource(function, {name: kind(name) for name in names}, fixed)
        made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 1})
        assert made.asm["cubin"]
"""


@pytest.fixture
def gpu(monkeypatch, calls):
    """The device for `Case.results` on which LTCs run by this kernel; its launches count as calls."""
    if importlib.util.find_spec("triton") is None:
        calls.append("nothing can be called")
        pytest.skip("Triton is not installed (pip install triton)")
    if DEVICE == "cpu":
        monkeypatch.setattr(fused, "_CPU", "none")
        monkeypatch.setattr(fused, "_GPU", "cpu")
    passes = importlib.import_module("ltc_edge.kernels.gpu.passes")
    forward = passes.forward

    class Counted:
        def __getitem__(self, grid):
            calls.append(grid)
            return forward[grid]

    monkeypatch.setattr(passes, "forward", Counted())
    return DEVICE


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver(make_case, gpu, solver):
    case = make_case("random", 2, 2, solver=solver, unfolds=2)
    for dtype in DTYPES:
        case.check(dtype, gpu)


@pytest.mark.parametrize("forced", [False, True])
def test_mixed_memory(make_case, gpu, forced):
    case = make_case("random", 2, 3, memory=True, forced=forced, unfolds=1)
    for dtype in DTYPES:
        case.check(dtype, gpu)


@pytest.mark.parametrize("positivity", ["softplus", "clamp"])
def test_forced_states_and_no_timespans(make_case, gpu, positivity):
    case = make_case("dense", 2, 2, forced=True, timespans=False, positivity=positivity, unfolds=1)
    case.check(torch.float64, gpu)


def test_no_state_and_no_affine_maps(make_case, gpu):
    make_case("ncp", 2, 1, state=None, affine=False, unfolds=1).check(torch.float64, gpu)


@pytest.mark.parametrize(("batch", "length"), [(0, 2), (2, 0), (1, 1)])
def test_hardly_anything(make_case, gpu, calls, batch, length):
    make_case("ncp", batch, length, unfolds=1).check(torch.float64, gpu)
    calls.append("where there is nothing to run, nothing is launched")


def test_more_sequences_than_programs(make_case, gpu, monkeypatch):
    from ltc_edge.kernels.gpu import rollout

    monkeypatch.setattr(rollout, "MOST_PROGRAMS", 2)
    case = make_case("random", 5, 2, unfolds=1)
    case.check(torch.float64, gpu)
    found = [case.results(torch.float32, "fused", device=gpu) for _ in range(2)]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_nan_stays_in_its_sequence(make_case, gpu):
    case = make_case("random", 2, 2, unfolds=1)
    case.inputs[0, 1] = float("nan")
    outputs = case.results(torch.float32, "fused", device=gpu)["outputs"]
    assert outputs[0, 1].isnan().all()
    assert outputs[0, 0].isfinite().all()
    assert outputs[1].isfinite().all()


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_a_timespan_that_is_not_above_zero(make_case, gpu, calls, bad):
    case = make_case("random", 2, 2)
    case.timespans[1, 0] = bad
    with pytest.raises(ValueError, match="timespans must be above 0"):
        case.results(torch.float32, "fused", device=gpu)
    calls.append("refused before")


@pytest.mark.parametrize("odd", ["no synapse", "no inputs to a neuron"])
def test_sparse_wirings(make_case, gpu, custom_wiring, odd):
    sensory = np.ones((3, 3), int)
    recurrent = np.zeros((3, 3), int)
    if odd == "no inputs to a neuron":
        sensory[:, 1] = 0
        recurrent[2, 0] = recurrent[0, 2] = -1
    case = make_case(custom_wiring(sensory, recurrent), 2, 2, unfolds=2)
    case.check(torch.float64, gpu)


def test_there_is_no_second_derivative(make_case, gpu):
    case = make_case("random", 1, 1, unfolds=1)
    inputs = case.inputs.to(gpu).requires_grad_()
    with kernel("fused"):
        outputs, _ = case.cell.to(gpu)(inputs)
        gradient = torch.autograd.grad(outputs.sum(), inputs, create_graph=True)[0]
        with pytest.raises(RuntimeError, match="no second derivative: LTC_EDGE_KERNEL=torch"):
            gradient.square().sum().backward()


def test_compiled_without_a_break(make_case, gpu, calls):
    case = make_case("random", 2, 1, unfolds=1)
    cell, inputs = case.cell.to(gpu), case.inputs.to(gpu)
    compiled = torch.compile(cell, backend="aot_eager", fullgraph=True)
    with kernel("fused"):
        found = []
        for run in (cell, compiled):
            outputs, last = run(inputs, case.state.to(gpu))
            gradients = torch.autograd.grad(outputs.square().sum() + last.sum(), list(cell.parameters()))
            found.append([outputs, last, *gradients])
    assert len(calls) == 2
    for own, expected in zip(*found, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-14)


def test_the_passes_compile_for_a_gpu():
    pytest.importorskip("triton", reason="Triton is not installed (pip install triton)")
    environment = {**os.environ, "TRITON_INTERPRET": "0"}
    command = [sys.executable, "-c", COMPILE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), units=st.integers(1, 20), side=st.sampled_from([0, 1]))
def test_rows_hold_every_synapse_once(seed, units, side):
    matrix = np.random.default_rng(seed).random((units, units)) < 0.3
    pairs = np.argwhere(matrix)
    found = rows(pairs, units, side)
    assert found.slots.shape == found.ends.shape
    assert all(size & (size - 1) == 0 and size > 0 for size in found.slots.shape)
    row, place = np.nonzero(found.slots >= 0)
    slots = found.slots[row, place]
    assert sorted(slots) == list(range(len(pairs)))
    assert (pairs[slots, side] == row).all()
    assert (pairs[slots, 1 - side] == found.ends[row, place]).all()


def test_what_is_too_large_goes_through_torch():
    side = int(MOST_PLACES**0.5)
    assert tables(wiring.dense(1, side, 1)) is not None
    assert tables(wiring.dense(1, side + 1, 1)) is None
    assert fits_with_memory(side // 2)
    assert not fits_with_memory(side // 2 + 1)


def test_without_triton(monkeypatch, caplog):
    monkeypatch.setattr(mode.importlib.util, "find_spec", lambda _: None)
    mode._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, "ltc_edge"), kernel("auto"):
        assert not mode.has_gpu_kernel()
        assert not mode.has_gpu_kernel()
    assert [record.message for record in caplog.records] == [
        "training on the GPU without its fused kernel, slower: Triton is not installed, which torch's builds "
        "for CUDA bring (pip install triton); LTC_EDGE_KERNEL=torch asks for it"
    ]
    with kernel("fused"), pytest.raises(KernelError, match="Triton is not installed"):
        mode.has_gpu_kernel()
    with kernel("torch"):
        assert not mode.has_gpu_kernel()
