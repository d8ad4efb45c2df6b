"""A generated module of PX4, stepped by hand, against the same supervisor and C in this process."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.deploy.px4.fields import PX4_INPUTS, PX4_OUTPUTS
from ltc_edge.deploy.px4.flight_code import FlightSubject
from ltc_edge.deploy.px4.module import px4_module
from ltc_edge.deploy.px4.signals import connect
from ltc_edge.deploy.rate import RatePlan
from ltc_edge.deploy.sources import trusted_sources
from ltc_edge.supervision.codes import Mode
from ltc_edge.supervision.settings import default_settings
from ltc_edge.supervision.supervisor import Input

HERE = Path(__file__).parent
STUBS = HERE / "stubs" / "px4"

ARM, STALE = 1, 0x100

# What PX4 v1.15 compiles everything with, in cmake/px4_add_common_flags.cmake.
PX4_FLAGS = (HERE / "px4_flags.txt").read_text().split()
C_FLAGS = ["-std=gnu11", "-fno-common", "-Wbad-function-cast", "-Wnested-externs", "-Wstrict-prototypes"]
CXX_FLAGS = ["-std=gnu++17", "-fcheck-new", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
CXX_FLAGS += ["-Wreorder", "-Wno-overloaded-virtual"]

SIGNALS = """
[observations]
target = "vehicle_rates_setpoint.roll"
level = { from = "vehicle_angular_velocity.xyz[1]", scale = 0.5 }
[actions]
drive = { to = "actuator_motors.control[2]", scale = 0.75 }
"""


@pytest.fixture(scope="module")
def code(flight_bundle, tmp_path_factory):
    signals = tmp_path_factory.mktemp("signals") / "signals.toml"
    signals.write_text(SIGNALS)
    controller = flight_bundle.controller
    subject = FlightSubject(
        controller,
        trusted_sources(flight_bundle, "c-float32"),
        default_settings(controller),
        connect(controller, PX4_INPUTS, PX4_OUTPUTS, signals),
        RatePlan(controller.timing.period_s, 1),
    )
    return px4_module(subject)


@pytest.fixture(scope="module")
def folder(code, tmp_path_factory):
    folder = tmp_path_factory.mktemp("module") / code.name
    for path, content in code.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def flags_of(folder):
    """Flags of PX4 and then the module's own, from its CMakeLists.txt, as CMake orders them."""
    text = (folder / "CMakeLists.txt").read_text()
    own = text[text.index("COMPILE_FLAGS") : text.index("INCLUDES")].split()[1:]
    includes = [f"-I{each}" for each in (folder, folder / "controller", folder / "supervisor", STUBS)]
    return [*PX4_FLAGS, '-DMODULE_NAME="ltc_tiny"', *own, *includes]


@pytest.fixture(scope="module")
def program(folder, build):
    text = (folder / "CMakeLists.txt").read_text()
    named = text[text.index("SRCS") : text.index("MODULE_CONFIG")].split()[1:]
    assert sorted(named) == sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.suffix in (".c", ".cpp") or path.name == "ltc_tiny.hpp"
    )
    flags = flags_of(folder)
    sources = [folder / name for name in named if not name.endswith(".hpp")]
    return build(folder, [*sources, HERE / "drive_module.cpp"], [*flags, *C_FLAGS], [*flags, *CXX_FLAGS])


@dataclasses.dataclass
class Step:
    """A line of the driver's input; times in microseconds, 0 for nothing published."""

    now: int
    parameter: int
    armed: int
    roll: float
    rate: float
    rates_at: int
    gyro_at: int
    motors_at: int = 0
    motor: float = 0.0

    def line(self):
        def of(value):
            return f"{np.float32(value).view(np.uint32):08x}"

        return (
            f"{self.now} {self.parameter} {self.armed} {self.rates_at} {of(self.roll)} {self.gyro_at} "
            f"{of(self.rate)} {self.motors_at} {of(self.motor)}"
        )


@dataclasses.dataclass
class Said:
    mode: Mode
    status: int
    dt_s: np.float32
    proposal: np.float32
    action: np.float32
    published: int
    motor: np.float32
    others_off: bool
    sample: int
    allocations: int

    @classmethod
    def of(cls, line):
        words = line.split()
        floats = {index: np.uint32(int(words[index], 16)).view(np.float32) for index in (2, 3, 4, 6)}
        rest = {index: int(words[index]) for index in (0, 1, 5, 7, 8, 9)}
        fields = [floats.get(index, rest.get(index)) for index in range(10)]
        return cls(Mode(fields[0]), *fields[1:7], bool(fields[7]), *fields[8:])


def drive(program, steps):
    lines = "\n".join(step.line() for step in steps)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, timeout=60, check=True)
    first, *said, last = done.stdout.splitlines()
    assert first == "0 20000"  # started, at the native period
    assert last == "0 0 0"  # status, stop, and then cleared from the queue
    return [Said.of(line) for line in said]


