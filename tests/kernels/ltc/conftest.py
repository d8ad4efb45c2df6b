"""Cells and sequences, and what a cell makes of them by the kernel and by torch."""

from dataclasses import dataclass

import numpy as np
import pytest

from ltc_edge import wiring
from ltc_edge.kernels.library import load
from ltc_edge.kernels.mode import kernel

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.cells import LTCSpec, MixedMemorySpec  # noqa: E402
from ltc_edge.cells.build import build_cell  # noqa: E402
from ltc_edge.kernels import ltc  # noqa: E402

INPUTS = 3
WIRINGS = {
    "ncp": lambda: wiring.auto_ncp(INPUTS, 10, 2, seed=3),
    "dense": lambda: wiring.dense(INPUTS, 5, 2),
    "random": lambda: wiring.random(INPUTS, 7, 2, sparsity=0.6, seed=4),
}
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
SEQUENCES = ("inputs", "state", "timespans")


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


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """How often the kernel ran forwards, as a list of batch sizes."""
    made, run = [], ltc.run

    def counted(batch, *arguments, **options):
        made.append(batch.inputs.shape[0])
        return run(batch, *arguments, **options)

    monkeypatch.setattr(ltc, "run", counted)
    return made


@dataclass(frozen=True)
class Case:
    """A cell of float64 with values that float32 can hold, and sequences for it."""

    cell: object
    inputs: object
    state: object
    timespans: object
    forced: object = None

    def results(self, dtype, how, weights=(1.0, 1.0), device="cpu"):
        """Outputs, last state, and the gradients of a weighted sum of both for all that has one."""
        cell = build_cell(self.cell.spec).to(device, dtype)
        cell.load_state_dict(self.cell.state_dict())
        given = {name: getattr(self, name) for name in SEQUENCES}
        given = {
            n: x.detach().to(device, dtype, copy=True).requires_grad_()
            for n, x in given.items()
            if x is not None
        }
        forced = None if self.forced is None else self.forced.to(device, dtype)
        with kernel(how):
            outputs, last = cell(given["inputs"], given.get("state"), given.get("timespans"), forced)
            generator = torch.Generator().manual_seed(1)
            objective = sum(
                weight * (x * torch.randn(x.shape, generator=generator).to(device, dtype)).sum()
                for weight, x in zip(weights, (outputs, last), strict=True)
            )
            wanted = {**given, **dict(cell.named_parameters())}
            gradients = torch.autograd.grad(
                objective, list(wanted.values()), allow_unused=True, materialize_grads=True
            )
        found = {"outputs": outputs.detach(), "last": last.detach()}
        found |= {f"gradient of {n}": g for n, g in zip(wanted, gradients, strict=True)}
        return {name: value.cpu() for name, value in found.items()}

    def check(self, dtype=torch.float64, device="cpu"):
        """The kernel's results are those of torch in float64."""
        found = self.results(dtype, "fused", device=device)
        compare(found, self.results(torch.float64, "torch"), TOLERANCE[dtype])


def compare(found, expected, tolerance):
    """Each tensor, relative in the norm."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].shape == value.shape, name
        scale = float(value.norm()) or 1.0
        distance = float((found[name].double() - value).norm()) / scale
        assert distance <= tolerance, f"{name}: {distance:.1e}"


@pytest.fixture
def make_case(calls):
    """Makes a `Case`; values are those of the initialisation, a little shaken."""

    def make(
        wires="ncp",
        batch=3,
        length=4,
        *,
        memory=False,
        timespans=True,
        forced=False,
        seed=0,
        state=0.5,
        **options,
    ):
        wires = WIRINGS[wires]() if isinstance(wires, str) else wires
        spec = LTCSpec(wires, **{"unfolds": 3, **options})
        generator = torch.Generator().manual_seed(seed)
        cell = build_cell(MixedMemorySpec(spec) if memory else spec, generator)
        with torch.no_grad():
            for name, parameter in cell.named_parameters():
                spread = 0.0 if name.endswith(("gleak", "cm", "w")) else 0.2
                parameter.add_(spread * torch.randn(parameter.shape, generator=generator))

        def draw(*shape):
            return torch.randn(shape, generator=generator).double()

        size = cell.spec.state_size
        return Case(
            cell.double(),
            draw(batch, length, spec.inputs),
            None if state is None else state * draw(batch, size),
            0.1 + 0.3 * torch.rand(batch, length, generator=generator).double() if timespans else None,
            0.5 * draw(batch, length, size) if forced else None,
        )

    yield make
    assert calls, "the kernel was never called"


@pytest.fixture
def custom_wiring():
    """Makes a wiring of two motor neurons from matrices, source × target."""

    def make(sensory, recurrent):
        units = len(recurrent)
        roles = (wiring.Role.MOTOR,) * 2 + (wiring.Role.INTER,) * (units - 2)
        return wiring.Wiring("custom", np.asarray(sensory), np.asarray(recurrent), roles)

    return make
