"""The real-time loop in C, under sanitizers here and for two kinds of ARM, with a plant here."""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
from loop_programs import SANITIZERS, TIMEOUT_S, Plant, loop_program, shared_bundle, source_of

from ltc_edge.deploy.replay.library import ReplayLibrary
from ltc_edge.deploy.replay.replay import replay
from ltc_edge.deploy.replay.settings import logged_settings
from ltc_edge.deploy.run.datagrams import DISARM, MAGIC, Readings, encode_readings
from ltc_edge.deploy.run.page import Page
from ltc_edge.deploy.step_log.reading import StepLog

ARM = {
    "c-float32": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
    "c-int16": ("arm-linux-gnueabihf-gcc", "qemu-arm"),
}
ACTIVE, DISARMED, FALLBACK, SHADOW = 2, 0, 3, 1
REST = 0.0


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return shared_bundle(unverified_bundle)


@pytest.fixture(scope="module")
def loop(bundle):
    """The program under the address and undefined-behaviour sanitizers."""
    return (str(loop_program(source_of(bundle), "cc", *SANITIZERS)),)


class Running:
    """The loop as a process in real time."""

    def __init__(self, command, *options, **more):
        self.pages = os.memfd_create("page")
        self.process = subprocess.Popen(
            [*command, "--json", "--page", f"/dev/fd/{self.pages}", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(self.pages,),
            **more,
        )
        self.page = Page(self.pages, 2, 1)

    def say(self, *values):
        self.process.stdin.write(" ".join(map(str, values)) + "\n")
        self.process.stdin.flush()

    def action(self):
        return float(self.process.stdout.readline())

    def where(self):
        while not self.page.is_written():
            assert self.process.poll() is None, self.process.stderr.read()
        return self.page.read().where

    def end(self):
        """Remaining actions and the report."""
        rest, errors = self.process.communicate(timeout=TIMEOUT_S)
        lines = errors.splitlines()
        assert len(lines) == 1, errors
        return [float(line) for line in rest.splitlines()], json.loads(lines[0])

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.page.close()
        os.close(self.pages)


@pytest.fixture
def start(loop):
    started = []

    def begin(*options, command=loop, **more):
        started.append(Running(command, *options, **more))
        return started[-1]

    yield begin
    for running in started:
        running.close()


@pytest.fixture
def plant(start):
    """Starts a loop on UDP and its plant."""
    plants = []

    def begin(*options, **more):
        running = start("--io", "udp://0", *options, **more)
        plants.append(Plant(running.where()))
        return running, plants[-1]

    yield begin
    for one in plants:
        one.close()


def test_it_starts_disarmed_and_is_armed_and_disarmed_by_signals(plant):
    running, one = plant()
    assert one.until(lambda action: action.readings >= 5, 0.5, 0.1).mode == DISARMED
    running.process.send_signal(signal.SIGUSR1)
    action = one.until(lambda action: action.mode == ACTIVE and action.action[0] != REST, 0.5, 0.1)
    np.testing.assert_array_equal(action.action.shape, (1,))
    running.process.send_signal(signal.SIGUSR2)
    assert one.until(lambda action: action.mode == DISARMED, 0.5, 0.1).action[0] == REST


def test_requests_come_with_readings_and_timestamps_go_back(plant):
    _, one = plant("--arm")
    one.until(lambda action: action.mode == ACTIVE, 0.5, 0.1)
    one.until(lambda action: action.mode == DISARMED, 0.5, 0.1, requests=DISARM)
    one.send(0.5, 0.1, timestamp=(1 << 64) - 2)
    wanted = one.sequence
    while (action := one.action()).readings != wanted:
        pass
    assert action.timestamp == (1 << 64) - 2


def test_in_shadow_the_external_action_goes_through(plant):
    _, one = plant("--shadow")
    action = one.until(lambda action: action.mode == SHADOW, 0.5, 0.1, external=[0.25])
    one.send(0.5, 0.1, external=[0.25])
    while (action := one.action()).action[0] != np.float32(0.25):
        one.send(0.5, 0.1, external=[0.25])
    assert action.mode == SHADOW
    assert action.proposal[0] != np.float32(0.25)


@pytest.mark.parametrize("more", [{}, {"age_s": [0.0, 1e3]}, {"age_s": [float("nan"), 0.0]}])
def test_nan_and_old_readings_bring_the_fallback(plant, more):
    running, one = plant("--arm")
    one.until(lambda action: action.mode == ACTIVE, 0.5, 0.1)
    bad = 0.1 if more else float("nan")
    one.send(0.5, bad, **more)
    while (action := one.action()).mode != FALLBACK:
        one.send(0.5, bad, **more)
    assert action.status & (0x100 if more else 0x200)
    assert np.isfinite(action.action).all()
    running.process.terminate()
    _, report = running.end()
    assert report["modes"]["fallback"] > 0


def refused(counts):
    return {name: counts[name] for name in ("malformed", "old", "foreign")}


def test_what_is_no_reading_of_the_plant_is_counted_and_changes_nothing(plant):
    running, one = plant("--arm")
    one.until(lambda action: action.mode == ACTIVE, 0.5, 0.1)
    good = encode_readings(Readings(np.array([9, 9], dtype=np.float32), 1000))
    malformed = [b"", good[:-1], good + b"x", b"x" + good[1:], good[:4] + b"\2" + good[5:]]
    malformed += [good[:6] + b"\3\0" + good[8:], good[:15] + b"\x80" + good[16:], bytes(3000)]
    for content in malformed:
        one.line.sendto(content, one.there)
    one.send(9, 9, sequence=one.sequence)  # a copy
    one.send(9, 9, sequence=one.sequence - 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(good, one.there)
    one.sequence += 1
    wanted = {"malformed": len(malformed), "old": 2, "foreign": 1}
    while refused(running.page.read().io) != wanted:
        one.send(0.5, 0.1)
        assert running.page.read().observation.tolist() == pytest.approx([0.5, 0.1])
        one.action()


def test_a_plant_that_counts_past_the_last_number_goes_on(plant):
    running, one = plant()
    one.sequence = 0xFFFFFFF0
    one.until(lambda action: action.readings == 5, 0.5, 0.1)
    assert running.page.read().io["old"] == 0


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_rest(plant, which):
    running, one = plant("--arm")
    one.until(lambda action: action.action[0] != REST, 0.5, 0.1)
    running.process.send_signal(which)
    _, report = running.end()
    assert (running.process.returncode, report["end"]) == (0, "stopped")
    one.line.setblocking(False)
    actions = []
    try:
        while True:
            actions.append(one.action())
    except BlockingIOError:
        pass
    assert actions[-1].action[0] == REST
    assert running.page.read().end == "stopped"


def test_lines_and_their_end(start):
    running = start("--arm")
    running.say("hello")
    running.say("1 2 3")
    level, actions = 0.0, []
    for _ in range(30):
        running.say(0.5, level)
        actions.append(running.action())
        level += 0.1 * actions[-1]
    rest, report = running.end()
    actions += rest
    assert running.process.returncode == 0
    assert (report["end"], report["malformed"]) == ("input ended", 2)
    assert actions[-1] == REST
    assert len(set(actions)) > 5
    # The action of every period, and the one at the end.
    assert len(actions) == report["periods"] + 1


def test_it_ends_where_nobody_takes_actions(start):
    running = start()
    running.process.stdout.close()
    running.process.stdout = Path(os.devnull).open()  # noqa: SIM115  closed with the process
    _, report = running.end()
    assert (report["end"], running.process.returncode) == ("actuators lost", 1)


def test_a_reader_who_sleeps_does_not_hold_up_the_loop(start):
    running = start("--period", "0.0001", "--duration", "0.5")
    fcntl.fcntl(running.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    running.process.wait(timeout=TIMEOUT_S)
    rest, report = running.end()
    # It holds fewer lines than were written.
    assert report["actions_not_taken"] > 0
    assert len(rest) <= report["periods"] - report["actions_not_taken"] + 1


def test_an_impossible_period_counts_missed_deadlines(start):
    running = start("--period", "0.000001", "--duration", "0.0005", "--bare", "--every", "2")
    running.process.wait(timeout=TIMEOUT_S)
    _, report = running.end()
    assert 1 <= report["longest_run_missed"] <= report["missed_deadlines"] <= report["periods"]
    assert report["periods_left_out"] > 0
    assert report["steps"] == (report["periods"] + 1) // 2


def test_systemd_is_told(start, tmp_path):
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(place)
        manager.settimeout(TIMEOUT_S)
        environment = {**os.environ, "NOTIFY_SOCKET": place, "WATCHDOG_USEC": "100000"}
        running = start("--io", "udp://0", env=environment)
        assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        running.process.terminate()
        while (said := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert said == b"STOPPING=1"


@pytest.mark.parametrize("form", ARM)
def test_a_log_made_on_arm_gives_the_same_bits_here(bundle, start, tmp_path, form):
    compiler, emulator = ARM[form]
    for tool in (compiler, emulator):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    source = source_of(bundle, form)
    program = loop_program(source, compiler, "OPTIMISATION=-O0")
    log = tmp_path / "run.mcap"
    running = start("--arm", "--log", str(log), command=(emulator, str(program)))
    level = 0.0
    for _ in range(25):
        running.say(0.5, level)
        level += 0.1 * running.action()
    running.process.stdin.close()
    running.process.stdin = None
    assert running.process.wait(TIMEOUT_S) == 0
    read = StepLog(log)
    found = replay(read, ReplayLibrary(source.artifact.c_sources(), logged_settings(read)))
    assert found.steps >= 25
    assert found.first is None
    assert found.modes[ACTIVE] > 0


def test_what_the_system_refuses_is_told(loop):
    done = subprocess.run([*loop, "--cpu", "1023"], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stdout) == (3, "")
    assert "--cpu 1023: Invalid argument" in done.stderr


def test_no_priority_without_the_right_to_it(loop):
    # What root may do is taken from it: the kernel then looks at the limit, which is 0.
    drop = () if os.geteuid() else ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    if drop and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    command = (*drop, "sh", "-c", 'ulimit -r 0 && exec "$0" "$@"', *loop, "--fifo", "10")
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stdout) == (3, "")
    assert "--fifo 10: Operation not permitted; run as root" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--fifo", "100"), "--fifo: expected a whole number from 1 to 99"),
        (("--cpu", "x"), "--cpu: expected"),
        (("--period", "0"), "--period: expected seconds"),
        (("--duration", "nan"), "--duration: expected"),
        (("--every", "0"), "--every: expected"),
        (("--arm", "--shadow"), "--arm and --shadow exclude each other"),
        (("extra",), "there are options alone"),
        (("--io", "udp://192.0.2.1:9"), "--io udp://192.0.2.1:9: that lets other machines drive"),
        (("--io", "udp://127.0.0.1:99999"), "--io udp://127.0.0.1:99999: expected"),
        (("--io", "udp://0?frm=1"), "--io udp://0?frm=1: expected"),
        (("--io", "ftp://x"), "--io ftp://x: unknown"),
        (("--io", "serial:///dev/null"), "--io serial:///dev/null: Inappropriate ioctl"),
        (("--io", "serial:///dev/null?baud=7"), "--io serial:///dev/null?baud=7: expected"),
        (("--io", "mailbox://0"), "--io mailbox://0: expected"),
        (("--io", "can://lo?readings=1:0:f32:1:0&actions=2:0:f32:1:0"), "--io can://lo"),
        (("--page", "/nowhere/page"), "--page /nowhere/page: No such file"),
    ],
)
def test_wrong_usage(loop, options, message):
    done = subprocess.run(
        [*loop, *options], capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {message}")


def test_a_controller_that_fails_its_selftest_does_not_start(bundle, loop, tmp_path):
    text = source_of(bundle).artifact.c_sources().files["tiny.c"].decode()
    words = re.search(r"golden_action\[\d+\] = \{([^}]*)\}", text)[1]
    golden = b"".join(int(word, 16).to_bytes(4, "little") for word in re.findall(r"0x[0-9A-Fa-f]+", words))
    content = Path(loop[0]).read_bytes()
    assert content.count(golden) == 1
    # Another first golden action than the one that comes out.
    changed = tmp_path / "rt_loop"
    changed.write_bytes(content.replace(golden, bytes([golden[0] ^ 1]) + golden[1:]))
    changed.chmod(0o700)
    done = subprocess.run([changed], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 1
    assert "the selftest failed, status 0x80" in done.stderr


def test_the_magic_is_a_word_that_people_can_read():
    assert MAGIC.to_bytes(4, "little") == b"LTCE"
