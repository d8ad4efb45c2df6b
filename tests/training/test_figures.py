"""The figure the project is known by, from the command's own defaults."""

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")
pytest.importorskip("mujoco", reason="mujoco is not installed (extra: train)")

from ltc_edge.evaluation.closed_loop import evaluate_closed_loop
from ltc_edge.training.defaults import task_defaults
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import Plan, start_run
from ltc_edge.training.sources import TaskSource


@pytest.mark.slow
def test_double_pendulum_without_velocities_in_under_600_parameters(tmp_path, silent):
    source = TaskSource("inverted-double-pendulum")
    defaults = task_defaults(source.name)
    start_run(Plan(source, defaults.imitation, defaults.model), tmp_path / "run", silent)
    controller = RunFolder(tmp_path / "run").controller()
    assert controller.parameters_effective() <= 600
    assert not any("velocity" in signal.name for signal in controller.observations)
    report = evaluate_closed_loop(source.load(), controller, episodes=100)
    assert report.controller.mean >= 9350.0
    assert report.zero.mean < 200.0
