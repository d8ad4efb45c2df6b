import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.cells import CTRNNSpec  # noqa: E402
from ltc_edge.cells.build import build_cell  # noqa: E402


def run(unfolds, inputs, state, time, seed=0):
    cell = build_cell(CTRNNSpec(2, 4, unfolds=unfolds), torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        return cell(inputs, state, torch.full(inputs.shape[:2], time, dtype=torch.float64))[1].numpy()


def test_the_error_falls_with_the_first_order_of_the_solver():
    integrate = pytest.importorskip("scipy.integrate", reason="scipy is not installed (extra: train)")
    cell = build_cell(CTRNNSpec(2, 4), torch.Generator().manual_seed(0)).double()
    weights = {name: value.detach().numpy() for name, value in cell.named_parameters()}
    x, h0, time = np.array([0.4, -1.0]), np.array([0.1, -0.3, 0.5, 0.0]), 2.0

    def derivative(_, h):
        drive = weights["input_weight"] @ x + weights["recurrent_weight"] @ h + weights["bias"]
        return (np.tanh(drive) - h) / np.log1p(np.exp(weights["tau"]))

    exact = integrate.solve_ivp(derivative, (0, time), h0, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    unfolds = np.array([64, 128, 256, 512])
    inputs, state = torch.from_numpy(x)[None, None], torch.from_numpy(h0)[None]
    errors = [np.abs(run(int(count), inputs, state, time)[0] - exact).max() for count in unfolds]
    assert np.polyfit(np.log(time / unfolds), np.log(errors), 1)[0] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("time", [1e-4, 1.0, 1e3, 1e6])
def test_the_state_is_bounded_at_any_step(time):
    """Each sub-step is a convex combination of the state and a tanh."""
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.normal(0, 1e4, size=(8, 50, 2)))
    last = run(3, inputs, torch.from_numpy(rng.uniform(-1, 1, size=(8, 4))), time)
    assert np.abs(last).max() <= 1.0 + 1e-12
