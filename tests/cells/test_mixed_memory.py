import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge import wiring  # noqa: E402
from ltc_edge.cells import CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec  # noqa: E402
from ltc_edge.cells.build import build_cell  # noqa: E402

INPUTS = 3
LIQUID = {
    "ltc": LTCSpec(wiring.auto_ncp(INPUTS, 9, 2)),
    "cfc": CfCSpec(INPUTS, 5, backbone_units=8),
    "ctrnn": CTRNNSpec(INPUTS, 5),
}


@pytest.mark.parametrize("kind", LIQUID)
def test_it_is_torch_s_lstm_and_then_the_cell(kind):
    cell = build_cell(MixedMemorySpec(LIQUID[kind]), torch.Generator().manual_seed(0)).double()
    units = cell.spec.units
    lstm = torch.nn.LSTMCell(INPUTS, units, dtype=torch.float64)

    def gates_in_torch_s_order(rows):
        g, i, f, o = rows.chunk(4)
        return torch.cat([i, f, g, o])

    with torch.no_grad():
        cell.memory_bias.normal_(generator=torch.Generator().manual_seed(1))
        lstm.weight_ih.copy_(gates_in_torch_s_order(cell.memory_input_weight))
        lstm.weight_hh.copy_(gates_in_torch_s_order(cell.memory_recurrent_weight))
        lstm.bias_ih.copy_(gates_in_torch_s_order(cell.memory_bias))
        lstm.bias_hh.zero_()
        lstm.bias_hh[units : 2 * units] = 1.0
        generator = torch.Generator().manual_seed(2)
        inputs = torch.randn(2, 40, INPUTS, generator=generator, dtype=torch.float64)
        spans = 0.1 + torch.rand(2, 40, generator=generator, dtype=torch.float64)
        outputs, last = cell(inputs, None, spans)
        h = c = torch.zeros(2, units, dtype=torch.float64)
        for t in range(40):
            h, c = lstm(inputs[:, t], (h, c))
            expected, h = cell.cell(inputs[:, t : t + 1], h, spans[:, t : t + 1])
            torch.testing.assert_close(outputs[:, t : t + 1], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(last, torch.cat([h, c], dim=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", LIQUID)
def test_counts_are_the_cell_s_and_the_memory_s(kind):
    spec = MixedMemorySpec(LIQUID[kind])
    units = spec.units
    memory = 4 * units * (INPUTS + units + 1)
    assert spec.parameters_effective() == LIQUID[kind].parameters_effective() + memory
    assert spec.parameters_dense() == LIQUID[kind].parameters_dense() + memory
    assert spec.state_size == 2 * units
    assert sum(value.numel() for value in build_cell(spec).parameters()) == spec.parameters_effective()


def test_constrain_reaches_the_inner_cell():
    spec = MixedMemorySpec(LTCSpec(wiring.auto_ncp(INPUTS, 9, 2), positivity="clamp"))
    cell = build_cell(spec)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(-1.0)
    cell.constrain()
    assert cell.cell.w.min() == 0
    assert cell.memory_bias.max() == -1


def test_it_remembers_where_the_cell_alone_forgets():
    """The gradient of the last state to the first input is orders larger with the memory."""

    def reach(spec):
        cell = build_cell(spec, torch.Generator().manual_seed(0)).double()
        if isinstance(spec, MixedMemorySpec):
            with torch.no_grad():
                units = spec.units
                cell.memory_bias[2 * units : 3 * units] = 4.0  # forget gate open: the memory is kept
        inputs = torch.zeros(1, 60, INPUTS, dtype=torch.float64, requires_grad=True)
        cell(inputs)[1].sum().backward()
        return float(inputs.grad[0, 0].abs().sum())

    alone, with_memory = reach(LIQUID["ltc"]), reach(MixedMemorySpec(LIQUID["ltc"]))
    assert with_memory > 1e3 * alone
