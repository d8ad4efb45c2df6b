"""A controller on an Arduino Uno: built with the Arduino core, run in simavr, its plant here."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import wiring
from ltc_edge.cells import LTCSpec
from ltc_edge.export.c import c_float32
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.runtimes.c_stepper import CStepper
from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.runtimes.serial_lines import PipeLine
from ltc_edge.runtimes.serial_machine import SerialMachine

EXAMPLE = Path(__file__).parents[2] / "firmware_examples" / "arduino_uno"
CORE = Path("/usr/share/arduino/hardware/arduino/avr/cores/arduino")
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def tiny(tiny_controller):
    """The controller of eight neurons, and its sources."""
    controller = controller_from_bytes(hub_bytes(tiny_controller()), "tiny")
    return controller, c_float32(controller, "tiny")


def make(sources, folder, *options):
    """Run make for sources that are put into a folder."""
    for tool in ("make", "cc", "avr-gcc", "avr-g++", "simavr"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    for what in (CORE / "Arduino.h", Path("/usr/include/simavr/sim_avr.h")):
        if not what.exists():
            pytest.skip(f"{what} is not installed")
    for name, content in sources.files.items():
        (folder / name).write_bytes(content)
    command = ("make", "-s", "-C", EXAMPLE, f"CONTROLLER_DIR={folder}", f"BUILD={folder}/build", *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)


@pytest.fixture(scope="module")
def build(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uno")
    done = make(tiny[1], folder, "simulator")
    assert done.returncode == 0, done.stderr
    found = re.search(r"flash (\d+) of 32256 bytes, static RAM (\d+) of 2048 bytes", done.stdout)
    return folder / "build", int(found[1]), int(found[2])


class Uno:
    """The simulated board with a machine on its line."""

    def __init__(self, folder, controller, sources, version=None):
        program = folder / "uno.elf"
        symbols = subprocess.run(("avr-nm", program), capture_output=True, text=True, check=True).stdout
        address = re.search(rf"^(\w+) T {sources.name}_step$", symbols, re.MULTILINE)[1]
        self._report = folder / "report.json"
        self._process = subprocess.Popen(
            (folder / "simulator", program, self._report, address),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        line = PipeLine(self._process.stdout.fileno(), self._process.stdin.fileno(), "simavr")
        # Simulated, the board is slower than itself: one request needs no second chance.
        self.machine = SerialMachine(
            line, controller, sources.item_bytes, version=version, timeout_s=TIMEOUT_S
        )

    def end(self):
        """What the simulator measured."""
        self._process.stdin.close()
        assert self._process.wait(timeout=TIMEOUT_S) == 0
        return json.loads(self._report.read_text())

    def kill(self):
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()


@pytest.fixture
def uno(tiny, build):
    board = Uno(build[0], *tiny)
    yield board
    board.kill()


def bits(action):
    return np.asarray(action, dtype=np.float32).view(np.uint32).tolist()


def test_the_loop_over_the_serial_line_gives_the_bits_of_this_machine(tiny, build, uno):
    controller, sources = tiny
    codes = Codes.floating(controller.state_size)
    here = CStepper(HostMachine(sources, controller), controller, codes)
    there = CStepper(uno.machine, controller, codes)  # runs the selftest on the board
    rng = np.random.default_rng(1)
    level, drives = 0.0, []
    for _ in range(60):
        observation, dt = np.array([0.5, level]), float(rng.uniform(0.005, 0.1))
        drive = there.step(observation, dt)
        assert bits(drive) == bits(here.step(observation, dt))
        assert there.status == here.status
        drives.append(float(drive[0]))
        level += 0.1 * drives[-1]
    assert len(set(drives)) > 30
    assert there.machine.read_state() == here.machine.read_state()
    assert 1000 < uno.machine.ticks < 20_000  # microseconds of the board's own clock
    report = uno.end()
    selftest = report["steps"] - 60
    assert selftest == 24
    cycles = report["cycles_per_step"]
    assert 50_000 < cycles["min"] <= cycles["mean"] <= cycles["max"] < 200_000
    assert build[2] + report["stack_bytes"] <= 2048


def test_statuses_and_a_reading_that_is_not_finite(tiny, uno):
    controller, sources = tiny
    here = HostMachine(sources, controller)
    assert here.reset() == uno.machine.reset() == 0
    for values, dt in (([0.1, 0.2], 0.02), ([np.nan, 0.2], 0.02), ([0.1, np.inf], 0.02), ([9.0, 1e-42], 1e9)):
        given = np.array(values, dtype=np.float32)
        status, action = here.step(given, dt)
        found_status, found = uno.machine.step(given, dt)
        assert (found_status, bits(found)) == (status, bits(action))
    assert uno.machine.version() == here.version()


def test_one_that_does_not_fit_is_refused_with_the_numbers(tiny, tmp_path):
    done = make(tiny[1], tmp_path, "STACK_BYTES=1900")
    assert done.returncode == 2
    pattern = (
        r"Error: tiny does not fit on an Uno: \d+ bytes of static RAM and 1900 of stack are more than 2048"
    )
    assert re.search(pattern, done.stderr)
    assert not (tmp_path / "build" / "uno.elf").exists()


def test_a_controller_of_twenty_kilobytes_is_refused(tiny_controller, tmp_path):
    large = tiny_controller(
        cell=LTCSpec(wiring.dense(2, 40, 1), unfolds=1),
        **_large(LTCSpec(wiring.dense(2, 40, 1), unfolds=1)),
    )
    done = make(c_float32(large, "large"), tmp_path)
    assert done.returncode == 2
    assert "Error: large does not fit on an Uno" in done.stderr


def _large(spec):
    rng = np.random.default_rng(0)
    parameters = {name: rng.uniform(0.1, 1.0, shape) for name, shape in spec.parameter_shapes().items()}
    parameters |= {"readout_weight": np.array([[2.0]]), "readout_bias": np.zeros(1)}
    return {"parameters": parameters, "initial_state": np.zeros(spec.state_size)}
