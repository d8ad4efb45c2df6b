"""Which number of the flight software is which signal."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ltc_edge import ActionSignal, ObservationSignal
from ltc_edge.deploy.px4.crazyflie import crazyflie_app
from ltc_edge.deploy.px4.fields import CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS, PX4_INPUTS, PX4_OUTPUTS
from ltc_edge.deploy.px4.flight_code import FlightSubject
from ltc_edge.deploy.px4.module import px4_module
from ltc_edge.deploy.px4.signals import connect
from ltc_edge.deploy.rate import RatePlan
from ltc_edge.errors import InputError
from ltc_edge.export.artifacts import make_artifact
from ltc_edge.export.formats import FORMATS
from ltc_edge.supervision.settings import default_settings

HOSTILE = '*/ #error "x\\ \n@{name} ??/ <marquee> $(rm) `ls` %s'


@pytest.fixture
def named(tiny_controller):
    """The tiny controller with signals of these names and units."""

    def make(first, second, action, unit="", **changes):
        observations = (ObservationSignal(first, unit), ObservationSignal(second))
        return tiny_controller(
            observations=observations, actions=(ActionSignal(action, "", -1.0, 1.0),), **changes
        )

    return make


def test_usual_names_need_no_file(named):
    found = connect(named("pitch_rate", "qw", "motor_3", "rad/s"), PX4_INPUTS, PX4_OUTPUTS, None)
    assert [str(each.place) for each in found.observations] == [
        "vehicle_angular_velocity.xyz[1]",
        "vehicle_attitude.q[0]",
    ]
    assert [str(each.place) for each in found.actions] == ["actuator_motors.control[2]"]
    assert {each.scale for each in (*found.observations, *found.actions)} == {1.0}


@pytest.mark.parametrize("fields", [PX4_INPUTS, PX4_OUTPUTS, CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS])
def test_every_usual_name_is_of_a_number_that_there_is(fields):
    for name, usual in fields.usual.items():
        assert str(fields.place(usual.path, name)) == usual.path


def test_a_usual_name_in_another_unit_is_not_taken(named):
    with pytest.raises(InputError, match=r"pitch_rate comes from must be said.*not in deg/s"):
        connect(named("pitch_rate", "qw", "motor_3", "deg/s"), PX4_INPUTS, PX4_OUTPUTS, None)


def test_nothing_on_the_crazyflie_goes_by_name_where_units_differ(named):
    with pytest.raises(InputError, match=r"qw comes from must be said.*\[observations\] qw = "):
        connect(named("qw", "qx", "motor_1"), CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[observation]", "'observation' is unknown"),
        ("observations = 1", "must be a table"),
        ('[observations]\nspeed = "x"', "there is no 'speed'; there are a, b"),
        ("[observations]\na = 1", "must be a text"),
        ('[observations]\na = { to = "vehicle_attitude.q[0]" }', "must be a text"),
        ('[observations]\na = { from = "vehicle_attitude.q[0]", gain = 2 }', "must be a text"),
        ('[observations]\na = { from = "vehicle_attitude.q[0]", scale = 0 }', "must not be zero"),
        ('[observations]\na = { from = "vehicle_attitude.q[0]", scale = 1e-60 }', "must not be zero"),
        ('[observations]\na = { from = "vehicle_attitude.q[0]", scale = nan }', "finite number"),
        ('[observations]\na = { from = "vehicle_attitude.q[0]", scale = true }', "finite number"),
        ('[observations]\na = "vehicle_attitude"', "must be like vehicle_angular_velocity.xyz[0]"),
        ('[observations]\na = "vehicle_attitude.q[0]; evil()"', "must be like"),
        ('[observations]\na = "vehicle_attitud.q[0]"', "'vehicle_attitud' is not known"),
        ('[observations]\na = "vehicle_attitude.q[4]"', "is 4 numbers"),
        ('[observations]\na = "vehicle_attitude.q"', "is 4 numbers"),
        ('[observations]\na = "vehicle_local_position.x[0]"', "is one number"),
        ('[observations]\na = "actuator_motors.control[0]"', "'actuator_motors' is not known"),
        ("[observations", "not TOML"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(named, tmp_path, text, message):
    path = tmp_path / "signals.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(message)) as refused:
        connect(named("a", "b", "motor_1"), PX4_INPUTS, PX4_OUTPUTS, path)
    assert "\n" not in str(refused.value)


def test_two_actions_do_not_drive_one_actuator(tiny_controller, tmp_path):
    controller = tiny_controller()
    two = {
        "actions": (*controller.actions, ActionSignal("other", "", -1.0, 1.0)),
        "parameters": controller.parameters
        | {"readout_weight": np.ones((2, 1), np.float32), "readout_bias": np.zeros(2, np.float32)},
        "denormalizer": type(controller.denormalizer).identity(2),
        "fallback": np.zeros(2),
    }
    path = tmp_path / "signals.toml"
    path.write_text(
        '[observations]\ntarget = "vehicle_attitude.q[0]"\nlevel = "vehicle_attitude.q[1]"\n'
        '[actions]\ndrive = "actuator_motors.control[0]"\nother = "actuator_motors.control[0]"\n'
    )
    with pytest.raises(InputError, match=r"drive and other both drive actuator_motors.control\[0\]"):
        connect(tiny_controller(**two), PX4_INPUTS, PX4_OUTPUTS, path)


def test_actions_of_two_modes_of_the_crazyflie_are_refused(tiny_controller, named, tmp_path):
    controller = tiny_controller()
    two = {
        "actions": (*controller.actions, ActionSignal("other", "", -1.0, 1.0)),
        "parameters": controller.parameters
        | {"readout_weight": np.ones((2, 1), np.float32), "readout_bias": np.zeros(2, np.float32)},
        "denormalizer": type(controller.denormalizer).identity(2),
        "fallback": np.zeros(2),
    }
    controller = tiny_controller(**two)
    path = tmp_path / "signals.toml"
    path.write_text(
        '[observations]\ntarget = "sensors.gyro.x"\nlevel = "state.acc.z"\n'
        '[actions]\ndrive = "control.roll"\nother = "control.torqueX"\n'
    )
    connections = connect(controller, CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS, path)
    artifact = make_artifact(FORMATS["c-float32"], controller, None, "tiny")
    with pytest.raises(InputError, match="does not take together"):
        crazyflie_app(
            FlightSubject(
                controller, artifact, default_settings(controller), connections, RatePlan(0.001, 20)
            )
        )


def test_names_of_people_stay_text(named, tmp_path):
    first = HOSTILE.replace("\n", " ")
    controller = named(first, "qw", "motor_1", "*/ <b>", name=HOSTILE)
    quoted = first.replace("\\", "\\\\").replace('"', '\\"')
    artifact = make_artifact(FORMATS["c-float32"], controller, None, "tiny")
    settings, plan = default_settings(controller), RatePlan(0.02, 1)
    path = tmp_path / "signals.toml"
    path.write_text(f'[observations]\n"{quoted}" = "vehicle_attitude.q[1]"\n')
    topics = connect(controller, PX4_INPUTS, PX4_OUTPUTS, path)
    px4 = px4_module(FlightSubject(controller, artifact, settings, topics, plan))
    path.write_text(f'[observations]\n"{quoted}" = "sensors.acc.x"\nqw = "sensors.acc.y"\n')
    connections = connect(controller, CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS, path)
    crazyflie = crazyflie_app(FlightSubject(controller, artifact, settings, connections, plan))
    for code in (px4, crazyflie):
        for name, content in code.files.items():
            text = content.decode()
            if "controller/" in name or name.startswith("src/tiny."):
                continue  # the generated C, which has tests of its own
            assert "<marquee>" not in text or name.endswith(".c"), name
            if not name.endswith(".md"):
                assert "marquee" not in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), name
