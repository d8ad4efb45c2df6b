"""A deployment that is killed at every step of its own: each file, link, process and signal."""

import os
import shutil
import signal
import sys

import pytest

from ltc_edge.deploy.linux.device.layout import Layout, faults
from ltc_edge.deploy.linux.device.run_service import RunService

STEPS = {"os.rename", "os.remove", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod", "os.kill"}
STEPS |= {"subprocess.Popen", "socket.bind", "shutil.rmtree"}

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def killed_at(step, act):
    """Do ``act`` in a process that is killed when it begins its ``step``-th step; whether it came so far."""
    child = os.fork()
    if child == 0:
        left = [step]

        def hook(event, arguments):
            writes = (
                event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            )
            if event in STEPS or writes:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def whole(machine):
    """IDs of the current and the running version, which are whole."""
    layout = Layout(machine.root, "pump")
    found = layout.linked(layout.current), RunService(layout).state()["version"]
    for identity in found:
        assert identity is None or faults(layout.version(identity), identity) == []
    return found


def tidy(machine, package):
    layout = Layout(machine.root, "pump")
    assert machine.deploy(package)["switched"]
    assert layout.linked(layout.current) == package.identity
    assert list(layout.incoming.iterdir()) == list(layout.folder.glob(".*")) == []
    assert not layout.pending.exists()
    assert len(layout.versions()) <= 2
    assert all(faults(layout.version(identity), identity) == [] for identity in layout.versions())


@pytest.mark.parametrize(("service", "every"), [("none", 1), ("run", 9)])
def test_current_is_whole_whatever_ends_a_deployment(machine, loop, tmp_path, service, every):
    """From two versions to a third: at each step there is the one before or the new one."""
    one, two, three = (machine.package(loop, service, number=number) for number in (1, 2, 3))
    machine.deploy(one)
    machine.deploy(two)
    root, before = tmp_path / "root", tmp_path / "before"
    RunService(Layout(machine.root, "pump")).stop()
    shutil.copytree(root, before, symlinks=True)
    step, ends = 1, set()
    while killed_at(step, lambda: machine.deploy(three)):
        current, running = whole(machine)
        assert current in (two.identity, three.identity)
        assert running in (None, two.identity, three.identity)
        ends.add(current)
        tidy(machine, three)
        RunService(Layout(machine.root, "pump")).stop()
        shutil.rmtree(root)
        shutil.copytree(before, root, symlinks=True)
        step += every
    RunService(Layout(machine.root, "pump")).stop()
    assert ends == {two.identity, three.identity}
    assert step > 25


def test_a_switch_that_was_cut_off_is_taken_back(machine, loop):
    """Nobody saw the new version work: what comes next begins with the one before."""
    one, two = (machine.package(loop, "run", number=number) for number in (1, 2))
    machine.deploy(one)
    layout = Layout(machine.root, "pump")
    try:
        step = 20
        while killed_at(step, lambda: machine.deploy(two)) and layout.linked(layout.current) != two.identity:
            step += 1
        assert machine.status()["unfinished"]
        deployment = machine.opened()
        assert machine.status()["current"] == one.identity
        assert RunService(layout).state()["version"] == one.identity
        deployment._lock.release()
    finally:
        RunService(layout).stop()
