"""Our cells against `ncps` 1.0.1, the independent implementation, in float64 over 100 steps."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    wirings = pytest.importorskip("ncps.wirings", reason="ncps is not installed (extra: dev)")
    ncps_torch = pytest.importorskip("ncps.torch")

from ltc_edge import InputError, import_ncps  # noqa: E402
from ltc_edge.ncps_import import NcpsOptions  # noqa: E402
from ltc_edge.network import Network  # noqa: E402
from ltc_edge.runtimes.reference import ReferenceBatch  # noqa: E402
from ltc_edge.runtimes.torch_runtime import TorchStepper  # noqa: E402

INPUTS, BATCH, LENGTH = 4, 3, 100


def auto_ncp(units: int = 19, outputs: int = 2):
    return wirings.AutoNCP(units, outputs)


CASES = {
    "ltc ncp softplus": (lambda: ncps_torch.LTC(INPUTS, auto_ncp()), NcpsOptions()),
    "ltc ncp clamp": (
        lambda: ncps_torch.LTC(INPUTS, auto_ncp(), implicit_param_constraints=False),
        NcpsOptions(positivity="clamp"),
    ),
    "ltc dense, 3 unfolds": (lambda: ncps_torch.LTC(INPUTS, 8, ode_unfolds=3), NcpsOptions(unfolds=3)),
    "ltc random wiring": (lambda: ncps_torch.LTC(INPUTS, wirings.Random(9, 2, 0.6)), NcpsOptions()),
    "ltc units = batch": (lambda: ncps_torch.LTC(INPUTS, BATCH), NcpsOptions()),
    "ltc linear mappings": (
        lambda: ncps_torch.LTC(INPUTS, auto_ncp(), input_mapping="linear", output_mapping="linear"),
        NcpsOptions(),
    ),
    "ltc without mappings": (
        lambda: ncps_torch.LTC(INPUTS, 5, input_mapping=None, output_mapping=None),
        NcpsOptions(),
    ),
    "ltc mixed memory": (lambda: ncps_torch.LTC(INPUTS, auto_ncp(), mixed_memory=True), NcpsOptions()),
    "cfc default": (lambda: ncps_torch.CfC(INPUTS, 12), NcpsOptions()),
    "cfc no gate": (lambda: ncps_torch.CfC(INPUTS, 12, mode="no_gate"), NcpsOptions(mode="no_gate")),
    "cfc pure": (lambda: ncps_torch.CfC(INPUTS, 12, mode="pure"), NcpsOptions()),
    "cfc projected, deep, silu": (
        lambda: ncps_torch.CfC(
            INPUTS, 6, proj_size=3, backbone_layers=3, backbone_units=10, activation="silu"
        ),
        NcpsOptions(activation="silu"),
    ),
    "cfc gelu": (lambda: ncps_torch.CfC(INPUTS, 6, activation="gelu"), NcpsOptions(activation="gelu")),
    "cfc mixed memory": (lambda: ncps_torch.CfC(INPUTS, 12, mixed_memory=True), NcpsOptions()),
    "cfc wired": (lambda: ncps_torch.CfC(INPUTS, auto_ncp()), NcpsOptions()),
    "cfc wired no gate": (
        lambda: ncps_torch.CfC(INPUTS, auto_ncp(), mode="no_gate"),
        NcpsOptions(mode="no_gate"),
    ),
    "cfc wired pure": (lambda: ncps_torch.CfC(INPUTS, auto_ncp(), mode="pure"), NcpsOptions()),
    "cfc wired mixed memory": (lambda: ncps_torch.CfC(INPUTS, auto_ncp(), mixed_memory=True), NcpsOptions()),
}


def perturbed(module, seed: int = 0):
    """Shake every trainable weight: initial zeros and ones would hide what they multiply."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.rand(parameter.shape, generator=generator))
    return module.double()


def run_ncps(module, inputs: np.ndarray, timespans: np.ndarray) -> np.ndarray:
    """One sequence at a time: ncps raises, or is silently wrong, with timespans of a larger batch."""
    rows = []
    state_size = module.state_size
    mixed = module.use_mixed
    for row, spans in zip(inputs, timespans, strict=True):
        zero = torch.zeros(1, state_size, dtype=torch.float64)
        with torch.no_grad():
            output, _ = module(
                torch.from_numpy(row)[None], (zero, zero) if mixed else zero, torch.from_numpy(spans)[None]
            )
        rows.append(output[0].numpy())
    return np.stack(rows)


@pytest.fixture
def sequences():
    rng = np.random.default_rng(5)
    return rng.normal(size=(BATCH, LENGTH, INPUTS)), rng.uniform(0.05, 3.0, size=(BATCH, LENGTH))


@pytest.mark.parametrize("case", CASES)
def test_torch_and_reference_equal_ncps(case, sequences):
    build, options = CASES[case]
    torch.manual_seed(1)
    module = perturbed(build())
    inputs, timespans = sequences
    expected = run_ncps(module, inputs, timespans)
    controller = import_ncps(module.state_dict(), options=options)
    with torch.no_grad():
        ours, _ = Network(controller)(torch.from_numpy(inputs), torch.from_numpy(timespans))
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-12)
    reference = ReferenceBatch(controller)
    reference.reset(BATCH)
    steps = [reference.step(inputs[:, t], timespans[:, t]) for t in range(LENGTH)]
    np.testing.assert_allclose(np.stack(steps, axis=1), expected, rtol=0, atol=1e-12)


