"""Names, summaries, and what importing the package may cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ltc_edge.tasks
from ltc_edge.errors import TaskError
from ltc_edge.tasks import TASKS, check_task, make_task, task_names, task_summaries

NAMES = {
    "inverted-pendulum",
    "inverted-double-pendulum",
    "pendulum",
    "cartpole",
    "mountain-car-continuous",
    "dc-motor",
}


def test_the_built_in_tasks():
    assert set(task_names()) == NAMES == set(TASKS)
    assert [line.name for line in task_summaries()] == list(task_names())
    assert all(len(line.summary) <= 80 for line in task_summaries())


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("sensors", ["positions", "full"])
def test_every_variant_is_a_task(name, sensors):
    task = make_task(name, sensors)
    check_task(task, name)
    assert task.name == name


@pytest.mark.parametrize("name", sorted(NAMES))
def test_positions_hide_signals(name):
    hidden, full = make_task(name).observations, make_task(name, "full").observations
    assert set(hidden) < set(full)
    assert not any("velocity" in signal.name or "speed" in signal.name for signal in hidden)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(TaskError, match=r"unknown task 'pendulun': did you mean 'pendulum'\? `ltc"):
        make_task("pendulun")
    with pytest.raises(TaskError, match="unknown task 'zzz': `ltc-edge tasks` lists them"):
        make_task("zzz")


def test_unknown_sensors():
    with pytest.raises(TaskError, match="unknown sensors 'ful': choose positions or full"):
        make_task("pendulum", "ful")


def test_listing_tasks_imports_no_extra():
    program = (
        "import sys, ltc_edge.tasks as t; t.task_summaries(); [t.make_task(n) for n in t.task_names()];"
        "print([m for m in ('gymnasium', 'mujoco', 'scipy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_exist():
    for name in ltc_edge.tasks.__all__:
        assert hasattr(ltc_edge.tasks, name)
