"""Plants and experts that break the contract are reported where they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ltc_edge.errors import CheckFailedError, MissingExtraError, TaskError
from ltc_edge.tasks import CheckedPlants, check_readings, expert_actions, make_task
from ltc_edge.tasks.pendulum import Pendulum

ALL = np.ones(2, dtype=bool)


@pytest.fixture
def task():
    return make_task("pendulum")


@pytest.fixture
def readings(task):
    return task.make_plants().reset([0, 1])


def test_good_readings_pass(task, readings):
    check_readings(task, readings, ALL, 0)


@pytest.mark.parametrize("field", ["observation", "privileged", "dt_s", "reward"])
def test_values_must_be_finite(task, readings, field):
    values = getattr(readings, field).copy()
    values[1] = np.nan
    with pytest.raises(TaskError, match=f"task 'pendulum', step 7: {field} is not finite in episode 1"):
        check_readings(task, replace(readings, **{field: values}), ALL, 7)
    check_readings(task, replace(readings, **{field: values}), np.array([True, False]), 7)


@pytest.mark.parametrize("field", ["observation", "privileged", "dt_s", "reward", "terminated"])
def test_shapes_must_fit(task, readings, field):
    values = getattr(readings, field)
    for wrong in (values[:1], values[..., None], values[0]):
        with pytest.raises(TaskError, match=f"step 0: {field} has shape"):
            check_readings(task, replace(readings, **{field: wrong}), ALL, 0)


def test_dt_must_be_in_range(task, readings):
    with pytest.raises(TaskError, match=r"dt_s 0.1 s is outside the task's range 0.05 to 0.05 s"):
        check_readings(task, replace(readings, dt_s=readings.dt_s * 2), ALL, 1)


class Answering(Pendulum):
    """A pendulum whose expert answers what the test wants."""

    answer = None

    def expert(self, privileged):  # noqa: ARG002
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros(2), r"the expert gave shape \(2,\), expected \(2, 1\)"),
        (np.array([[0.0], [np.inf]]), "the expert's action is not finite in episode 1"),
        (KeyError("gain"), "the expert raised KeyError"),
        ("left", "the expert gave <U4, expected numbers"),
        (np.full((2, 1), 1j), "the expert gave complex128, expected numbers"),
        ([[0.0], [0.0, 1.0]], "the expert raised ValueError"),
        (np.array([[0.0], [1e300]]), "the expert's action is not finite in episode 1"),
        (SystemExit(0), "the expert raised SystemExit: 0"),
    ],
)
def test_bad_experts(answer, message):
    task = Answering()
    task.answer = answer
    plants = CheckedPlants(task)
    readings = plants.reset([0, 1])
    with pytest.raises(TaskError, match=f"task 'pendulum', step 0: {message}"):
        plants.expert(readings.privileged)
    with pytest.raises(TaskError, match=f"task 'pendulum': {message}"):
        expert_actions(task, readings.privileged)


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("observation", [[1.0], [1.0, 2.0]], "observation is ragged"),
        ("observation", np.full((2, 2), 1j), "observation holds complex128, expected numbers"),
        ("privileged", [["left"], ["right"]], "privileged holds <U5, expected numbers"),
        ("dt_s", np.full(2, np.datetime64("2000-01-01")), "dt_s holds datetime64"),
        ("reward", np.array([0.0, 1e300]), "reward is not finite in episode 1"),
        ("terminated", np.zeros(2), "terminated holds float64, expected booleans"),
    ],
)
def test_readings_must_be_numbers(task, readings, field, values, message):
    with pytest.raises(TaskError, match=f"step 3: {message}"):
        check_readings(task, replace(readings, **{field: values}), ALL, 3)


def test_lists_become_arrays(task, readings):
    checked = check_readings(task, replace(readings, dt_s=[0.05, 0.05], terminated=[False, True]), ALL, 0)
    np.testing.assert_array_equal(checked.dt_s, np.full(2, 0.05))
    np.testing.assert_array_equal(checked.terminated, [False, True])


class Breaking(Pendulum):
    """A pendulum whose plants come from ``make`` or, where that is None, break in ``method``."""

    make = None
    method = ""

    def make_plants(self):
        if self.make is not None:
            return self.make()
        plants = super().make_plants()

        def broken(*_):
            raise ValueError("a\nbroken wire")

        setattr(plants, self.method, broken)
        return plants


@pytest.mark.parametrize(
    ("method", "message"), [("reset", "reset"), ("step", "step 1: the plant"), ("close", "close")]
)
def test_plants_that_raise_are_one_line(method, message):
    task = Breaking()
    task.method = method
    plants = CheckedPlants(task)

    def play():
        plants.reset([0, 1])
        plants.step(np.zeros((2, 1)), ALL)
        plants.close()

    with pytest.raises(TaskError, match=f"^task 'pendulum'[:,] {message} raised ValueError: a broken wire$"):
        play()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: 1 / 0, r"make_plants\(\) raised ZeroDivisionError"),
        (lambda: 1, r"make_plants\(\) gave a int without reset, step, close"),
    ],
)
def test_plants_that_are_none(make, message):
    task = Breaking()
    task.make = make
    with pytest.raises(TaskError, match=message):
        CheckedPlants(task)


def test_readings_that_are_none(task):
    with pytest.raises(TaskError, match="step 0: the plants gave a NoneType, expected Readings"):
        check_readings(task, None, ALL, 0)


def test_a_missing_extra_stays_one(readings):
    task = Answering()
    task.answer = MissingExtraError("scipy is not installed")
    with pytest.raises(MissingExtraError):
        expert_actions(task, readings.privileged)


def test_a_controller_that_gives_nan_is_stopped(task):
    plants = CheckedPlants(task)
    plants.reset([0, 1])
    with pytest.raises(CheckFailedError, match="step 0: the controller's action is not finite in episode 1"):
        plants.step(np.array([[0.0], [np.nan]]), ALL)
    plants.step(np.array([[0.0], [np.nan]]), np.array([True, False]))


def test_steps_are_counted_from_each_reset(task):
    plants = CheckedPlants(task)
    plants.reset([0, 1])
    plants.step(np.zeros((2, 1)), ALL)
    assert plants.steps == 1
    plants.reset([0])
    assert plants.steps == 0
