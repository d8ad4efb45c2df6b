"""Hold a task to its contract while it runs.

What comes from a plant or an expert that somebody wrote is checked where it arrives, so that a wrong
shape or a NaN is reported as such and not as a failed training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.errors import CheckFailedError, TaskError
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks.protocol import PlantBatch, Readings, Task
from ltc_edge.tasks.wording import foreign_code

_ATTRIBUTES = (
    "name",
    "summary",
    "observations",
    "actions",
    "period_s",
    "dt_range_s",
    "max_steps",
    "reward_threshold",
)
_NUMERIC = "biuf"
"""Kinds of NumPy's dtypes that are real numbers."""
_METHODS = ("make_plants", "expert")

MAX_MAGNITUDE = 1e30
"""Largest reading or action: it fits into the float32 of training, and its square into float64."""


def check_task(task: object, origin: str) -> None:
    """Check that ``task`` has all that the ``Task`` protocol asks for; ``origin`` names it in messages.

    Raises:
        TaskError: something is missing, or a signal or time makes no sense.
    """
    missing = [name for name in _ATTRIBUTES if not hasattr(task, name)]
    missing += [f"{name}()" for name in _METHODS if not callable(getattr(task, name, None))]
    if missing:
        raise TaskError(
            f"{origin} is not a task: a {type(task).__name__} without {', '.join(missing)}; "
            "see ltc_edge.tasks.Task"
        )
    name = getattr(task, "name", None)
    if not isinstance(name, str) or not name:
        raise TaskError(f"{origin}: name must be text, not {name!r}")
    for attribute, kind in (("observations", ObservationSignal), ("actions", ActionSignal)):
        signals = getattr(task, attribute)
        if not isinstance(signals, tuple) or not signals or not all(isinstance(s, kind) for s in signals):
            raise TaskError(f"{origin}: {attribute} must be a non-empty tuple of {kind.__name__}")
        names = [signal.name for signal in signals]
        if not all(isinstance(name, str) and name for name in names):
            raise TaskError(f"{origin}: {attribute} must have names, not {', '.join(map(repr, names))}")
        if len(set(names)) < len(names):
            raise TaskError(f"{origin}: {attribute} must have different names, not {', '.join(names)}")
    _check_times(task, origin)


def _check_times(task: object, origin: str) -> None:
    period_s, dt_range_s = getattr(task, "period_s", None), getattr(task, "dt_range_s", None)
    max_steps = getattr(task, "max_steps", None)
    try:
        low, high = (float(bound) for bound in dt_range_s or ())
        sound = 0 < low <= float(period_s or 0) <= high < np.inf
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise TaskError(
            f"{origin}: dt_range_s must be two times in seconds with the period between them, "
            f"not {dt_range_s!r} with period_s {period_s!r}"
        )
    if not isinstance(max_steps, int) or max_steps < 1:
        raise TaskError(f"{origin}: max_steps must be a positive integer, not {max_steps!r}")


def check_readings(task: Task, readings: Readings, active: BoolArray, step: int) -> Readings:
    """Check what plants reported at ``step`` (0 is the reset): all shapes, and the values of active rows.

    ``active`` has shape ``(E,)``. Returns the readings, as arrays where they were lists.

    Raises:
        TaskError: no readings, a wrong shape, a value that is not finite, or a dt outside the task's range.
    """
    where = f"task {task.name!r}, step {step}"
    readings = _as_arrays(readings, where)
    episodes = len(active)
    shapes = {
        "observation": (episodes, len(task.observations)),
        "dt_s": (episodes,),
        "reward": (episodes,),
        "terminated": (episodes,),
    }
    for field in fields(Readings):
        values = getattr(readings, field.name)
        # The width of the privileged state is the task's own affair.
        expected = shapes.get(field.name, (episodes, values.shape[1] if values.ndim > 1 else 1))
        if values.shape != expected:
            raise TaskError(f"{where}: {field.name} has shape {values.shape}, expected {expected}")
        bad = _not_finite(values) & active
        if bad.any():
            raise TaskError(f"{where}: {field.name} is not finite in episode {int(bad.argmax())}")
    low, high = task.dt_range_s
    # A period that was computed may differ from the declared one in its last bits.
    outside = ((readings.dt_s < low * (1 - 1e-9)) | (readings.dt_s > high * (1 + 1e-9))) & active
    if outside.any():
        worst = float(readings.dt_s[outside][0])
        raise TaskError(f"{where}: dt_s {worst:g} s is outside the task's range {low:g} to {high:g} s")
    return readings


