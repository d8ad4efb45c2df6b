import numpy as np
import pytest

from ltc_edge.evaluation.visited import visited_in_closed_loop, visited_on_recordings
from ltc_edge.logs import load_dataset
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks import make_task


@pytest.fixture(scope="module")
def loop(tiny_controller, tiny_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_folder)
        patch.syspath_prepend(str(tiny_folder))
        task = make_task("tiny_task:Lag", "positions")
    controller = tiny_controller()
    visited, played = visited_in_closed_loop(task, controller, range(3), max_steps=8)
    return controller, visited, played


def test_every_state_leads_to_the_next(loop):
    controller, visited, played = loop
    assert visited.state.shape == (3, 8, controller.state_size)
    np.testing.assert_array_equal(visited.state[:, 0], np.tile(controller.reset_state, (3, 1)))
    batch = ReferenceBatch(controller)
    for t in range(7):
        batch.state = visited.state[:, t]
        action = batch.step(visited.observation[:, t], visited.dt_s[:, t])
        np.testing.assert_array_equal(action, played.action[:, t])
        np.testing.assert_array_equal(batch.state, visited.state[:, t + 1])


def test_steps_are_drawn_from_the_valid_ones_alone(loop):
    _, visited, _ = loop
    visited.valid[1, 3:] = False
    drawn = visited.steps(1000, seed=0)
    assert drawn.state.shape == (19, 1, visited.state.shape[2])
    assert len(np.unique(drawn.action.ravel())) == 19
    again = visited.steps(5, seed=0)
    np.testing.assert_array_equal(again.observation, drawn.observation[:5])
    assert not set(visited.action[1, 3:].ravel()) & set(drawn.action.ravel())


def test_windows_of_recordings_start_from_the_reset_state(tiny_controller, tmp_path):
    rows = np.random.default_rng(0).normal(size=(400, 3))
    text = "\n".join(["target,level,drive", *(",".join(f"{value:.6f}" for value in row) for row in rows)])
    (tmp_path / "log.csv").write_text(text + "\n")
    data = load_dataset((str(tmp_path / "log.csv"),), "target,level", "drive", period_s=0.02)
    controller = tiny_controller()
    visited = visited_on_recordings(data, controller, most=2)
    assert visited.observation.shape == (2, data.window_length, 2)
    np.testing.assert_array_equal(visited.state[:, 0], np.tile(controller.reset_state, (2, 1)))
    batch = ReferenceBatch(controller)
    batch.state = visited.state[:, 4]
    np.testing.assert_array_equal(
        batch.step(visited.observation[:, 4], visited.dt_s[:, 4]), visited.action[:, 4]
    )
