"""Which of a plant's quantities the controller may see.

Every built-in task comes in two variants: ``positions`` hides the velocities, so that the controller
has to remember; ``full`` shows all there is. The expert sees the full state either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.errors import TaskError
from ltc_edge.signals import ObservationSignal

SENSOR_VARIANTS = ("positions", "full")


@dataclass(frozen=True)
class Sensor:
    """A quantity a plant reports; ``hidden`` ones are left out of the ``positions`` variant."""

    name: str
    unit: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Selection:
    """The sensors a controller gets.

    Attributes:
        signals: their names and units, in order.
        columns: where they stand among all of the plant's sensors.
    """

    signals: tuple[ObservationSignal, ...]
    columns: tuple[int, ...]


def select(sensors: Sequence[Sensor], variant: str) -> Selection:
    """The sensors of ``variant``.

    Raises:
        TaskError: the variant is neither ``positions`` nor ``full``.
    """
    if variant not in SENSOR_VARIANTS:
        raise TaskError(f"unknown sensors {variant!r}: choose {' or '.join(SENSOR_VARIANTS)}")
    shown = [
        (column, sensor) for column, sensor in enumerate(sensors) if variant == "full" or not sensor.hidden
    ]
    return Selection(
        signals=tuple(ObservationSignal(sensor.name, sensor.unit) for _, sensor in shown),
        columns=tuple(column for column, _ in shown),
    )