def _as_arrays(readings: Readings, where: str) -> Readings:
    """``readings`` with every field an array: of numbers, or of booleans for ``terminated``."""
    arrays = {}
    for field in fields(Readings):
        if not hasattr(readings, field.name):
            raise TaskError(f"{where}: the plants gave a {type(readings).__name__}, expected Readings")
        try:
            values = np.asarray(getattr(readings, field.name))
        except ValueError:
            raise TaskError(f"{where}: {field.name} is ragged, expected an array") from None
        if values.dtype.kind not in ("b" if field.name == "terminated" else _NUMERIC):
            wanted = "booleans" if field.name == "terminated" else "numbers"
            raise TaskError(f"{where}: {field.name} holds {values.dtype}, expected {wanted}")
        arrays[field.name] = values
    return Readings(**arrays)


def expert_actions(task: Task, privileged: FloatArray, step: int | None = None) -> FloatArray:
    """``task.expert`` for states ``(E, P)``, checked: finite actions of shape ``(E, M)``.

    Raises:
        TaskError: the expert raised, or gave a wrong shape or a value that is not finite.
    """
    where = f"task {task.name!r}" if step is None else f"task {task.name!r}, step {step}"
    try:
        with foreign_code("the expert"):
            actions = np.asarray(task.expert(privileged))
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from error.__cause__
    if actions.dtype.kind not in _NUMERIC:
        raise TaskError(f"{where}: the expert gave {actions.dtype}, expected numbers")
    actions = actions.astype(np.float64)
    expected = (len(privileged), len(task.actions))
    if actions.shape != expected:
        raise TaskError(f"{where}: the expert gave shape {actions.shape}, expected {expected}")
    bad = _not_finite(actions)
    if bad.any():
        raise TaskError(f"{where}: the expert's action is not finite in episode {int(bad.argmax())}")
    return actions


class CheckedPlants:
    """A task's plants whose readings are checked at every step; itself a ``PlantBatch``.

    Args:
        task: the task.
        make: makes its plants; ``task.make_plants`` where not given.
    """

    def __init__(self, task: Task, make: Callable[[], PlantBatch] | None = None) -> None:
        self._task = task
        with foreign_code(f"task {task.name!r}: make_plants()"):
            self._plants = (make or task.make_plants)()
        missing = [name for name in ("reset", "step", "close") if not hasattr(self._plants, name)]
        if missing:
            raise TaskError(
                f"task {task.name!r}: make_plants() gave a {type(self._plants).__name__} without "
                f"{', '.join(missing)}; see ltc_edge.tasks.PlantBatch"
            )
        self.steps = 0
        """Steps since the reset."""

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes.

        Raises:
            TaskError: the readings break the contract.
        """
        self.steps = 0
        with foreign_code(f"task {self._task.name!r}: reset"):
            readings = self._plants.reset(seeds)
        return self._checked(readings, np.ones(len(seeds), dtype=np.bool_))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows.

        Raises:
            CheckFailedError: the controller's action is not finite.
            TaskError: the readings break the contract.
        """
        lost = _not_finite(action) & active
        if lost.any():
            raise CheckFailedError(
                f"task {self._task.name!r}, step {self.steps}: the controller's action is not finite "
                f"in episode {int(lost.argmax())}"
            )
        self.steps += 1
        with foreign_code(f"task {self._task.name!r}, step {self.steps}: the plant"):
            readings = self._plants.step(action, active)
        return self._checked(readings, active)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The expert's actions for the states just read.

        Raises:
            TaskError: the expert raised, or gave a wrong shape or a value that is not finite.
        """
        return expert_actions(self._task, privileged, self.steps)

    def close(self) -> None:
        """Release what the plants hold."""
        with foreign_code(f"task {self._task.name!r}: close"):
            self._plants.close()

    def _checked(self, readings: Readings, active: BoolArray) -> Readings:
        return check_readings(self._task, readings, active, self.steps)


def _not_finite(values: FloatArray) -> BoolArray:
    """Rows of ``(E, …)`` that hold a NaN, an infinity or what is as good as one, shape ``(E,)``."""
    return np.asarray(~(np.abs(values.reshape(len(values), -1)) <= MAX_MAGNITUDE).all(axis=1))
