"""Hold a task to its contract while it runs.

What comes from a plant or an expert that somebody wrote is checked where it arrives, so that a wrong
shape or a NaN is reported as such and not as a failed training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.errors import CheckFailedError, LtcEdgeError, TaskError
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks.protocol import Readings, Task
from ltc_edge.tasks.wording import one_line

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
_METHODS = ("make_plants", "expert")


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
    for attribute, kind in (("observations", ObservationSignal), ("actions", ActionSignal)):
        signals = getattr(task, attribute)
        if not isinstance(signals, tuple) or not signals or not all(isinstance(s, kind) for s in signals):
            raise TaskError(f"{origin}: {attribute} must be a non-empty tuple of {kind.__name__}")
        names = [signal.name for signal in signals]
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


def check_readings(task: Task, readings: Readings, active: BoolArray, step: int) -> None:
    """Check what plants reported at ``step`` (0 is the reset): all shapes, and the values of active rows.

    ``active`` has shape ``(E,)``.

    Raises:
        TaskError: a wrong shape, a value that is not finite, or a dt outside the task's range.
    """
    where = f"task {task.name!r}, step {step}"
    episodes = len(active)
    shapes = {
        "observation": (episodes, len(task.observations)),
        "dt_s": (episodes,),
        "reward": (episodes,),
        "terminated": (episodes,),
    }
    for field in fields(Readings):
        values = np.asarray(getattr(readings, field.name))
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


def expert_actions(task: Task, privileged: FloatArray, step: int | None = None) -> FloatArray:
    """``task.expert`` for states ``(E, P)``, checked: finite actions of shape ``(E, M)``.

    Raises:
        TaskError: the expert raised, or gave a wrong shape or a value that is not finite.
    """
    where = f"task {task.name!r}" if step is None else f"task {task.name!r}, step {step}"
    try:
        actions = np.asarray(task.expert(privileged), dtype=np.float64)
    except TaskError as error:
        raise TaskError(f"{where}: {error}") from None
    except LtcEdgeError:
        raise
    except Exception as error:
        raise TaskError(f"{where}: the expert raised {one_line(error)}") from error
    expected = (len(privileged), len(task.actions))
    if actions.shape != expected:
        raise TaskError(f"{where}: the expert gave shape {actions.shape}, expected {expected}")
    bad = _not_finite(actions)
    if bad.any():
        raise TaskError(f"{where}: the expert's action is not finite in episode {int(bad.argmax())}")
    return actions


class CheckedPlants:
    """A task's plants whose readings are checked at every step; itself a ``PlantBatch``."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._plants = task.make_plants()
        self.steps = 0
        """Steps since the reset."""

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes.

        Raises:
            TaskError: the readings break the contract.
        """
        self.steps = 0
        return self._checked(self._plants.reset(seeds), np.ones(len(seeds), dtype=np.bool_))

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
        return self._checked(self._plants.step(action, active), active)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The expert's actions for the states just read.

        Raises:
            TaskError: the expert raised, or gave a wrong shape or a value that is not finite.
        """
        return expert_actions(self._task, privileged, self.steps)

    def close(self) -> None:
        """Release what the plants hold."""
        self._plants.close()

    def _checked(self, readings: Readings, active: BoolArray) -> Readings:
        check_readings(self._task, readings, active, self.steps)
        return readings


def _not_finite(values: FloatArray) -> BoolArray:
    """Rows of ``(E, …)`` that hold a NaN, an infinity or no number at all, shape ``(E,)``."""
    if values.dtype == object:
        return np.ones(len(values), dtype=np.bool_)
    return np.asarray(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
