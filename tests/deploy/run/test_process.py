"""A loop as a child: what it does is seen, it ends at rest, and it does not outlive who started it."""

import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from loop_programs import TIMEOUT_S, Plant

from ltc_edge.deploy.run.datagrams import Readings, decode_action, encode_readings
from ltc_edge.errors import CheckFailedError, DeviceError, InputError

ACTIVE = 2

ORPHAN = """
import sys
from pathlib import Path
from ltc_edge.deploy.run.process import LoopProcess
loop = LoopProcess(Path(sys.argv[1]), sys.argv[2], ["--arm"], (2, 1))
print(loop.snapshot().where, flush=True)
sys.stdin.read()
"""


def test_what_it_does_is_on_its_page(begin):
    loop = begin("udp://0", at_start="arm")
    plant = Plant(loop.snapshot().where)
    action = plant.until(lambda action: action.mode == ACTIVE and action.action[0] != 0, 0.5, 0.25)
    last = loop.end()
    plant.close()
    assert action.sequence > 0
    assert (last.end, last.mode) == ("stopped", "disarmed")
    assert last.counts["periods"] == last.counts["steps"] == sum(last.modes.values())
    assert last.latency.count == last.execution.count == last.counts["periods"]
    assert last.execution.total >= last.execution.largest
    assert last.execution.percentile_us(1.0) == last.execution.largest * 1e-3
    np.testing.assert_array_equal(last.observation, np.float32([0.5, 0.25]))
    assert last.action.tolist() == [0.0]
    assert loop.failure() is None


def test_percentiles_are_those_of_the_program(begin):
    loop = begin("udp://0", duration_s=0.2, bare=True)
    assert loop.wait(TIMEOUT_S)
    last = loop.snapshot()
    assert last.end == "finished"
    for times in (last.latency, last.execution, last.added):
        assert times.bucket.sum() == times.count
        assert times.below(1 << 62) == times.count
        assert times.below(1) + times.bucket[1:].sum() == times.count
        assert times.percentile_us(0.5) <= times.percentile_us(0.99) <= times.largest * 1e-3


@pytest.mark.parametrize(
    ("io", "more", "message"),
    [
        ("udp://192.0.2.1:9", {}, "lets other machines drive the actuators"),
        ("udp://0", {"cpu": 1023}, "the system refuses what the loop needs: --cpu 1023"),
        ("serial:///dev/does-not-exist", {}, "No such file"),
    ],
)
def test_what_it_refuses_is_one_line(begin, io, more, message):
    with pytest.raises(InputError, match=message):
        begin(io, **more)


def test_what_does_not_end_it_is_no_failure(begin):
    loop = begin("udp://0", duration_s=0.1)
    os.write(loop._said.fileno(), b"Warning: run.mcap: No space left on device\n")
    assert loop.wait(TIMEOUT_S)
    assert loop.warned() == ["run.mcap: No space left on device"]
    assert (loop.said(), loop.failure()) == ([], None)


def test_a_loop_that_was_killed_is_told(begin):
    loop = begin("udp://0")
    os.kill(loop.pid, signal.SIGKILL)
    assert loop.wait(TIMEOUT_S)
    assert isinstance(loop.failure(), DeviceError)
    assert loop.snapshot().end is None


def test_lost_actuators_are_a_failed_check(begin, tmp_path):
    # Whoever is at the other end of the line goes.
    leader, follower = os.openpty()
    loop = begin(f"serial://{os.ttyname(follower)}")
    os.close(follower)
    os.close(leader)
    assert loop.wait(TIMEOUT_S)
    error = loop.failure()
    assert error is None or isinstance(error, CheckFailedError)
    assert loop.snapshot().end in ("actuators lost", "input ended")


def test_a_loop_comes_to_rest_when_its_parent_is_killed(program):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(TIMEOUT_S)
        io = f"udp://0?to=127.0.0.1:{there.getsockname()[1]}"
        pipe = subprocess.PIPE
        parent = subprocess.Popen(
            [sys.executable, "-c", ORPHAN, str(program), io], stdin=pipe, stdout=pipe, text=True
        )
        where = parent.stdout.readline().strip()
        plant = Plant(where)
        sequence = 0
        while decode_action(there.recv(4096)).action[0] == 0:
            sequence += 1
            plant.line.sendto(encode_readings(Readings(np.float32([0.5, 0.1]), sequence)), plant.there)
        parent.kill()
        parent.communicate()
        last = decode_action(there.recv(4096))
        # Nothing else takes that port as long as the loop has it: it is free again when the loop has ended.
        while not free(plant.there):
            there.settimeout(0.1)
            try:
                last = decode_action(there.recv(4096))
            except TimeoutError:
                continue
        there.setblocking(False)
        try:
            while True:
                last = decode_action(there.recv(4096))
        except BlockingIOError:
            pass
        plant.close()
    assert last.action.tolist() == [0.0]


def free(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind(address)
        except OSError:
            return False
    return True