def flown(count, seed=1):
    """Steps at about the native period, armed and active, everything fresh."""
    rng = np.random.default_rng(seed)
    now = 1_000_000
    for _ in range(count):
        now += int(rng.integers(11_000, 29_000))
        roll, rate = rng.normal(0, 0.6), rng.normal(0, 0.8)
        yield Step(
            now, 2, 1, roll, rate, now - int(rng.integers(0, 9_000)), now - int(rng.integers(0, 9_000))
        )


def expected(twin, steps):
    """The same steps by the supervisor and the C in this process, armed."""
    twin.start()
    micro, last, seen = np.float32(1e-6), 0, [0, 0]
    readings = [np.float32(0), np.float32(0)]
    for step in steps:
        for index, (at, reading) in enumerate(((step.rates_at, step.roll), (step.gyro_at, step.rate))):
            if at:
                seen[index], readings[index] = at, np.float32(reading)
        passed = step.now - last if last else 20_000
        last = step.now
        ages = [np.float32(step.now - at) * micro if at else np.float32(np.inf) for at in seen]
        observed = [readings[0], readings[1] * np.float32(0.5)]
        missed = max((passed + 10_000) // 20_000 - 1, 0)
        external = (float(np.float32(step.motor) / np.float32(0.75)) if step.motors_at else float("nan"),)
        yield twin.step(
            Input(
                tuple(map(float, observed)),
                float(np.float32(passed) * micro),
                age_s=tuple(map(float, ages)),
                external=external,
                missed=missed,
                requests=ARM,
            )
        )


def test_every_step_is_that_of_the_verified_c_to_the_bit(program, twin):
    steps = list(flown(150))
    said = drive(program, steps)
    others = list(expected(twin, steps))
    assert [each.mode for each in said] == [each.mode for each in others]
    assert [each.status for each in said] == [each.status for each in others]
    for own, other in zip(said, others, strict=True):
        assert own.proposal.tobytes() == np.float32(other.proposal[0]).tobytes()
        assert own.action.tobytes() == np.float32(other.action[0]).tobytes()
        assert own.motor.tobytes() == (own.action * np.float32(0.75)).tobytes()
    assert said[-1].mode == Mode.ACTIVE
    assert [each.published for each in said] == list(range(1, len(steps) + 1))
    assert all(each.others_off for each in said)
    assert [each.sample for each in said] == [each.rates_at for each in steps]
    assert {each.allocations for each in said} == {0}


def test_a_topic_that_dies_leads_to_the_fallback_and_back_when_it_lives(program, twin):
    steps = list(flown(90))
    for step in steps[30:60]:
        step.gyro_at = 0
    said = drive(program, steps)
    others = list(expected(twin, steps))
    assert [(each.mode, each.status) for each in said] == [(each.mode, each.status) for each in others]
    assert [each.action for each in said] == [np.float32(each.action[0]) for each in others]
    stale = [index for index, each in enumerate(said) if each.status & STALE]
    assert stale
    assert stale[0] > 30
    assert stale[-1] == 59
    assert {said[index].mode for index in stale} == {Mode.FALLBACK}
    assert said[-1].mode == Mode.ACTIVE


def test_nothing_is_published_before_it_may_act(program):
    """In the shadow, off, disarmed, and where the flight is terminated."""
    steps = list(flown(60))
    for step, (parameter, armed) in zip(steps, [(1, 1), (0, 1), (2, 0), (2, 2)] * 15, strict=True):
        step.parameter, step.armed = parameter, armed
    said = drive(program, steps)
    assert {each.published for each in said} == {0}
    assert {each.mode for each in said} == {Mode.SHADOW, Mode.DISARMED}
    shadow = [each for each in said if each.mode == Mode.SHADOW]
    assert len({each.proposal.tobytes() for each in shadow}) > 10  # it computes


def test_nothing_has_been_published_yet_is_stale_and_acts_at_rest(program):
    steps = [Step(1_000_000 + 20_000 * index, 2, 1, 0.0, 0.0, 0, 0) for index in range(3)]
    said = drive(program, steps)
    assert {each.mode for each in said} == {Mode.FALLBACK}
    assert all(each.status & STALE for each in said)
    assert {float(each.motor) for each in said} == {0.0}


def test_a_hand_over_begins_where_somebody_else_had_the_motor(program):
    steps = list(flown(40))
    for step in steps[:20]:
        step.parameter, step.motors_at, step.motor = 1, step.now, 0.375
    said = drive(program, steps)
    assert said[19].mode == Mode.SHADOW
    assert float(said[19].action) == 0.5
    assert said[20].published == 21  # 20 of somebody else, and then its own
    assert abs(float(said[20].action) - 0.5) < 0.5


def test_with_px4s_flags_alone_the_c_does_not_compile(folder, tmp_path):
    """PX4's -funsafe-math-optimizations would drop checks for NaN; CMakeLists.txt takes it back."""
    source = folder / "supervisor" / "ltc_supervisor.c"
    command = ["gcc", *PX4_FLAGS, *C_FLAGS, f"-I{STUBS}", "-c", str(source), "-o", str(tmp_path / "made.o")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "-ffast-math" in done.stderr
