"""The control loop of boards, compiled for this machine with sanitizers, over its serial line."""

import shutil
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.boards import find_board
from ltc_edge.deploy.boards.acceptance import accept
from ltc_edge.deploy.boards.board_loop import DRILL, ORDER, REPORT, BoardLoop, Image
from ltc_edge.deploy.boards.orders import run_drill
from ltc_edge.deploy.boards.project import make_project
from ltc_edge.errors import CheckFailedError, DeviceError
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.runtimes.serial_lines import ProcessLine
from ltc_edge.runtimes.serial_machine import SerialMachine
from ltc_edge.supervision.codes import STATUS, Mode, Request

FLAGS = (
    *(
        "-std=c99",
        "-O1",
        "-g",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Wdouble-promotion",
        "-pedantic",
        "-Werror",
    ),
    *(
        "-ffp-contract=off",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-D_POSIX_C_SOURCE=200809L",
    ),
    *("-DCONTROLLER=tiny", "-DCONTROLLER_UPPER=TINY", '-DCONTROLLER_HEADER="tiny.h"', "-DLTC_SERIAL_LOOP=1"),
    *(
        "-DLTC_SERIAL_TICKS_PER_SECOND=1000000",
        "-DBOARD_WATCHDOG_MS=123U",
        "-DLOOP_IMAGE={1,2,3,4,5,6,7,255}",
    ),
)
PROGRAM = ("ltc_serial", "ltc_cobs", "ltc_loop", "ltc_loop_serial", "ltc_supervisor", "loop_main")
PERIOD_S = 0.02
IMAGE = "01020304050607ff"
SLOW_EVERY, PERIODS_MISSED = 50, 2  # of host_board.c


@pytest.fixture(scope="module")
def project(unverified_bundle):
    bundle = load_bundle(unverified_bundle("c-float32"))
    return make_project(bundle, find_board("stm32f4"), "c-float32", period_s=PERIOD_S)


@pytest.fixture(scope="module")
def program(project, tmp_path_factory):
    """The loop's program for this machine."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("host")
    for name, content in project.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    sources = [f"common/{name}.c" for name in PROGRAM]
    sources += [name for name in project.files if name.startswith(("controller/", "settings/"))]
    sources = [name for name in sources if name.endswith(".c")]
    sources.append(str(Path(__file__).with_name("host_board.c")))
    includes = ("-Icommon", "-Icontroller", "-Isettings")
    command = ["gcc", *FLAGS, *includes, "-o", "program", *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "program"


@pytest.fixture
def machine(project, program):
    """The board, disarmed."""
    machine = SerialMachine(ProcessLine([str(program)]), project.controller, 4, timeout_s=10)
    yield machine
    machine.close()


def test_the_board_says_what_it_runs(machine):
    assert BoardLoop(machine).image() == Image(IMAGE, False, PERIOD_S, 123)


def test_readings_that_are_lost_lead_into_the_fallback_and_out_of_it(machine):
    drill = run_drill(BoardLoop(machine), PERIOD_S)
    assert drill.seen & STATUS["stale-input"].value
    assert not drill.latched
    assert BoardLoop(machine).report().mode == Mode.DISARMED


def test_a_board_is_accepted_as_what_it_is(project, program):
    found = accept(ProcessLine([str(program)]), project, IMAGE, drill=True, timeout_s=10)
    assert (found.image.sha256, found.selftest, found.steps) == (IMAGE, True, 12)
    assert found.drill is not None
    with pytest.raises(DeviceError, match=f"runs the image {IMAGE} of this controller, not 00"):
        accept(ProcessLine([str(program)]), project, "00" * 8, drill=False, timeout_s=10)


def test_one_bit_of_one_step_is_enough_to_refuse_a_board(project, program, monkeypatch):
    step, count = HostMachine.step, iter(range(100))

    def one_off(machine, observation, dt):
        status, action = step(machine, observation, dt)
        return status, np.nextafter(action, np.float32(9)) if next(count) == 7 else action

    monkeypatch.setattr(HostMachine, "step", one_off)
    with pytest.raises(CheckFailedError, match="step 7 gives"):
        accept(ProcessLine([str(program)]), project, IMAGE, drill=False, timeout_s=10)


def test_missed_deadlines_are_counted_to_the_period(machine):
    loop = BoardLoop(machine)
    before = loop.report()
    assert before.missed == 0
    loop.order(Request.SHADOW)
    loop.wait_for([Mode.SHADOW], 20)
    reports = [loop.report()]
    while reports[-1].missed < 5 * PERIODS_MISSED and reports[-1].steps < 10_000:
        reports.append(loop.report())
    assert {report.missed % PERIODS_MISSED for report in reports} == {0}
    # A step in 50 skips two periods; the one before the first was armed.
    at = [next(r.steps for r in reports if r.missed >= PERIODS_MISSED * count) for count in (2, 5)]
    assert abs((at[1] - at[0]) - 3 * SLOW_EVERY) <= max(
        later.steps - earlier.steps for earlier, later in pairwise(reports)
    )
    longest = max(report.longest_s for report in reports)
    assert 2.5 * PERIOD_S <= longest < 2.6 * PERIOD_S


def test_the_controller_on_the_line_is_another_than_the_loops(machine, project):
    loop = BoardLoop(machine)
    assert machine.reset() == 0
    machine.step(np.array([0.5, -0.5], dtype=np.float32), 0.02)
    state = machine.read_state()
    loop.order(Request.ARM)
    loop.wait_for([Mode.ACTIVE], 20)
    for request in (machine.reset, machine.selftest, machine.check, machine.read_state):
        with pytest.raises(DeviceError, match="control loop is armed"):
            request()
    loop.order(Request.DISARM)
    report, _ = loop.wait_for([Mode.DISARMED], 20)
    assert report.action.shape == (len(project.controller.actions),)
    assert machine.read_state() == state


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        (ORDER, struct.pack("<I", 8), "does not know this request"),
        (ORDER, struct.pack("<I", 0x80000001), "does not know this request"),
        (ORDER, b"", "another size"),
        (DRILL, b"\1\0\0", "another size"),
        (REPORT, b"\0", "another size"),
        (12, b"", "does not know this request"),
    ],
)
def test_orders_that_mean_nothing_are_refused_and_change_nothing(machine, kind, content, says):
    with pytest.raises(DeviceError, match=says):
        machine.request(kind, content)
    assert BoardLoop(machine).report().mode == Mode.DISARMED


def test_noise_on_the_line_arms_nothing(machine):
    rng = np.random.default_rng(11)
    machine._line.write(rng.integers(0, 256, 4096, dtype=np.uint8).tobytes(), 10)
    report = BoardLoop(machine).report()
    assert report.mode == Mode.DISARMED
    assert report.steps > 0


def test_a_loop_is_disarmed_after_a_request_that_was_interrupted(machine):
    loop = BoardLoop(machine)
    loop.order(Request.ARM)
    loop.wait_for([Mode.ACTIVE], 20)
    machine._sequence = (machine._sequence + 1) % 256  # counted, and never sent
    loop.disarm()
    loop.wait_for([Mode.DISARMED], 20)
