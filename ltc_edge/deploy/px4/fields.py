"""Where flight software has numbers: the topics of PX4, and what the Crazyflie's stabiliser hands over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ltc_edge.errors import InputError

_PATH = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\.([A-Za-z][A-Za-z0-9_.]*)(?:\[(\d{1,3})\])?")

Counts = Mapping[str, int]
"""Name of a field → how many numbers it is: 0 for one that is no array."""


@dataclass(frozen=True)
class Place:
    """One number of flight software: ``vehicle_attitude.q[0]``, ``sensors.gyro.x``.

    Attributes:
        group: the topic or the structure.
        field: in it.
        index: in the field; None where that is no array.
    """

    group: str
    field: str
    index: int | None

    def __str__(self) -> str:
        return f"{self.group}.{self.member}"

    @property
    def member(self) -> str:
        """The field as C and C++ write it."""
        return self.field if self.index is None else f"{self.field}[{self.index}]"


@dataclass(frozen=True)
class Usual:
    """What a number is usually called, and its unit where one is declared."""

    path: str
    unit: str


@dataclass(frozen=True)
class Fields:
    """The numbers that can be read, or written.

    Attributes:
        groups: fields of each topic or structure.
        usual: numbers by what controllers usually call them.
    """

    groups: Mapping[str, Counts]
    usual: Mapping[str, Usual] = field(default_factory=dict)

    def place(self, path: str, where: str) -> Place:
        """What a path names.

        Args:
            path: such as ``vehicle_attitude.q[0]``.
            where: who says so, for messages.

        Raises:
            InputError: it is no path, or there is no such number.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise InputError(f"{where}: {path[:80]!r} must be like {self._example()}")
        group, name, index = found[1], found[2], None if found[3] is None else int(found[3])
        if group not in self.groups:
            raise InputError(f"{where}: {group!r} is not known; known are {', '.join(sorted(self.groups))}")
        fields = self.groups[group]
        if name not in fields:
            raise InputError(f"{where}: {group} has no {name!r}; it has {', '.join(fields)}")
        if (index is None) != (fields[name] == 0) or (index or 0) >= max(fields[name], 1):
            size = f"{fields[name]} numbers" if fields[name] else "one number"
            raise InputError(f"{where}: {path} is not there: {group}.{name} is {size}")
        return Place(group, name, index)

    def _example(self) -> str:
        group, fields = next(iter(self.groups.items()))
        name, count = next(iter(fields.items()))
        return f"{group}.{name}" + ("[0]" if count else "")


def _usual(names: str, path: str, unit: str) -> dict[str, Usual]:
    """Names of the numbers of one array, in its order."""
    return {name: Usual(path.format(index), unit) for index, name in enumerate(names.split())}


def _numbered(name: str, path: str, count: int) -> dict[str, Usual]:
    return {name.format(index + 1): Usual(path.format(index), "") for index in range(count)}


def _single(names: str, prefix: str = "") -> dict[str, int]:
    """Fields that are one number each."""
    return {f"{prefix}{name}": 0 for name in names.split()}


PX4_INPUTS = Fields(
    {
        "vehicle_angular_velocity": {"xyz": 3, "xyz_derivative": 3},
        "vehicle_attitude": {"q": 4},
        "vehicle_acceleration": {"xyz": 3},
        "vehicle_local_position": _single("x y z vx vy vz ax ay az heading"),
        "vehicle_rates_setpoint": {**_single("roll pitch yaw"), "thrust_body": 3},
        "vehicle_attitude_setpoint": {"q_d": 4, "thrust_body": 3},
        "trajectory_setpoint": {
            **dict.fromkeys(("position", "velocity", "acceleration"), 3),
            **_single("yaw yawspeed"),
        },
        "manual_control_setpoint": _single("roll pitch yaw throttle"),
    },
    {
        **_usual("roll_rate pitch_rate yaw_rate", "vehicle_angular_velocity.xyz[{}]", "rad/s"),
        **_usual("qw qx qy qz", "vehicle_attitude.q[{}]", ""),
        **_usual("accel_x accel_y accel_z", "vehicle_acceleration.xyz[{}]", "m/s^2"),
        **{axis: Usual(f"vehicle_local_position.{axis}", "m") for axis in "xyz"},
        **{f"v{axis}": Usual(f"vehicle_local_position.v{axis}", "m/s") for axis in "xyz"},
        **{
            f"{axis}_rate_setpoint": Usual(f"vehicle_rates_setpoint.{axis}", "rad/s")
            for axis in ("roll", "pitch", "yaw")
        },
    },
)
"""What PX4 publishes; the time of each topic is its ``timestamp``, in microseconds."""

PX4_OUTPUTS = Fields(
    {
        "vehicle_torque_setpoint": {"xyz": 3},
        "vehicle_thrust_setpoint": {"xyz": 3},
        "actuator_motors": {"control": 12},
        "actuator_servos": {"control": 8},
        "vehicle_rates_setpoint": {**_single("roll pitch yaw"), "thrust_body": 3},
    },
    {
        **_usual("roll_torque pitch_torque yaw_torque", "vehicle_torque_setpoint.xyz[{}]", ""),
        **_numbered("motor_{}", "actuator_motors.control[{}]", 12),
        **_numbered("servo_{}", "actuator_servos.control[{}]", 8),
    },
)
"""What PX4's control allocation and its actuators listen to."""

NAN_WHERE_UNUSED = frozenset({"actuator_motors", "actuator_servos"})
"""Topics in which what is not driven is NaN, so that it stays disarmed."""

HAS_SAMPLE = frozenset(
    {"vehicle_torque_setpoint", "vehicle_thrust_setpoint", "actuator_motors", "actuator_servos"}
)
"""Outputs that say in ``timestamp_sample`` when what they rest on was measured."""

CRAZYFLIE_INPUTS = Fields(
    {
        "sensors": {name: 0 for vector in ("gyro", "acc", "mag") for name in _single("x y z", f"{vector}.")},
        "state": {
            **_single("roll pitch yaw", "attitude."),
            **_single("w x y z", "attitudeQuaternion."),
            **{
                name: 0
                for vector in ("position", "velocity", "acc")
                for name in _single("x y z", f"{vector}.")
            },
        },
        "setpoint": {
            **{
                name: 0
                for angles in ("attitude", "attitudeRate")
                for name in _single("roll pitch yaw", f"{angles}.")
            },
            **{name: 0 for vector in ("position", "velocity") for name in _single("x y z", f"{vector}.")},
            "thrust": 0,
        },
    }
)
"""What the Crazyflie's stabiliser hands to a controller. Its angles are in degrees and its accelerations in
g, so that nothing goes by name alone."""

CRAZYFLIE_OUTPUTS = Fields(
    {"control": {**_single("roll pitch yaw thrust thrustSi torqueX torqueY torqueZ"), "normalizedForces": 4}},
    _numbered("motor_{}", "control.normalizedForces[{}]", 4),
)
"""What the Crazyflie's power distribution takes, in one of its modes."""
