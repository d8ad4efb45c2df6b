"""Memory of traces is used again, and never while somebody needs it."""

import gc

import pytest
import torch

from ltc_edge.kernels import trace_memory
from ltc_edge.kernels.mode import kernel
from ltc_edge.kernels.trace_memory import LEAST_BYTES, trace_of


@pytest.fixture(autouse=True)
def nothing_kept():
    gc.collect()
    trace_memory.forget()
    yield
    trace_memory.forget()


def test_the_next_trace_lies_where_the_last_one_lay():
    trace = trace_of(LEAST_BYTES + 5)
    place = trace.data_ptr()
    del trace
    smaller = trace_of(LEAST_BYTES)
    assert smaller.data_ptr() == place
    assert (smaller.numel(), smaller.dtype) == (LEAST_BYTES, torch.uint8)


def test_a_trace_in_use_is_not_written_over():
    first = trace_of(LEAST_BYTES).fill_(1)
    view = first[5:7]
    del first
    second = trace_of(LEAST_BYTES).fill_(2)
    assert view.tolist() == [1, 1]
    assert second[0] == 2


def test_a_larger_trace_gets_memory_of_its_size():
    kept = trace_of(LEAST_BYTES)
    del kept
    larger = trace_of(3 * LEAST_BYTES).fill_(3)
    assert larger.numel() == 3 * LEAST_BYTES
    assert int(larger.sum(dtype=torch.int64)) == 9 * LEAST_BYTES


def test_one_is_kept():
    traces = [trace_of(LEAST_BYTES) for _ in range(3)]
    del traces
    assert len(trace_memory._kept) == 1


def test_passes_that_overlap_have_traces_of_their_own(make_case, monkeypatch):
    """Two passes forwards, then both back, one of them twice, as one after the other."""
    monkeypatch.setattr(trace_memory, "LEAST_BYTES", 0)
    case = make_case("dense", 5, 7)
    parameters = list(case.cell.parameters())

    def forwards(scale):
        outputs, last = case.cell(scale * case.inputs, case.state, case.timespans)
        return outputs.square().sum() + last.sum()

    def back(objective, **options):
        return torch.autograd.grad(objective, parameters, **options)

    with kernel("fused"):
        alone = [back(forwards(scale)) for scale in (1.0, 2.0)]
        first, second = forwards(1.0), forwards(2.0)
        found = [back(first, retain_graph=True), back(second), back(first)]
    assert any(not torch.equal(a, b) for a, b in zip(*alone, strict=True))
    for own, expected in zip(found, [alone[0], alone[1], alone[0]], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(own, expected, strict=True))
