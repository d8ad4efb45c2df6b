"""The closed-form cell: sparsity that survives training, published sizes, and its two limits in time."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge import wiring  # noqa: E402
from ltc_edge.cells import CfCSpec  # noqa: E402
from ltc_edge.cells.build import build_cell  # noqa: E402

PUBLISHED = wiring.ncp(
    64,
    inter=12,
    command=6,
    motor=1,
    sensory_fanout=6,
    inter_fanout=4,
    recurrent_command_synapses=4,
    motor_fanin=6,
)


@pytest.mark.parametrize(("mode", "count"), [("default", 4184), ("no_gate", 4184), ("pure", 1084)])
def test_published_counts(mode, count):
    spec = CfCSpec(64, 19, PUBLISHED, mode=mode)
    assert spec.parameters_dense() == count
    cell = build_cell(spec)
    assert sum(value.numel() for value in cell.parameters()) == count
    masked = sum(
        int((value == 0).sum())
        for name, value in cell.named_parameters()
        if name.endswith(("1_weight", "2_weight"))
    )
    assert spec.parameters_effective() == count - masked


@pytest.mark.parametrize("mode", ["default", "no_gate", "pure"])
def test_absent_synapses_stay_absent_in_training(mode):
    spec = CfCSpec(4, 12, wiring.auto_ncp(4, 12, 2), mode=mode)
    cell = build_cell(spec, torch.Generator().manual_seed(0))
    absent = {
        f"layer_{index}_{head}_weight": torch.from_numpy(~layer.mask.T)
        for index, layer in enumerate(spec.layers())
        for head in spec.heads()
        if head.startswith("ff")
    }
    assert all(mask.any() for name, mask in absent.items() if "layer_0" in name)
    optimiser = torch.optim.AdamW(cell.parameters(), lr=0.1, weight_decay=0.1)
    before = cell.get_parameter("layer_0_ff1_weight").detach().clone()
    for _ in range(3):
        optimiser.zero_grad()
        outputs, _ = cell(torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(1)))
        outputs.square().sum().backward()
        optimiser.step()
        cell.constrain()
        for name, mask in absent.items():
            assert (cell.get_parameter(name)[mask] == 0).all()
    assert not torch.equal(cell.get_parameter("layer_0_ff1_weight").detach(), before)


def test_absent_synapses_are_not_executed_even_where_a_weight_was_forced_in():
    spec = CfCSpec(4, 12, wiring.auto_ncp(4, 12, 2))
    cell = build_cell(spec, torch.Generator().manual_seed(0))
    inputs = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, _ = cell(inputs)
        for index, layer in enumerate(spec.layers()):
            cell.get_parameter(f"layer_{index}_ff1_weight").add_(torch.from_numpy(~layer.mask.T) * 7.0)
        forced, _ = cell(inputs)
    torch.testing.assert_close(forced, expected, rtol=0, atol=0)


def test_the_gate_closes_from_one_head_to_the_other_as_time_passes():
    """With time_a > 0 the closed form starts at the first head and ends at the second."""
    cell = build_cell(CfCSpec(2, 3, backbone_layers=0), torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        cell.get_parameter("time_a_weight").zero_()
        cell.get_parameter("time_a_bias").fill_(1.0)
        cell.get_parameter("time_b_weight").zero_()
        cell.get_parameter("time_b_bias").fill_(-20.0)
        x = torch.randn(1, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        z = torch.cat([x[:, 0], torch.zeros(1, 3, dtype=torch.float64)], dim=1)
        for head, time in (("ff1", 1e-9), ("ff2", 1e3)):
            expected = torch.tanh(
                z @ cell.get_parameter(f"{head}_weight").T + cell.get_parameter(f"{head}_bias")
            )
            got, _ = cell(x, None, torch.full((1, 1), time, dtype=torch.float64))
            torch.testing.assert_close(got[:, 0], expected, rtol=0, atol=1e-8)


def test_the_state_of_a_gated_cell_is_bounded_by_one():
    cell = build_cell(CfCSpec(3, 8), torch.Generator().manual_seed(0))
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.normal(0, 1e3, size=(4, 50, 3)).astype(np.float32))
    spans = torch.from_numpy(10.0 ** rng.uniform(-4, 3, size=(4, 50)).astype(np.float32))
    with torch.no_grad():
        outputs, state = cell(inputs, None, spans)
    assert outputs.abs().max() <= 1.0
    assert state.abs().max() <= 1.0


def test_a_wired_cell_puts_out_its_motor_neurons():
    spec = CfCSpec(4, 12, wiring.auto_ncp(4, 12, 2))
    cell = build_cell(spec)
    outputs, state = cell(torch.ones(1, 3, 4))
    assert spec.outputs == 2
    torch.testing.assert_close(outputs[:, -1], state[:, -2:])
