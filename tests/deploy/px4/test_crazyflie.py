"""A generated controller of the Crazyflie, stepped by hand, and compiled for its processor."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.deploy.px4.crazyflie import STABILISER_HZ, crazyflie_app
from ltc_edge.deploy.px4.fields import CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS
from ltc_edge.deploy.px4.flight_code import FlightSubject
from ltc_edge.deploy.px4.signals import connect
from ltc_edge.deploy.rate import plan_rate
from ltc_edge.deploy.sources import trusted_sources
from ltc_edge.errors import InputError
from ltc_edge.supervision.codes import Mode
from ltc_edge.supervision.settings import default_settings
from ltc_edge.supervision.supervisor import Input

HERE = Path(__file__).parent
STUBS = HERE / "stubs" / "crazyflie"
ARM, STALE = 1, 0x100
EVERY = 20

# What the firmware's Makefile has for the STM32F405, and here.
FLAGS = ["-std=gnu11", "-Os", "-Werror", "-Wall", "-Wmissing-braces", "-Wdouble-promotion"]
FLAGS += ["-fno-strict-aliasing", "-fno-math-errno", "-ffunction-sections", "-fdata-sections"]
CORTEX_M4F = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]

SIGNALS = """
[observations]
target = "setpoint.attitude.roll"
level = { from = "state.attitude.roll", scale = 0.5 }
[actions]
drive = { to = "control.roll", scale = 20000 }
"""


def app(bundle, folder, text=SIGNALS):
    (folder / "signals.toml").write_text(text)
    controller = bundle.controller
    connections = connect(controller, CRAZYFLIE_INPUTS, CRAZYFLIE_OUTPUTS, folder / "signals.toml")
    artifact = trusted_sources(bundle, "c-float32")
    plan = plan_rate(controller.timing, STABILISER_HZ)
    return crazyflie_app(FlightSubject(controller, artifact, default_settings(controller), connections, plan))


@pytest.fixture(scope="module")
def folder(flight_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crazyflie")
    for path, content in app(flight_bundle, folder).files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def sources(folder):
    """Those that Kbuild names, which are all there are."""
    kbuild = (folder / "src" / "Kbuild").read_text().split("\n")
    named = [line.split()[-1].replace(".o", ".c") for line in kbuild if line.startswith("obj-y")]
    assert sorted(named) == sorted(path.name for path in (folder / "src").glob("*.c"))
    return [folder / "src" / name for name in named]


def flags_of(folder):
    kbuild = (folder / "src" / "Kbuild").read_text()
    own = [word for line in kbuild.split("\n") if line.startswith("ccflags-y") for word in line.split()[2:]]
    return [*FLAGS, *own, f"-I{folder / 'src'}", f"-I{STUBS}"]


@pytest.fixture(scope="module")
def program(folder, sources, build):
    return build(folder, [*sources, HERE / "drive_crazyflie.c"], flags_of(folder), [], ["-lm"])


def drive(program, calls):
    def of(value):
        return f"{np.float32(value).view(np.uint32):08x}"

    lines = (" ".join([*map(str, call[:5]), of(call[5]), of(call[6])]) for call in calls)
    done = subprocess.run(
        [program], input="\n".join(lines), capture_output=True, text=True, timeout=60, check=True
    )
    passed, *said = done.stdout.splitlines()
    assert passed == "1"
    return [line.split() for line in said]


def calls(count, allowed, seed=3):
    """Calls of the stabiliser: tick, time, when was read, tick of the setpoint, mode allowed, two values."""
    rng = np.random.default_rng(seed)
    for tick in range(20_000, 20_000 + count):
        now = 1000 * tick + int(rng.integers(0, 300))
        yield (tick, now, now - int(rng.integers(0, 900)), tick - 5, allowed, *rng.normal(0, 0.7, 2))


def test_every_step_is_that_of_the_verified_c_to_the_bit(program, twin):
    made = list(calls(60 * EVERY, 2))
    said = drive(program, made)
    twin.start()
    micro, last = np.float32(1e-6), 0
    for index in range(0, len(made), EVERY):
        tick, now, sensed, told, _, target, level = made[index]
        dt = np.float32(now - last if last else 20_000) * micro
        last = now
        ages = np.float32(tick - told) * np.float32(1e-3), np.float32(now - sensed) * micro
        reading = np.float32(target), np.float32(level) * np.float32(0.5)
        other = twin.step(
            Input(tuple(map(float, reading)), float(dt), age_s=tuple(map(float, ages)), requests=ARM)
        )
        held = said[index : index + EVERY]
        assert all(each[:7] == held[0][:7] for each in held)  # its action is held in between
        mode, roll, pitch, thrust, own_mode, status, own_dt, proposal = held[0]
        assert (Mode(int(own_mode)), int(status)) == (other.mode, other.status)
        assert int(own_dt, 16) == dt.view(np.uint32)
        assert int(proposal, 16) == np.float32(other.proposal[0]).view(np.uint32)
        if other.mode == Mode.ACTIVE:
            wanted = np.float32(other.action[0]) * np.float32(20_000)
            assert int(roll) == int(np.rint(wanted))
            assert (mode, pitch, thrust) == ("0", "22", "33")  # the rest is the PID controller's
    assert other.mode == Mode.ACTIVE


def test_the_pid_controller_flies_in_the_shadow_and_after_a_fault(program):
    shadow = drive(program, calls(40 * EVERY, 1))
    assert {each[1] for each in shadow} == {"11"}
    assert {each[4] for each in shadow} == {"1"}
    assert len({each[7] for each in shadow}) > 20  # it computes

    made = [list(call) for call in calls(60 * EVERY, 2)]
    for call in made[20 * EVERY : 45 * EVERY]:
        call[2] = made[20 * EVERY][2]  # the readings stand still
    said = drive(program, made)
    stale = [each for each in said if int(each[5]) & STALE]
    assert stale
    assert {(each[1], each[4]) for each in stale} == {("11", "3")}
    assert said[-1][4] == "2"


def test_it_compiles_for_the_crazyflies_processor(folder, sources, tmp_path):
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("no arm-none-eabi-gcc")
    command = [compiler, *CORTEX_M4F, *flags_of(folder), "-c", *map(str, sources)]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    sized = subprocess.run(
        ["arm-none-eabi-size", "-t", *sorted(path.name for path in tmp_path.glob("*.o"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    code, data, zeroed = (int(word) for word in sized.stdout.split("\n")[-2].split()[:3])
    assert 4_000 < code < 40_000
    assert data + zeroed < 1_000
    undefined = subprocess.run(
        ["arm-none-eabi-nm", "-u", *map(str, tmp_path.glob("*.o"))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not {"malloc", "calloc", "realloc", "free", "_sbrk"} & set(undefined.split())


def test_actions_of_one_mode_of_the_power_distribution_go_together(flight_bundle, tmp_path):
    files = app(flight_bundle, tmp_path, SIGNALS.replace("control.roll", "control.normalizedForces[3]")).files
    source = files["src/out_of_tree_controller.c"].decode()
    assert "control->controlMode = controlModeForce;" in source
    assert "memset(control, 0" in source
    with pytest.raises(InputError, match=r"control has no 'rolls'; it has roll"):
        app(flight_bundle, tmp_path, SIGNALS.replace("control.roll", "control.rolls"))
