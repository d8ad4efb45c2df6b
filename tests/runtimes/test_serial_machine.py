"""A controller at the far end of a line: a process in C here, and every fault that a line can have."""

import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import ActionSignal
from ltc_edge.errors import DeviceError, InputError, LtcEdgeError
from ltc_edge.export.c import c_float32
from ltc_edge.runtimes.c_stepper import CStepper
from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.runtimes.machine import Machine
from ltc_edge.runtimes.serial_frames import Frame, FrameReader
from ltc_edge.runtimes.serial_lines import PipeLine, PortLine, ProcessLine
from ltc_edge.runtimes.serial_machine import (
    ANSWER,
    HELLO,
    READ_STATE,
    REFUSAL,
    RESET,
    STEP,
    WRITE_STATE,
    SerialMachine,
)

MAKEFILE = Path(__file__).parent / "serial_peer" / "Makefile"
pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("make") is None, reason="a C compiler and make are needed"
)


def build(folder, sources, *options):
    """The path of a device that runs these sources."""
    where = folder / "controller"
    where.mkdir(parents=True, exist_ok=True)
    for name, content in sources.files.items():
        (where / name).write_bytes(content)
    command = ["make", "-f", MAKEFILE, f"CONTROLLER_DIR={where}", f"BUILD={folder}", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return str(folder / "device")


@pytest.fixture(scope="module")
def controller(tiny_controller):
    """With a slew limit, so that its context holds more than the cell's state."""
    action = ActionSignal("drive", "V", -1.0, 1.0, slew=5.0)
    return tiny_controller(actions=(action,))


@pytest.fixture(scope="module")
def sources(controller):
    return c_float32(controller, "tiny")


@pytest.fixture(scope="module")
def host(sources, controller):
    return HostMachine(sources, controller)


@pytest.fixture(scope="module")
def device(sources, tmp_path_factory):
    return build(tmp_path_factory.mktemp("device"), sources)


@pytest.fixture
def line(device):
    line = ProcessLine([device])
    yield line
    line.close()


def step_twice(machine):
    """A pipe takes what nobody reads any more: a write may still work where the next read does not."""
    machine.step(np.zeros(2, dtype=np.float32), 0.02)
    machine.step(np.zeros(2, dtype=np.float32), 0.02)


def observations(steps, seed):
    return np.random.default_rng(seed).uniform(-1.5, 1.5, size=(steps, 2)).astype(np.float32)


def check_equal(machine, host, steps=60):
    """Statuses, actions and states of a machine against those of this processor."""
    assert machine.reset() == host.reset() == 0
    for index, observation in enumerate(observations(steps, seed=4)):
        dt = (0.02, 0.011, 0.5)[index % 3]  # the last is beyond the range
        (status, action), (expected_status, expected) = (m.step(observation, dt) for m in (machine, host))
        assert (status, action.tobytes()) == (expected_status, expected.tobytes())
    assert machine.read_state() == host.read_state()


def test_it_is_a_machine_and_says_what_it_runs(line, controller, host):
    machine = SerialMachine(line, controller, 4, version=host.version())
    assert isinstance(machine, Machine)
    assert machine.version() == host.version()
    assert machine.device.ticks_per_second == 1000
    assert (machine.selftest(), machine.check()) == (0, 0)
    assert machine.step(np.zeros(2, dtype=np.float32), 0.02)[0] == 64  # NOT_RESET
    check_equal(machine, host)
    assert machine.ticks == 7


def test_a_stepper_over_it_goes_back_to_a_state(line, controller):
    stepper = CStepper(SerialMachine(line, controller, 4), controller, Codes.floating(controller.state_size))
    given = observations(20, seed=1).astype(np.float64)
    for observation in given[:10]:
        stepper.step(observation, 0.02)
    state = stepper.state
    first = [stepper.step(observation, 0.02) for observation in given[10:]]
    stepper.restore(state)
    assert [stepper.step(observation, 0.02) for observation in given[10:]] == first


def test_observations_that_are_not_finite_get_the_fallback(line, controller):
    machine = SerialMachine(line, controller, 4)
    machine.reset()
    status, action = machine.step(np.array([np.nan, 0.0], dtype=np.float32), 0.02)
    assert (status, action.tolist()) == (1, [0.0])


class Faults:
    """A line that drops, duplicates, corrupts, delays and invents bytes."""

    KINDS = ("drop all", "drop some", "double", "flip", "invent", "delay")

    def __init__(self, line, seed, rate):
        self.name = line.name
        self.seen = dict.fromkeys(self.KINDS, 0)
        self._line, self._rate = line, rate
        self._rng = np.random.default_rng(seed)
        self._late = b""

    def read(self, timeout_s):
        data = self._line.read(timeout_s)
        return self._damage(data) if data else b""

    def write(self, data, timeout_s):
        # What came late comes together with what is sent next.
        late, self._late = self._late, b""
        self._line.write(late + self._damage(data), timeout_s)

    def close(self):
        self._line.close()

    def _damage(self, data):
        if self._rng.random() > self._rate:
            return data
        kind = self._rng.choice(self.KINDS)
        self.seen[kind] += 1
        first, last = sorted(self._rng.integers(0, len(data), size=2))
        garbage = self._rng.integers(0, 256, size=self._rng.integers(1, 700), dtype=np.uint8).tobytes()
        if kind == "delay":
            self._late += data
        return {
            "drop all": b"",
            "drop some": data[:first] + data[last + 1 :],
            "double": data[:first] + data[first : last + 1] * 2 + data[last + 1 :] + data,
            "flip": data[:first] + bytes([data[first] ^ 1 << int(last) % 8]) + data[first + 1 :],
            "invent": data[:first] + garbage + data[first:],
            "delay": b"",
        }[str(kind)]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_loop_is_the_same_over_a_bad_line(line, controller, host, seed):
    faults = Faults(line, seed, rate=0.2)
    machine = SerialMachine(faults, controller, 4, timeout_s=0.03, attempts=100)
    check_equal(machine, host, steps=120)
    state = host.read_state()
    machine.write_state(bytes(len(state)))
    with pytest.raises(InputError, match=r"the state is beyond its bounds \(status 0x10\)"):
        machine.write_state(b"\x7f" * len(state))
    machine.write_state(state)
    assert machine.read_state() == state
    assert machine.repeats > 0
    assert all(faults.seen.values())


def test_a_dead_line_is_one_clear_error(controller):
    ends = *os.pipe(), *os.pipe()
    try:
        with pytest.raises(DeviceError, match=r"^cable: no answer within 0\.03 s, in 12 attempts; does"):
            SerialMachine(PipeLine(ends[0], ends[3], "cable"), controller, 4, timeout_s=0.01, attempts=3)
    finally:
        for end in ends:
            os.close(end)


def test_a_line_that_takes_nothing_is_one_clear_error():
    incoming, outgoing = os.pipe()
    os.set_blocking(outgoing, False)
    try:
        line = PipeLine(incoming, outgoing, "cable")
        with pytest.raises(DeviceError, match=r"^cable: the device takes no bytes for 0\.01 s$"):
            line.write(bytes(1 << 20), 0.01)
    finally:
        os.close(incoming)
        os.close(outgoing)


def test_a_device_that_dies_is_one_clear_error(line, controller):
    machine = SerialMachine(line, controller, 4)
    machine.reset()
    os.kill(line._process.pid, signal.SIGKILL)
    with pytest.raises(DeviceError, match=r"/device ended with code -9$"):
        step_twice(machine)


def test_a_device_that_does_not_start_says_why(controller):
    program = "import sys; sys.exit('no such board: mps9')"
    with pytest.raises(DeviceError, match="ended with code 1: no such board: mps9"):
        SerialMachine(ProcessLine([sys.executable, "-c", program]), controller, 4, timeout_s=30)
    with pytest.raises(DeviceError, match="cannot be started"):
        ProcessLine(["/nonexistent/qemu"])


def test_a_closed_line_leaves_no_process(device, controller):
    line = ProcessLine([device])
    machine = SerialMachine(line, controller, 4)
    process = line._process
    machine.close()
    assert process.poll() is not None


def test_a_device_with_another_controller_is_refused(device, sources, controller, tiny_controller, host):
    with pytest.raises(DeviceError, match=r"runs 'tiny; .*' with .* \(2, 1, 9, 4\), not \(2, 1, 9, 2\)"):
        SerialMachine(ProcessLine([device]), controller, 2)
    with pytest.raises(DeviceError, match=r"build and flash this controller$"):
        SerialMachine(ProcessLine([device]), tiny_controller(), 4)  # without slew limit: no action remembered
    other = re.sub(r"crc [0-9a-f]{8}", "crc 01234567", host.version())
    with pytest.raises(DeviceError, match=r"runs 'tiny; .*', not 'tiny; .*crc 01234567'; build and flash"):
        SerialMachine(ProcessLine([device]), controller, 4, version=other)


def test_over_a_pseudo_terminal(device, controller, host):
    pytest.importorskip("serial", reason="pyserial is not installed")
    master, slave = pty.openpty()
    process = subprocess.Popen([device], stdin=master, stdout=master)
    os.close(master)
    machine = SerialMachine(PortLine(os.ttyname(slave)), controller, 4, version=host.version())
    try:
        check_equal(machine, host)
        process.kill()
        process.wait()
        with pytest.raises(DeviceError, match=r"the device (is gone|takes no bytes)"):
            step_twice(machine)
    finally:
        process.kill()
        process.wait()
        machine.close()
        os.close(slave)


def test_over_a_network_port(device, controller, host):
    pytest.importorskip("serial", reason="pyserial is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        line = PortLine(url)
        connection, _ = server.accept()
    with connection:
        process = subprocess.Popen([device], stdin=connection, stdout=connection)
    try:
        machine = SerialMachine(line, controller, 4, version=host.version())
        check_equal(machine, host, steps=20)
        machine.close()
    finally:
        process.kill()
        process.wait()
    with pytest.raises(DeviceError, match=r"^socket://127.0.0.1:\d+: the port cannot be opened"):
        PortLine(url)


def test_no_such_port():
    pytest.importorskip("serial", reason="pyserial is not installed")
    with pytest.raises(LtcEdgeError, match=r"^/dev/nonexistent: the port cannot be opened"):
        PortLine("/dev/nonexistent")


class Raw:
    """Frames to and from a device, one at a time."""

    def __init__(self, line):
        self._line, self._reader, self._found = line, FrameReader(), []

    def say(self, *frames):
        self._line.write(b"".join(frame.line_bytes() for frame in frames), 5)

    def hear(self):
        deadline = time.monotonic() + 30
        while not self._found:
            assert time.monotonic() < deadline
            self._found += self._reader.feed(self._line.read(1))
        return self._found.pop(0)

    def ask(self, kind, sequence, content=b""):
        self.say(Frame(kind, sequence, content))
        return self.hear()


@pytest.fixture
def raw(line):
    return Raw(line)


def step_content(*values):
    return struct.pack(f"<{len(values)}f", *values)


def test_requests_before_a_hello_are_refused(raw):
    assert raw.ask(STEP, 7, step_content(0.02, 0, 0)) == Frame(REFUSAL, 7, b"\1")
    assert raw.ask(RESET, 8) == Frame(REFUSAL, 8, b"\1")
    assert raw.ask(HELLO, 9, b"abcd").content.startswith(b"abcd\1\4")


def test_a_repeated_step_is_answered_again_and_not_done_again(raw):
    raw.ask(HELLO, 255, b"abcd")
    raw.ask(RESET, 0)
    step = Frame(STEP, 1, step_content(0.02, 0.5, -0.5))
    raw.say(step)
    answer = raw.hear()
    assert answer.kind == STEP | ANSWER
    raw.say(step, step)  # the second may come while the answer to the first is being said
    assert raw.hear() == answer
    state = raw.ask(READ_STATE, 2)
    while state == answer:
        state = raw.hear()
    raw.ask(RESET, 3)
    raw.say(step, Frame(STEP, 4, step.content))  # the first of them is of long ago
    assert raw.hear() == Frame(answer.kind, 4, answer.content)
    assert raw.ask(READ_STATE, 5).content == state.content


def test_other_numbers_than_the_next_are_not_answered(raw):
    raw.ask(HELLO, 10, b"abcd")
    raw.say(Frame(RESET, 10), Frame(RESET, 12), Frame(RESET, 9), Frame(HELLO, 11, b"abcd"), Frame(RESET, 11))
    assert raw.hear() == Frame(RESET | ANSWER, 11, bytes(4))
    assert raw.ask(HELLO, 50, b"efgh").content.startswith(b"efgh")
    assert raw.ask(RESET, 51).sequence == 51


def test_what_cannot_be_done_is_refused_and_the_next_request_is_served(raw):
    raw.ask(HELLO, 0, b"abcd")
    assert raw.ask(99, 1) == Frame(REFUSAL, 1, b"\2")
    assert raw.ask(STEP, 2, step_content(0.02, 0)) == Frame(REFUSAL, 2, b"\3")
    assert raw.ask(WRITE_STATE, 3, bytes(35)) == Frame(REFUSAL, 3, b"\3")
    assert raw.ask(RESET, 4, b"x") == Frame(REFUSAL, 4, b"\3")
    assert raw.ask(RESET, 5) == Frame(RESET | ANSWER, 5, bytes(4))


def test_frames_that_are_too_long_or_too_short_are_dropped(raw):
    raw.ask(HELLO, 0, b"abcd")
    raw.say(Frame(RESET, 1, bytes(5000)), Frame(HELLO, 1), Frame(HELLO, 1, b"abc"), Frame(RESET, 1))
    assert raw.hear() == Frame(RESET | ANSWER, 1, bytes(4))


def test_a_device_may_be_built_without_its_selftest(sources, controller, tmp_path):
    machine = SerialMachine(ProcessLine([build(tmp_path, sources, "SELFTEST=0")]), controller, 4)
    with pytest.raises(DeviceError, match="built without its selftest; build it without SELFTEST=0"):
        machine.selftest()
    machine.close()


def test_the_build_says_what_is_wrong_with_its_folder(tmp_path):
    command = ["make", "-f", MAKEFILE, f"CONTROLLER_DIR={tmp_path}", f"BUILD={tmp_path}"]

    def message(*more):
        return subprocess.run([*command, *more], capture_output=True, text=True, timeout=60).stderr

    assert "holds no controller" in message()
    for name in ("one.h", "two.h"):
        (tmp_path / name).touch()
    assert "holds several controllers (one two): say CONTROLLER=name" in message()
    assert "say which controller: make CONTROLLER_DIR=" in message("CONTROLLER_DIR=")
