"""The unit: as systemd itself reads it, where it is here; and words that it takes as they are."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.deploy.linux.settings import LoopSettings
from ltc_edge.deploy.linux.unit import Unit, unit_text, word
from ltc_edge.errors import InputError

FIFO = LoopSettings("udp://127.0.0.1:9000", fifo=50, cpu=3)
SERIAL = LoopSettings("serial:///dev/ttyUSB0?baud=115200")
CAN = LoopSettings("can://can0")
ODD = LoopSettings('can://100% $odd "words" \\n\'s; $(reboot)')


def text(loop, folder="/opt/ltc-edge/pump/current", *, user=False, period_s=0.02):
    arguments = ["rt_loop", "--io", loop.io]
    return unit_text(Unit("pump", folder, arguments, period_s, user), loop)


def lines(loop, **said):
    return text(loop, **said).splitlines()


def test_what_each_io_needs_and_no_more():
    assert "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6" in lines(FIFO)
    assert "RestrictAddressFamilies=AF_UNIX AF_CAN" in lines(CAN)
    assert {"RestrictAddressFamilies=AF_UNIX", "PrivateNetwork=yes", "SupplementaryGroups=dialout"} <= set(
        lines(SERIAL)
    )
    assert "DeviceAllow=char-ttyUSB rw" in lines(SERIAL)
    for loop in (FIFO, CAN):
        assert "PrivateDevices=yes" in lines(loop)
        assert not [line for line in lines(loop) if line.startswith("DeviceAllow")]


def test_real_time_is_allowed_only_where_it_was_asked_for():
    assert {"LimitRTPRIO=50", "CPUAffinity=3", "LimitMEMLOCK=infinity"} <= set(lines(FIFO))
    assert "RestrictRealtime=yes" not in lines(FIFO)
    assert {"LimitRTPRIO=0", "RestrictRealtime=yes"} <= set(lines(CAN))


def test_a_users_unit_asks_for_nothing_that_takes_root():
    found = text(FIFO, user=True)
    assert "WantedBy=default.target" in found
    assert "NoNewPrivileges=yes" in found
    assert not re.search("DynamicUser|ProtectSystem|CapabilityBoundingSet|PrivateDevices", found)


def test_a_slow_loop_has_time_to_say_that_it_lives():
    assert "WatchdogSec=2" in lines(FIFO)
    assert "WatchdogSec=20" in lines(FIFO, period_s=5.0)


def test_only_this_machine_is_heard_where_nothing_else_was_said():
    assert {"IPAddressAllow=localhost", "IPAddressDeny=any"} <= set(lines(FIFO))
    assert "IPAddressDeny=any" not in lines(LoopSettings("udp://0.0.0.0:9000", beyond_loopback=True))


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30))
def test_a_word_is_one_line_and_replaces_nothing(said):
    quoted = word(said)
    assert "\n" not in quoted
    assert not re.search(r"(?<!%)(%%)*%(?!%)", quoted)
    assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", quoted)
    if quoted.startswith('"'):
        assert re.fullmatch(r'"([^"\\]|\\.)*"', quoted)


@pytest.mark.parametrize(
    "folder", ["/opt/a b", "/opt/$HOME", "/opt/%h", "opt", "/opt/x\nExecStartPre=/bin/sh"]
)
def test_a_folder_that_systemd_starts_nothing_from(folder):
    with pytest.raises(InputError, match="systemd starts nothing from"):
        text(FIFO, folder)


@pytest.mark.parametrize("loop", [FIFO, SERIAL, CAN, ODD], ids=["fifo", "serial", "can", "odd"])
def test_systemd_reads_it_without_a_word(loop, tmp_path):
    """`verify` needs the program to be there; without systemd the text is what is left to look at."""
    program = tmp_path / "rt_loop"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "ltc-edge-pump.service"
    unit.write_text(text(loop, str(program.parent)))
    assert f"ExecStart={program} --io {word(loop.io)}" in unit.read_text()
    if shutil.which("systemd-analyze"):
        command = ["systemd-analyze", "verify", "--man=no", unit]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        said = [line for line in done.stderr.splitlines() if "ltc-edge-pump" in line]
        assert (done.returncode, said) == (0, []), done.stderr
