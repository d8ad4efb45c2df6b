"""The closed-form cell's kernel against its torch path, with bad input, and inside torch."""

import itertools

import pytest

from ltc_edge import wiring
from ltc_edge.kernels.library import instruction_set, instruction_sets, load
from ltc_edge.kernels.mode import kernel

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.cells import CfCSpec  # noqa: E402
from ltc_edge.cells import cfc as cells  # noqa: E402
from ltc_edge.cells.build import build_cell  # noqa: E402
from ltc_edge.kernels import cfc  # noqa: E402
from ltc_edge.kernels.binding import BAD_TIMESPAN  # noqa: E402

INPUTS = 3
MODES = ("default", "no_gate", "pure")
WIRED = CfCSpec(INPUTS, 11, wiring.auto_ncp(INPUTS, 11, 2, seed=3))
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}

modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="session", autouse=True)
def kernels():
    """There is nothing to test without them."""
    if load() is None:
        pytest.skip("the kernels cannot be compiled: there is no C compiler")


@pytest.fixture(autouse=True)
def one_thread():
    """Torch's threads wait for each other on a busy machine; a test that wants more says so."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def calls(monkeypatch):
    """How often the kernel ran forwards, as a list of batch sizes."""
    made, run = [], cfc.run

    def counted(batch, *arguments, **options):
        made.append(batch.inputs.shape[0])
        return run(batch, *arguments, **options)

    monkeypatch.setattr(cfc, "run", counted)
    return made


def plain(units=5, **options):
    """A cell without wiring."""
    return CfCSpec(INPUTS, units, **{"backbone_units": 7, **options})


def shaken(spec, dtype=torch.float64):
    """A cell with values that float32 can hold, none of them zero but what masks leave out."""
    generator = torch.Generator().manual_seed(0)
    cell = build_cell(spec, generator)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    cell.constrain()
    return cell.to(dtype)


def draw(spec, batch=3, length=5, *, timespans=True, forced=False):
    """Inputs, state, timespans and forced states in float64, of values that float32 can hold."""
    generator = torch.Generator().manual_seed(batch)

    def normal(*shape):
        return torch.randn(shape, generator=generator).double()

    spans = 0.1 + torch.rand(batch, length, generator=generator).double()
    return [
        normal(batch, length, spec.inputs),
        0.5 * normal(batch, spec.units),
        spans if timespans else None,
        0.5 * normal(batch, length, spec.units) if forced else None,
    ]


def results(cell, sequences, how):
    """Outputs, last state, and the gradients of a weighted sum of both for all that has one."""
    dtype = next(cell.parameters()).dtype
    *given, forced = (None if each is None else each.detach().to(dtype, copy=True) for each in sequences)
    wanted = [each.requires_grad_() for each in (*given, *cell.parameters()) if each is not None]
    with kernel(how):
        found = cell(*given, forced)
        generator = torch.Generator().manual_seed(1)
        objective = sum((x * torch.randn(x.shape, generator=generator).to(dtype)).sum() for x in found)
        gradients = torch.autograd.grad(objective, wanted, allow_unused=True, materialize_grads=True)
        return [*(each.detach() for each in found), *gradients]


def check(spec, calls, dtype=torch.float64, **options):
    """The kernel's results are those of torch in float64, relative in the norm."""
    sequences = draw(spec, **options)
    before = len(calls)
    found = results(shaken(spec, dtype), sequences, "fused")
    assert len(calls) == before + 1
    expected = results(shaken(spec), sequences, "torch")
    assert len(calls) == before + 1
    for own, value in zip(found, expected, strict=True):
        assert own.shape == value.shape
        assert float((own.double() - value).norm()) <= TOLERANCE[dtype] * (float(value.norm()) or 1.0)


@modes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("timespans", [True, False])
def test_three_layers_after_one_another(calls, mode, dtype, timespans):
    spec = CfCSpec(INPUTS, WIRED.units, WIRED.wiring, mode=mode)
    # A tile and part of the next of one vector, of two; a segment of steps and part of the next.
    for batch, length in ((5, 19), (35, 3)):
        check(spec, calls, dtype, batch=batch, length=length, timespans=timespans)


@modes
@pytest.mark.parametrize("layers", [0, 1, 3])
def test_a_backbone_of_any_number_of_layers(calls, mode, layers):
    check(plain(mode=mode, backbone_layers=layers), calls)


@pytest.mark.parametrize("activation", ["tanh", "relu", "silu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_its_activations(calls, activation, dtype):
    check(plain(activation=activation, backbone_layers=2), calls, dtype, batch=9)


@modes
def test_forced_states_pass_gradients_straight_through(calls, mode):
    check(plain(mode=mode), calls, forced=True)
    check(CfCSpec(INPUTS, WIRED.units, WIRED.wiring, mode=mode), calls, forced=True)


def test_every_instruction_set(calls):
    library = load()
    for name in instruction_sets(library):
        with instruction_set(library, name):
            for dtype, batch in itertools.product(TOLERANCE, (1, 70)):
                check(WIRED, calls, dtype, batch=batch, length=2)


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (3, 0), (0, 4), (0, 0)])
def test_next_to_nothing(calls, batch, length):
    check(WIRED, calls, batch=batch, length=length)


def test_what_goes_through_torch(calls, monkeypatch):
    sequences = draw(plain())
    with kernel("fused"):
        build_cell(plain(activation="gelu")).double()(*sequences)
        monkeypatch.setattr(cells, "MOST_FUSED_PARAMETERS", 100)
        build_cell(plain()).double()(*sequences)
        assert not calls


