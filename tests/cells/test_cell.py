"""What every cell must do, whatever its equations."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge import wiring  # noqa: E402
from ltc_edge.cells import CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec  # noqa: E402
from ltc_edge.cells.build import build_cell, cell_arrays, load_cell_arrays  # noqa: E402
from ltc_edge.kernels.mode import kernel  # noqa: E402

INPUTS = 2
NCP = wiring.auto_ncp(INPUTS, 6, 2, seed=3)

SPECS = {
    "ltc fused": LTCSpec(NCP, unfolds=3),
    "ltc fused clamp": LTCSpec(NCP, unfolds=3, positivity="clamp"),
    "ltc exponential": LTCSpec(NCP, solver="exponential", unfolds=3),
    "ltc exponential clamp": LTCSpec(NCP, solver="exponential", unfolds=3, positivity="clamp"),
    "ltc euler": LTCSpec(NCP, solver="euler", unfolds=4),
    "ltc euler clamp": LTCSpec(NCP, solver="euler", unfolds=4, positivity="clamp"),
    "ltc rk4": LTCSpec(NCP, solver="rk4", unfolds=2),
    "ltc rk4 clamp": LTCSpec(NCP, solver="rk4", unfolds=2, positivity="clamp"),
    "ltc dense, not affine": LTCSpec(wiring.dense(INPUTS, 3, 1), unfolds=2, affine=False),
    "cfc": CfCSpec(INPUTS, 3, backbone_units=4),
    "cfc no gate": CfCSpec(INPUTS, 3, mode="no_gate", backbone_units=4, activation="silu"),
    "cfc pure": CfCSpec(INPUTS, 3, mode="pure", backbone_units=4, activation="tanh"),
    "cfc deep": CfCSpec(INPUTS, 3, backbone_units=4, backbone_layers=3, activation="gelu"),
    "cfc without backbone": CfCSpec(INPUTS, 3, backbone_layers=0),
    "cfc wired": CfCSpec(INPUTS, 6, NCP),
    "cfc wired pure": CfCSpec(INPUTS, 6, NCP, mode="pure"),
    "ctrnn": CTRNNSpec(INPUTS, 3, unfolds=3),
    "lstm": GatedSpec("lstm", INPUTS, 3),
    "gru": GatedSpec("gru", INPUTS, 3),
    "mixed memory, ltc": MixedMemorySpec(LTCSpec(NCP, unfolds=2)),
    "mixed memory, cfc wired": MixedMemorySpec(CfCSpec(INPUTS, 6, NCP)),
    "mixed memory, ctrnn": MixedMemorySpec(CTRNNSpec(INPUTS, 3, unfolds=2)),
}


@pytest.fixture(params=SPECS)
def cell(request):
    """A cell in float64, every parameter shaken: initial zeros and ones would hide what they multiply."""
    generator = torch.Generator().manual_seed(7)
    built = build_cell(SPECS[request.param], generator).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.2 * torch.rand(parameter.shape, generator=generator, dtype=torch.float64))
    built.constrain()
    return built


def sequences(cell, batch, length):
    generator = torch.Generator().manual_seed(batch)
    inputs = torch.randn(batch, length, INPUTS, generator=generator, dtype=torch.float64)
    state = 0.5 * torch.randn(batch, cell.spec.state_size, generator=generator, dtype=torch.float64)
    timespans = 0.1 + 0.5 * torch.rand(batch, length, generator=generator, dtype=torch.float64)
    return inputs, state, timespans


def trajectory(cell, batch, length):
    generator = torch.Generator().manual_seed(length)
    return torch.randn(batch, length, cell.spec.state_size, generator=generator, dtype=torch.float64)


def test_gradients_are_those_of_the_equations(cell):
    names = [name for name, _ in cell.named_parameters()]
    parameters = [value.detach().clone().requires_grad_() for value in cell.parameters()]
    data = [value.requires_grad_() for value in sequences(cell, 2, 3)]

    def run(inputs, state, timespans, *values):
        return torch.func.functional_call(
            cell, dict(zip(names, values, strict=True)), (inputs, state, timespans)
        )

    torch.autograd.gradcheck(run, (*data, *parameters), fast_mode=True, atol=1e-7)


def test_shapes_and_one_row_after_the_other(cell):
    # Batches of as many rows as there are neurons, inputs or steps must not be taken for something else.
    for batch in (3, cell.spec.units, INPUTS):
        inputs, state, timespans = sequences(cell, batch, 5)
        outputs, last = cell(inputs, state, timespans)
        assert outputs.shape == (batch, 5, cell.spec.outputs)
        assert last.shape == (batch, cell.spec.state_size)
        for row in range(batch):
            alone = slice(row, row + 1)
            own_outputs, own_last = cell(inputs[alone], state[alone], timespans[alone])
            torch.testing.assert_close(outputs[alone], own_outputs, rtol=0, atol=1e-13)
            torch.testing.assert_close(last[alone], own_last, rtol=0, atol=1e-13)


def test_elapsed_time_matters_and_is_one_unit_unless_given(cell):
    inputs, state, timespans = sequences(cell, 2, 4)
    nominal, _ = cell(inputs, state)
    ones = torch.ones_like(timespans)
    torch.testing.assert_close(cell(inputs, state, ones)[0], nominal, rtol=0, atol=1e-14)
    with kernel("torch"):
        torch.testing.assert_close(cell(inputs, state, ones), cell(inputs, state), rtol=0, atol=0)
    assert not torch.allclose(cell(inputs, state, timespans)[0], nominal)


def test_a_sequence_in_two_parts_is_the_whole(cell):
    inputs, state, timespans = sequences(cell, 2, 6)
    whole, last = cell(inputs, state, timespans)
    first, between = cell(inputs[:, :2], state, timespans[:, :2])
    second, end = cell(inputs[:, 2:], between, timespans[:, 2:])
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-13)
    torch.testing.assert_close(end, last, rtol=0, atol=1e-13)


def test_an_empty_sequence_leaves_the_state(cell):
    inputs, state, timespans = sequences(cell, 2, 0)
    outputs, last = cell(inputs, state, timespans)
    assert outputs.shape == (2, 0, cell.spec.outputs)
    torch.testing.assert_close(last, state, rtol=0, atol=0)


def test_the_state_starts_at_zero(cell):
    inputs, state, timespans = sequences(cell, 2, 2)
    expected = cell(inputs, torch.zeros_like(state), timespans)
    for ours, theirs in zip(cell(inputs, None, timespans), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_wrong_shapes_are_refused(cell):
    inputs, state, timespans = sequences(cell, 2, 4)
    for wrong in (inputs[0], inputs[..., :1], torch.cat([inputs, inputs], dim=2)):
        with pytest.raises(ValueError, match="inputs have shape"):
            cell(wrong)
    for wrong in (state[:1], state[:, 1:], state[0], state[None]):
        with pytest.raises(ValueError, match="state has shape"):
            cell(inputs, wrong)
    for wrong in (timespans[:1], timespans[:, 1:], timespans[..., None], timespans[0]):
        with pytest.raises(ValueError, match="timespans have shape"):
            cell(inputs, state, wrong)
    states = state[:, None].expand(-1, 4, -1)
    for wrong in (states[:1], states[:, :3], states[..., 1:], state):
        with pytest.raises(ValueError, match="forced has shape"):
            cell(inputs, state, timespans, wrong)


def test_forced_states_take_the_place_of_those_computed(cell):
    inputs, state, timespans = sequences(cell, 2, 4)
    forced = trajectory(cell, 2, 4)
    outputs, last = cell(inputs, state, timespans, forced)
    # The kernel's outputs are a multiplication and an addition in one.
    torch.testing.assert_close(outputs, cell.output(cell.prepare(), forced), rtol=0, atol=1e-15)
    with kernel("torch"):
        exact = cell(inputs, state, timespans, forced)[0]
    torch.testing.assert_close(exact, cell.output(cell.prepare(), forced), rtol=0, atol=0)
    torch.testing.assert_close(last, forced[:, -1], rtol=0, atol=0)
    empty = sequences(cell, 2, 0)
    torch.testing.assert_close(cell(*empty, forced[:, :0])[1], empty[1], rtol=0, atol=0)


def test_gradients_pass_forced_states_as_if_they_had_been_computed(cell):
    inputs, state, timespans = sequences(cell, 2, 3)
    forced = trajectory(cell, 2, 3)
    state.requires_grad_()
    cell(inputs, state, timespans, forced)[1].sum().backward()
    expected = torch.ones_like(state)
    # By the chain rule, a step at a time, each from the state that was forced on it.
    for t in reversed(range(3)):
        before = (state if t == 0 else forced[:, t - 1]).detach().requires_grad_()
        after = cell(inputs[:, t : t + 1], before, timespans[:, t : t + 1])[1]
        (expected,) = torch.autograd.grad(after, before, expected)
    torch.testing.assert_close(state.grad, expected, rtol=1e-12, atol=1e-12)


def test_functional_call_and_vmap_run_an_ensemble(cell):
    inputs, state, timespans = sequences(cell, 2, 3)
    members = [
        {name: value.detach() * scale for name, value in cell.named_parameters()} for scale in (1.0, 1.1, 0.9)
    ]
    stacked = {name: torch.stack([member[name] for member in members]) for name in members[0]}

    def run(parameters):
        return torch.func.functional_call(cell, parameters, (inputs, state, timespans))[0]

    together = torch.func.vmap(run)(stacked)
    for member, outputs in zip(members, together, strict=True):
        torch.testing.assert_close(outputs, run(member), rtol=0, atol=1e-12)
    assert not torch.allclose(together[0], together[1])


def test_vmap_over_sequences_is_the_batch(cell):
    inputs, state, timespans = sequences(cell, 3, 4)

    def run(x, v, t):
        return cell(x[None], v[None], t[None])[0][0]

    together = torch.func.vmap(run)(inputs, state, timespans)
    torch.testing.assert_close(together, cell(inputs, state, timespans)[0], rtol=0, atol=1e-13)


def test_parameters_are_the_spec_s_and_nothing_else(cell):
    shapes = {name.removeprefix("cell."): tuple(value.shape) for name, value in cell.named_parameters()}
    assert shapes == cell.spec.parameter_shapes()
    assert set(cell.state_dict()) == {name for name, _ in cell.named_parameters()}
    assert sum(value.numel() for value in cell.parameters()) == sum(
        array.size for array in cell_arrays(cell).values()
    )


def test_arrays_round_trip(cell):
    other = build_cell(cell.spec).double()
    load_cell_arrays(other, cell_arrays(cell))
    inputs, state, timespans = sequences(cell, 2, 3)
    ours, theirs = cell(inputs, state, timespans), other(inputs, state, timespans)
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", SPECS)
def test_the_generator_decides_the_initial_values(name):
    def draw(seed):
        return cell_arrays(build_cell(SPECS[name], torch.Generator().manual_seed(seed)))

    first, same, other = draw(1), draw(1), draw(2)
    assert all((first[key] == same[key]).all() for key in first)
    assert any((first[key] != other[key]).any() for key in first)
