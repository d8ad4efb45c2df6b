"""A user's own task: the example of the documentation, and what goes wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.errors import TaskError
from ltc_edge.tasks import CheckedPlants, GymTask, load_object, load_task, make_task

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module in the current folder; returns its name."""
    monkeypatch.chdir(tmp_path)
    names = []

    def write(source):
        name = f"users_module_{len(names)}_for_tests"
        (tmp_path / f"{name}.py").write_text(source)
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)


def example(marker="class WaterTank"):
    """The Python block of the documentation that holds ``marker``."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return next(block for block in blocks if marker in block)


def test_the_documented_task_runs(module):
    task = load_task(f"{module(example())}:WaterTank")
    plants = CheckedPlants(task)
    readings = plants.reset([1, 2])
    first = readings.reward
    for _ in range(task.max_steps):
        readings = plants.step(plants.expert(readings.privileged), np.ones(2, dtype=bool))
    np.testing.assert_allclose(readings.observation[:, 1], readings.observation[:, 0], atol=0.02)
    assert (first == 0).all()
    plants.close()


def test_the_documented_expert_swings_up(module):
    task = GymTask.from_environment(
        "Pendulum-v1", f"{module(example('def swing_up'))}:swing_up", observe=[0, 1]
    )
    plants = CheckedPlants(task)
    readings, total = plants.reset(list(range(20))), np.zeros(20)
    for _ in range(task.max_steps):
        readings = plants.step(plants.expert(readings.privileged), np.ones(20, dtype=bool))
        total += readings.reward
    assert (readings.observation[:, 0] > 0.95).all()
    assert total.mean() > -300
    plants.close()


def test_make_task_takes_references_too(module):
    name = module(example())
    assert make_task(f"{name}:WaterTank").name == "water-tank"
    with pytest.raises(TaskError, match="built-in tasks only"):
        make_task(f"{name}:WaterTank", "full")


def test_an_object_a_factory_and_a_dotted_attribute(module):
    name = module(example() + "\ntask = WaterTank()\ndef build():\n    return task\n")
    assert load_task(f"{name}:task") is load_task(f"{name}:build")
    assert load_object(f"{name}:task.max_steps") == 600


def test_the_current_folder_is_searched_only_while_importing(module):
    before = list(sys.path)
    load_task(f"{module(example())}:WaterTank")
    assert sys.path == before


def test_what_is_missing_is_named(module):
    name = module(
        "class Half:\n    name = 'half'\n    def expert(self, privileged):\n        return privileged\n"
    )
    with pytest.raises(
        TaskError, match=r"is not a task: a Half without summary, observations, .*make_plants"
    ):
        load_task(f"{name}:Half")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("period_s = 7.0", "dt_range_s must be two times"),
        ("dt_range_s = 3", "dt_range_s must be two times"),
        ("max_steps = 0", "max_steps must be a positive integer"),
        ("observations = ()", "observations must be a non-empty tuple of ObservationSignal"),
        ("name = None", "name must be text, not None"),
        ("actions = (ActionSignal(3),)", "actions must have names, not 3"),
        ("actions = ('pump',)", "actions must be a non-empty tuple of ActionSignal"),
        ("actions = (ActionSignal('a'), ActionSignal('a'))", "actions must have different names"),
    ],
)
def test_senseless_attributes(module, change, message):
    name = module(example() + f"\nclass Changed(WaterTank):\n    {change}\n")
    with pytest.raises(TaskError, match=message):
        load_task(f"{name}:Changed")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "import no_such_package_here",
            "failed: ModuleNotFoundError: No module named 'no_such_package_here'",
        ),
        ("if", "raised SyntaxError"),
        ("1 / 0", "raised ZeroDivisionError"),
        ("raise SystemExit(0)", "raised SystemExit: 0"),
        ("class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd", "raised Odd$"),
        ("def __getattr__(name): raise OSError(name)", "build raised OSError: build"),
        ("class build:\n    @property\n    def name(self): 1 / 0", "build raised ZeroDivisionError"),
        ("def build():\n    exit(3)", r"build\(\) raised SystemExit: 3"),
        ("def build(wheels):\n    pass", r"build\(\) raised TypeError"),
        ("def build():\n    return None", "is not a task: a NoneType without name"),
        ("def other():\n    pass", "has no build"),
    ],
)
def test_bad_modules(module, source, message):
    with pytest.raises(TaskError, match=message) as caught:
        load_task(f"{module(source)}:build")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reference", ["tank", "tank:", ":tank"])
def test_malformed_references(reference):
    with pytest.raises(TaskError, match=re.escape("write package.module:attribute")):
        load_object(reference)