def test_file_round_trip_in_float32(tmp_path):
    torch.manual_seed(2)
    module = ncps_torch.LTC(INPUTS, auto_ncp())
    torch.save(module.state_dict(), tmp_path / "model.pt")
    controller = import_ncps(tmp_path / "model.pt", observations=["a", "b", "c", "d"], actions=["u", "v"])
    stepper = TorchStepper(controller)
    x = np.ones(INPUTS)
    with torch.no_grad():
        expected, _ = module(torch.ones(1, 1, INPUTS))
    np.testing.assert_allclose(stepper.step(x, 1.0), expected[0, 0].numpy(), atol=1e-6)
    assert [signal.name for signal in controller.observations] == ["a", "b", "c", "d"]


def test_polarity_follows_a_reversal_potential_that_crossed_zero():
    module = ncps_torch.LTC(INPUTS, 4)
    with torch.no_grad():
        module.rnn_cell.erev[1, 2] = -0.5
    controller = import_ncps(module.state_dict())
    assert controller.cell.wiring.recurrent[1, 2] == -1


def test_roles_of_an_ncp_are_found():
    controller = import_ncps(ncps_torch.LTC(INPUTS, auto_ncp()).state_dict())
    roles = [str(role) for role in controller.cell.wiring.roles]
    assert (roles.count("motor"), roles.count("command"), roles.count("inter")) == (2, 6, 11)


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda d: d.pop("rnn_cell.cm"), "rnn_cell.cm is missing"),
        (lambda d: d.update({"extra": torch.zeros(3)}), "unknown tensors extra"),
        (lambda d: d["rnn_cell.w"].fill_(float("nan")), "rnn_cell.w is not finite"),
        (lambda d: d.update({"rnn_cell.w": torch.zeros(2, 2)}), r"rnn_cell.w has shape \(2, 2\)"),
        (lambda d: d.update({"rnn_cell.w": "text"}), "not a numeric tensor"),
        (lambda d: d.clear(), "neither"),
    ],
)
def test_damaged_state_dicts_are_refused(tamper, message):
    state = dict(ncps_torch.LTC(INPUTS, 5).state_dict())
    tamper(state)
    with pytest.raises(InputError, match=message):
        import_ncps(state)


SHAPES = [(), (0,), (1,), (2,), (9,), (3, 3), (0, 4), (4, 0), (5, 9), (2, 3, 4)]


@pytest.mark.parametrize(
    "build",
    [
        lambda: ncps_torch.LTC(INPUTS, auto_ncp(9), mixed_memory=True),
        lambda: ncps_torch.CfC(INPUTS, 5, proj_size=2),
        lambda: ncps_torch.CfC(INPUTS, auto_ncp(9)),
        lambda: ncps_torch.CfC(INPUTS, auto_ncp(9), mode="pure"),
    ],
)
def test_tensors_of_any_other_shape_are_refused(build):
    state = {name: value.numpy() for name, value in build().state_dict().items()}
    for name, original in state.items():
        for shape in SHAPES:
            if shape in (original.shape, (original.size,)):
                continue
            with pytest.raises(InputError):
                import_ncps(state | {name: np.full(shape, 0.5, dtype=np.float32)})
        # ncps' input and output mappings leave some of these out.
        if name.split(".")[-1] not in ("input_w", "input_b", "output_w", "output_b"):
            with pytest.raises(InputError):
                import_ncps({key: value for key, value in state.items() if key != name})


def test_an_unknown_layer_of_the_backbone_is_refused():
    state = ncps_torch.CfC(INPUTS, 5).state_dict()
    with pytest.raises(InputError, match=r"unknown tensor rnn_cell\.backbone\.x\.weight"):
        import_ncps(dict(state) | {"rnn_cell.backbone.x.weight": torch.zeros(2, 2)})


def test_files_that_are_not_state_dicts_are_refused(tmp_path):
    class Payload:
        def __reduce__(self):
            return (print, ("executed",))

    import pickle

    for name, content in (
        ("empty.pt", b""),
        ("text.pt", b"hello"),
        ("hostile.pt", pickle.dumps(Payload())),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            import_ncps(tmp_path / name)
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    with pytest.raises(InputError, match="holds a Tensor"):
        import_ncps(tmp_path / "tensor.pt")
    with pytest.raises(InputError, match="no such file"):
        import_ncps(tmp_path / "absent.pt")


def test_motor_neurons_without_an_output_mapping_are_named():
    module = ncps_torch.LTC(INPUTS, auto_ncp(), output_mapping=None)
    controller = import_ncps(module.state_dict(), actions=["u", "v"])
    with torch.no_grad():
        expected, _ = module(torch.ones(1, 1, INPUTS))
    np.testing.assert_allclose(TorchStepper(controller).step(np.ones(INPUTS), 1.0), expected[0, 0], atol=1e-6)
