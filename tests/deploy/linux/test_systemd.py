"""Units by way of ``systemctl``, which a script stands in for: what it is asked, and what it answers.

No systemd runs where these tests do. What the unit says is checked by systemd's own ``systemd-analyze``.
"""

import os

import pytest

from ltc_edge.deploy.linux.device.layout import Layout, Refused
from ltc_edge.deploy.linux.device.systemd import SystemdService

SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$STATE/calls"
case "$1" in
    restart) [ -e "$STATE/broken" ] && { echo "Job failed. See journalctl." >&2; exit 1; } ;;
    show) cat "$STATE/properties" ;;
esac
exit 0
"""
UNIT = "ltc-edge-pump.service"


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """Folder of a systemd that starts what it is told, and of its units."""
    for name in ("bin", "units"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin/systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin/systemctl").chmod(0o755)
    (tmp_path / "properties").write_text("ActiveState=active\nMainPID=0\nNRestarts=0\nResult=success\n")
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("ltc_edge.deploy.linux.device.systemd.SYSTEM_UNITS", str(tmp_path / "units"))
    return tmp_path


def calls(systemd):
    found = (systemd / "calls").read_text().splitlines()
    (systemd / "calls").unlink()
    return [call for call in found if not call.startswith("show")]


@pytest.fixture
def installed(machine, systemd):
    """A version that is current, and its service."""
    layout = Layout(machine.root, "pump")
    package = machine.package(number=1)
    machine.deploy(package)
    return layout, SystemdService(layout), package


def test_the_unit_is_found_through_current_and_wanted_at_boot(installed, systemd):
    layout, service, _ = installed
    assert service.start(1.0) is None
    assert calls(systemd) == ["daemon-reload", f"reset-failed {UNIT}", f"restart {UNIT}"]
    assert str((systemd / "units" / UNIT).readlink()) == str(layout.current / UNIT)
    assert str((systemd / "units/multi-user.target.wants" / UNIT).readlink()) == f"../{UNIT}"
    assert service.start(1.0) is None  # it is there already


def test_what_systemd_does_not_see_ready_is_told(installed, systemd):
    _, service, _ = installed
    (systemd / "broken").touch()
    assert service.start(1.0) == "systemd did not see it ready (Job failed. See journalctl.)"


def test_somebody_elses_unit_is_left_alone(installed, systemd):
    _, service, _ = installed
    (systemd / "units" / UNIT).write_text("[Service]\n")
    with pytest.raises(Refused, match="is there already, and not from here"):
        service.start(1.0)


def test_what_runs_is_read_from_the_process(installed, systemd):
    _, service, _ = installed
    (systemd / "properties").write_text(
        f"ActiveState=active\nMainPID={os.getpid()}\nNRestarts=2\nResult=watchdog\nExecMainStatus=6\n"
    )
    state = service.state()
    assert (state["state"], state["pid"], state["restarts"]) == ("running", os.getpid(), 2)
    assert state["last_exit"] == "watchdog, 6"
    assert service.watch(state["version"], 0.0) is None
    assert service.watch("0" * 16, 0.0).startswith("version ")
    (systemd / "properties").write_text("ActiveState=failed\nMainPID=0\nNRestarts=5\nResult=exit-code\n")
    assert service.watch("0" * 16, 0.0) == "it ended by itself (exit-code, None)"


def test_nothing_is_wanted_at_boot_once_it_was_removed(installed, systemd):
    layout, service, _ = installed
    service.start(1.0)
    service.stop()
    assert (systemd / "units" / UNIT).is_symlink()
    layout.point(layout.current, None)
    service.stop()
    assert not list((systemd / "units").glob("**/*.service"))


def test_a_users_unit_is_the_users(machine, systemd, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(systemd / "config"))
    machine.deploy(machine.package(number=1))
    SystemdService(Layout(machine.root, "pump"), user=True).start(1.0)
    assert calls(systemd)[0] == "--user daemon-reload"
    assert (systemd / "config/systemd/user/default.target.wants" / UNIT).is_symlink()


def test_without_systemd_there_is_something_else(installed, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Refused, match="there is no systemd on this device; choose --service run or none"):
        installed[1].state()
