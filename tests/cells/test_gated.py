"""The baselines are torch's own cells at the nominal period."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.cells import GatedSpec  # noqa: E402
from ltc_edge.cells.build import build_cell  # noqa: E402

INPUTS, UNITS, BATCH, LENGTH = 3, 8, 4, 100


def pair(kind):
    ours = build_cell(GatedSpec(kind, INPUTS, UNITS), torch.Generator().manual_seed(2)).double()
    theirs = (torch.nn.LSTMCell if kind == "lstm" else torch.nn.GRUCell)(INPUTS, UNITS, dtype=torch.float64)
    with torch.no_grad():
        for name, value in theirs.named_parameters():
            value.copy_(ours.get_parameter(name))
        ours.get_parameter("weight_dt").normal_(generator=torch.Generator().manual_seed(3))
    return ours, theirs


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_at_the_nominal_period_it_is_torch_s_cell(kind):
    ours, theirs = pair(kind)
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(BATCH, LENGTH, INPUTS, generator=generator, dtype=torch.float64)
    state = torch.randn(BATCH, ours.spec.state_size, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        outputs, last = ours(inputs, state, torch.ones(BATCH, LENGTH, dtype=torch.float64))
        expected = tuple(state.chunk(2, dim=1)) if kind == "lstm" else state
        for t in range(LENGTH):
            expected = theirs(inputs[:, t], expected)
            hidden = expected[0] if kind == "lstm" else expected
            torch.testing.assert_close(outputs[:, t], hidden, rtol=0, atol=1e-13)
    whole = torch.cat(expected, dim=1) if kind == "lstm" else expected
    torch.testing.assert_close(last, whole, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_elapsed_time_is_one_more_input(kind):
    ours, theirs = pair(kind)
    elapsed = 2.75
    with torch.no_grad():
        theirs.bias_ih.add_((elapsed - 1.0) * ours.get_parameter("weight_dt"))
        inputs = torch.ones(BATCH, 1, INPUTS, dtype=torch.float64)
        outputs, _ = ours(inputs, None, torch.full((BATCH, 1), elapsed, dtype=torch.float64))
        hidden = theirs(inputs[:, 0])
    hidden = hidden[0] if kind == "lstm" else hidden
    torch.testing.assert_close(outputs[:, 0], hidden, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3)])
def test_initial_values_are_torch_s(kind, gates):
    cell = build_cell(GatedSpec(kind, INPUTS, 64))
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        values = cell.get_parameter(name)
        assert values.abs().max() <= 1 / 8
        assert values.abs().max() > 0.9 / 8
    assert cell.get_parameter("weight_dt").abs().max() == 0
    assert cell.get_parameter("weight_hh").shape == (gates * 64, 64)
