"""``ltc-edge deploy --px4`` and ``--crazyflie`` as a user meets them."""

import json

import pytest

SIGNALS = """
[observations]
target = "{}"
level = "{}"
[actions]
drive = "{}"
"""
PX4 = SIGNALS.format(
    "vehicle_rates_setpoint.roll", "vehicle_angular_velocity.xyz[0]", "actuator_motors.control[0]"
)
CRAZYFLIE = SIGNALS.format("setpoint.attitudeRate.roll", "sensors.gyro.x", "control.roll")


@pytest.fixture
def signals(tmp_path):
    def write(text):
        path = tmp_path / "signals.toml"
        path.write_text(text)
        return path

    return write


def test_a_module_of_px4_is_written_once(cli, lag_bundle, signals, tmp_path):
    arguments = ("deploy", lag_bundle, "--px4", tmp_path / "module", "--signals", signals(PX4))
    out, _ = cli(*arguments, "--dry-run", "--json")
    document = json.loads(out)
    assert document["written"] is False
    assert not (tmp_path / "module").exists()
    assert document["reads"] == {
        "target": "vehicle_rates_setpoint.roll",
        "level": "vehicle_angular_velocity.xyz[0]",
    }
    assert document["drives"] == {"drive": "actuator_motors.control[0]"}
    assert (document["step_s"], document["every"]) == (pytest.approx(0.02), 1)
    out, _ = cli(*arguments)
    assert "never flew" in out
    written = sorted(
        str(path.relative_to(tmp_path / "module")) for path in (tmp_path / "module").rglob("*.*")
    )
    assert set(written) >= {"CMakeLists.txt", "ltc_tiny.cpp", "module.yaml", "supervisor/ltc_supervisor.c"}
    _, err = cli(*arguments, expect=2)
    assert "exists" in err
    cli(*arguments, "--force", "--rate", 1000)
    assert "kPeriodUs = 20000;" in (tmp_path / "module" / "ltc_tiny.hpp").read_text()


def test_what_is_printed_has_unit_and_scale(cli, lag_bundle, signals, tmp_path):
    scaled = PX4.replace(
        '"actuator_motors.control[0]"', '{ to = "actuator_motors.control[0]", scale = -0.1 }'
    )
    arguments = ("deploy", lag_bundle, "--px4", tmp_path, "--signals", signals(scaled), "--dry-run")
    assert "actuator_motors.control[0] is -0.1 · drive" in cli(*arguments)[0]
    assert json.loads(cli(*arguments, "--json")[0])["scales"]["drive"] == pytest.approx(-0.1)


def test_a_loop_that_is_faster_than_the_controller_is_px4s_clock_divided(cli, lag_bundle, signals, tmp_path):
    arguments = ("deploy", lag_bundle, "--px4", tmp_path / "module", "--signals", signals(PX4), "--json")
    document = json.loads(cli(*arguments, "--rate", 1000)[0])
    assert (document["step_s"], document["every"]) == (pytest.approx(0.02), 20)
    assert "kPeriodUs = 20000;" in (tmp_path / "module" / "ltc_tiny.hpp").read_text()


def test_the_crazyflie_steps_the_controller_every_so_many_calls(cli, lag_bundle, signals, tmp_path):
    arguments = ("deploy", lag_bundle, "--crazyflie", tmp_path / "app", "--signals", signals(CRAZYFLIE))
    document = json.loads(cli(*arguments, "--json")[0])
    assert (document["name"], document["every"]) == ("out_of_tree_controller", 20)
    assert "#define EVERY 20U" in (tmp_path / "app" / "src" / "out_of_tree_controller.c").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--px4", "x"), "name it with --signals"),
        (("--px4", "x", "--crazyflie", "y"), "say where to deploy to, and once"),
        (("--crazyflie", "x", "--rate", "500"), "--crazyflie does not take --rate"),
        (("--px4", "x", "--rate", "1"), "10 to 80 ms"),
        (("--px4", "x", "--format", "c-int16"), "has no c-int16"),
        (("--px4", "x", "--signals", "nowhere.toml"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_one_line(cli, lag_bundle, signals, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    if "--rate" in arguments:
        arguments = (*arguments, "--signals", signals(PX4))
    out, err = cli("deploy", lag_bundle, *arguments, expect=2)
    assert message in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "x").exists()
