"""The real-time loop in C: built for this machine and for two kinds of ARM, and run with a plant here."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.export.c import c_float32, c_int16
from ltc_edge.export.calibration import excitation
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.host_machine import HostMachine

EXAMPLE = Path(__file__).parents[2] / "firmware_examples" / "linux_rt_loop"
MACHINES = {
    "here": ("cc", ()),
    "aarch64": ("aarch64-linux-gnu-gcc", ("qemu-aarch64",)),
    "armhf": ("arm-linux-gnueabihf-gcc", ("qemu-arm",)),
}
FALLBACK = -0.25
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def controllers(tiny_controller):
    """Controller and sources of each arithmetic."""
    built = tiny_controller(fallback=np.array([FALLBACK]))
    plan = make_plan(built, (excitation(built, sequences=4, steps=60, seed=3),))
    read = controller_from_bytes(hub_bytes(built), "tiny")
    return {
        "float32": (read, c_float32(read, "tiny")),
        "int16": (read, c_int16(read, plan, "tiny")),
    }


@pytest.fixture(scope="module")
def program(controllers, tmp_path_factory):
    """Builds the program for a machine, once; gives the command that runs it."""
    built = {}

    def make(arithmetic, machine):
        compiler, emulator = MACHINES[machine]
        for tool in ("make", compiler, *emulator):
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed")
        if (arithmetic, machine) not in built:
            folder = tmp_path_factory.mktemp(f"{arithmetic}-{machine}")
            for name, content in controllers[arithmetic][1].files.items():
                (folder / name).write_bytes(content)
            order = ("make", "-s", "-C", EXAMPLE, f"CONTROLLER_DIR={folder}", f"BUILD={folder}/build")
            done = subprocess.run([*order, f"CC={compiler}"], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            built[arithmetic, machine] = (*emulator, str(folder / "build" / "rt_loop"))
        return built[arithmetic, machine]

    return make


@pytest.fixture
def loop(program):
    return program("float32", "here")


def run(command, *options, text="", timeout=TIMEOUT_S):
    return subprocess.run([*command, *options], input=text, capture_output=True, text=True, timeout=timeout)


def expected_actions(controllers, arithmetic, rows):
    """What `HostMachine` makes of rows of dt and observation, as bits."""
    controller, sources = controllers[arithmetic]
    machine = HostMachine(sources, controller)
    assert machine.reset() == 0
    actions = [machine.step(row[1:], float(row[0]))[1] for row in rows]
    machine.close()
    return bits(actions)


def bits(actions):
    return np.array(actions, dtype=np.float32).reshape(-1).view(np.uint32).tolist()


def lines_of(rows):
    return "".join(" ".join(f"{value:.9g}" for value in row) + "\n" for row in rows)


def inputs(steps):
    """Rows of dt and observation; dt beyond its range and a reading that is not finite among them."""
    rng = np.random.default_rng(5)
    rows = np.column_stack([rng.uniform(0.001, 0.2, steps), rng.normal(0, 0.7, (steps, 2))])
    rows[7, 1], rows[11, 2], rows[13, 0] = np.nan, -np.inf, -1.0
    rows[17, 1], rows[19, 2] = 1e-42, 3e38
    return rows.astype(np.float32)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("arithmetic", ["float32", "int16"])
def test_replay_gives_the_bits_of_the_host_machine(controllers, program, arithmetic, machine):
    rows = inputs(400)
    done = run(program(arithmetic, machine), "--replay", "--json", text=lines_of(rows))
    assert done.returncode == 0, done.stderr
    found = [float(line) for line in done.stdout.splitlines()]
    assert bits(found) == expected_actions(controllers, arithmetic, rows)
    report = json.loads(done.stderr)
    assert (report["periods"], report["not_finite"], report["fallbacks"]) == (400, 2, 2)
    assert report["dt_clamped"] > 0
    assert found[7] == FALLBACK


@pytest.mark.parametrize(
    "line", ["", "0.02 0.5", "0.02 0.5 0.1 1", "0.02 0.5x 0.1", "hello", "0.02 0.5 " + "1" * 5000]
)
def test_a_line_that_is_no_reading_gives_the_fallback_and_leaves_the_state(controllers, loop, line):
    rows = inputs(20)[:6]
    whole = lines_of(rows[:3]) + line + "\n" + lines_of(rows[3:])
    done = run(loop, "--replay", "--json", text=whole)
    found = [float(text) for text in done.stdout.splitlines()]
    assert found.pop(3) == FALLBACK
    assert bits(found) == expected_actions(controllers, "float32", rows)
    assert json.loads(done.stderr)["bad_lines"] == 1


class Running:
    """The loop as a process in real time."""

    def __init__(self, command, *options):
        self.process = subprocess.Popen(
            [*command, "--json", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, *values):
        self.process.stdin.write(" ".join(map(str, values)) + "\n")
        self.process.stdin.flush()

    def action(self):
        return float(self.process.stdout.readline())

    def end(self):
        """Remaining actions and the report."""
        rest, errors = self.process.communicate(timeout=TIMEOUT_S)
        return [float(line) for line in rest.splitlines()], json.loads(errors.splitlines()[-1])


@pytest.fixture
def start(loop):
    started = []

    def begin(*options, command=loop):
        started.append(Running(command, *options))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.communicate()


def close_the_loop(running, periods):
    """A plant that moves by each action, in real time; the actions."""
    level, actions = 0.0, []
    for _ in range(periods):
        running.send(0.5, level)
        actions.append(running.action())
        level += 0.1 * actions[-1]
    return actions


@pytest.mark.parametrize("machine", ["here", "aarch64"])
def test_a_closed_loop_in_real_time_and_its_replay(start, program, tmp_path, machine):
    command = program("float32", machine)
    record = tmp_path / "record.txt"
    running = start("--record", str(record), command=command)
    actions = close_the_loop(running, 40)
    rest, report = running.end()
    actions += rest
    assert running.process.returncode == 0
    assert actions[-1] == FALLBACK
    assert len(actions) == report["periods"] + 1
    assert report["end"] == "input ended"
    assert len(set(actions)) > 10
    assert report["wake_up_latency_us"]["p50"] <= report["wake_up_latency_us"]["max"]
    # A busy machine may have missed deadlines or fallen back: the replay must agree all the same.
    replay = run(program("float32", "here"), "--replay", text=record.read_text())
    assert [float(line) for line in replay.stdout.splitlines()] == actions[:-1]


def test_readings_that_are_bad_not_finite_or_too_old(start):
    running = start("--oldest", "0.001")
    assert running.action() == FALLBACK  # nothing has come yet
    running.send("hello")
    running.send(float("nan"), 0.0)
    running.process.stdin.close()
    running.process.stdin = None
    rest, report = running.end()
    assert set(rest) == {FALLBACK}
    assert report["no_reading"] > 0
    # Both lines may have come within a period: then the last one counts.
    assert report["not_finite"] >= 1
    assert report["fallbacks"] == report["periods"]


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_the_fallback(start, which):
    running = start()
    running.send(0.5, 0.1)
    while running.action() == FALLBACK:
        pass
    running.process.send_signal(which)
    rest, report = running.end()
    assert running.process.returncode == 0
    assert rest[-1] == FALLBACK
    assert report["end"] == "stopped"


def test_it_ends_where_nobody_takes_actions(start):
    running = start()
    running.process.stdout.close()
    running.process.stdout = Path(os.devnull).open()  # noqa: SIM115  closed with the process
    _, report = running.end()
    assert report["end"] == "actuators lost"
    assert running.process.returncode == 1


def test_a_reader_who_sleeps_does_not_hold_up_the_loop(start):
    running = start("--period", "0.0001", "--periods", "20000")
    running.send(0.5, 0.1)
    running.process.wait(timeout=TIMEOUT_S)
    rest, report = running.end()
    # A pipe holds 64 KiB: fewer lines than were written.
    assert report["actions_not_taken"] > 0
    assert report["periods"] == 20000
    assert len(rest) <= 20000 - report["actions_not_taken"] + 1


def test_an_impossible_period_counts_missed_deadlines(start):
    running = start("--period", "0.000001", "--periods", "200")
    running.process.wait(timeout=TIMEOUT_S)
    _, report = running.end()
    assert 1 <= report["longest_run_missed"] <= report["missed_deadlines"] <= 200
    assert report["periods_left_out"] > 0


def may_be_real_time():
    """Whether this process may use SCHED_FIFO, tried out in a process of its own."""
    trial = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return subprocess.run(["python3", "-c", trial], capture_output=True, timeout=TIMEOUT_S).returncode == 0


def test_real_time_where_it_is_permitted_and_refusal_where_not(loop):
    options = ("--priority", "10", "--cpu", str(min(os.sched_getaffinity(0))), "--lock", "--periods", "5")
    done = run(loop, *options, "--json")
    if may_be_real_time():
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 3
    assert done.stderr.startswith("Error: --")
    assert done.stdout == ""


def test_what_the_system_refuses_is_told(loop):
    done = run(loop, "--cpu", "1023")
    assert (done.returncode, done.stdout) == (3, "")
    assert "--cpu 1023: Invalid argument" in done.stderr


def test_no_priority_without_the_right_to_it(loop):
    # What root may do is taken from it: the kernel then looks at the limit, which is 0.
    drop = () if os.geteuid() else ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    if drop and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    done = run((*drop, "sh", "-c", 'ulimit -r 0 && exec "$0" "$@"', *loop), "--priority", "10")
    assert (done.returncode, done.stdout) == (3, "")
    assert "--priority 10: Operation not permitted; run as root" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--priority", "100"), "--priority: expected a whole number from 1 to 99"),
        (("--cpu", "x"), "--cpu: expected"),
        (("--period", "0"), "--period: expected seconds"),
        (("--oldest", "nan"), "--oldest: expected seconds"),
        (("--periods", "-1"), "--periods: expected"),
        (("extra",), "there are options alone"),
    ],
)
def test_wrong_usage(loop, options, message):
    done = run(loop, *options)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {message}")


def test_a_controller_that_fails_its_selftest_does_not_start(controllers, program, tmp_path):
    program("float32", "here")
    for name, content in controllers["float32"][1].files.items():
        # Another first golden action than the one that comes out.
        changed = re.sub(rb"(golden_action\[\d+\] = \{\s*)0x\w+U", rb"\g<1>0x00000001U", content)
        (tmp_path / name).write_bytes(changed)
    order = ("make", "-s", "-C", EXAMPLE, f"CONTROLLER_DIR={tmp_path}", f"BUILD={tmp_path}/build")
    subprocess.run(order, check=True, timeout=120)
    done = run((str(tmp_path / "build" / "rt_loop"),))
    assert done.returncode == 1
    assert "the selftest failed, status 0x80" in done.stderr