def test_any_number_of_threads_gives_the_same_bits():
    cell, sequences = shaken(WIRED, torch.float32), draw(WIRED, batch=70)
    one = results(cell, sequences, "fused")
    torch.set_num_threads(3)
    for own, expected in zip(results(cell, sequences, "fused"), one, strict=True):
        assert torch.equal(own, expected)


def test_nan_stays_in_its_sequence():
    cell, sequences = shaken(WIRED), draw(WIRED, batch=6)
    with torch.no_grad(), kernel("fused"):
        expected, _ = cell(*sequences)
        sequences[0][2, 1, 0] = torch.nan
        outputs, last = cell(*sequences)
    others = [0, 1, 3, 4, 5]
    assert torch.equal(outputs[others], expected[others])
    assert torch.equal(outputs[2, 0], expected[2, 0])
    assert outputs[2, 1:].isnan().all()
    assert last[2].isnan().all()


@pytest.mark.parametrize("bad", [0.0, -1.0, torch.nan])
def test_a_timespan_that_is_not_above_zero(bad):
    cell, sequences = shaken(WIRED), draw(WIRED)
    sequences[2][1, 2] = bad
    with kernel("fused"), pytest.raises(ValueError, match="timespans must be above 0") as refused:
        cell(*sequences)
    assert str(refused.value) == BAD_TIMESPAN


def test_tensors_that_are_not_contiguous():
    cell, (inputs, state, timespans, _) = shaken(WIRED), draw(WIRED)
    with torch.no_grad(), kernel("fused"):
        expected, _ = cell(inputs, state, timespans)
        found, _ = cell(
            inputs.transpose(0, 1).contiguous().transpose(0, 1),
            state.T.contiguous().T,
            torch.stack([timespans, timespans], dim=-1)[..., 0],
        )
    assert torch.equal(found, expected)


@pytest.mark.parametrize("alone", [0, 1, 2, "layer_1_ff2_weight", "layer_0_time_a_bias"])
def test_a_gradient_wanted_of_one_tensor_alone(alone):
    cell, sequences = shaken(WIRED), draw(WIRED)
    cell.requires_grad_(False)
    wanted = cell.get_parameter(alone) if isinstance(alone, str) else sequences[alone]
    wanted.requires_grad_()
    gradients = []
    for how in ("fused", "torch"):
        with kernel(how):
            outputs, _ = cell(*sequences)
            gradients += torch.autograd.grad(outputs.square().sum(), wanted)
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-13)


def test_backwards_twice_gives_the_same(calls):
    cell, sequences = shaken(WIRED), draw(WIRED)
    with kernel("fused"):
        outputs, _ = cell(*sequences)
        first, second = (
            torch.autograd.grad(outputs.sum(), list(cell.parameters()), retain_graph=True) for _ in range(2)
        )
    assert calls == [3]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_second_derivative_is_refused_with_the_remedy():
    cell, sequences = shaken(WIRED), draw(WIRED)
    inputs = sequences[0].requires_grad_()
    with kernel("fused"):
        outputs, _ = cell(*sequences)
        (first,) = torch.autograd.grad(outputs.square().sum(), inputs, create_graph=True)
        with pytest.raises(RuntimeError, match="no second derivative: LTC_EDGE_KERNEL=torch"):
            first.square().sum().backward()


def test_parameters_in_the_place_of_others():
    cell, sequences = shaken(WIRED), draw(WIRED)
    other = {name: (2 * value).detach().requires_grad_() for name, value in cell.named_parameters()}
    with kernel("fused"):
        outputs, _ = torch.func.functional_call(cell, other, tuple(sequences))
        gradients = torch.autograd.grad(outputs.sum(), list(other.values()))
        cell.load_state_dict(other)
        expected, _ = cell(*sequences)
        expected.sum().backward()
    assert torch.equal(outputs, expected)
    for own, parameter in zip(gradients, cell.parameters(), strict=True):
        assert torch.equal(own, parameter.grad)


@pytest.mark.parametrize("spec", [WIRED, plain(mode="pure")], ids=["wired", "backbone"])
def test_compiled_without_a_break(calls, spec):
    cell, (inputs, state, timespans, _) = shaken(spec), draw(spec)
    compiled = torch.compile(cell, backend="aot_eager", fullgraph=True)
    inputs.requires_grad_()
    found = []
    with kernel("fused"):
        for each in (cell, compiled):
            outputs, last = each(inputs, state, timespans)
            objective = outputs.square().sum() + last.sum()
            found.append([outputs, last, *torch.autograd.grad(objective, [inputs, *cell.parameters()])])
    assert len(calls) == 2
    for own, expected in zip(*found, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-12, atol=1e-14)


def test_the_operator_keeps_torchs_rules():
    cell, sequences = shaken(plain()), draw(plain())
    parameters = [cell.get_parameter(name) for name in cell.spec.parameter_shapes()]
    numbers = [INPUTS, 5, 5, 0, 1, 7, 0, 5]
    arguments = (*sequences, parameters, [], numbers, True)
    rules = ("test_schema", "test_autograd_registration", "test_faketensor")
    with kernel("fused"):
        found = torch.library.opcheck(cfc.operator, arguments, test_utils=rules)
    assert set(found.values()) == {"SUCCESS"}
