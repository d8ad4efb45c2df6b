"""A board on a serial line is profiled by its own counter: real firmware, on a board that QEMU emulates."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ltc_edge.errors import DeviceError
from ltc_edge.profiling.places import find_place
from ltc_edge.profiling.profile import profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.subject import read_profile_subject

EXAMPLE = Path(__file__).parents[2] / "firmware_examples" / "mps2"
TOOLS = ("arm-none-eabi-gcc", "make", "qemu-system-arm")


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return unverified_bundle("onnx", "c-float32", "c-int16")


@pytest.fixture
def port(bundle, tmp_path):
    """Where a board with the bundle's int16 controller is to be found."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    pytest.importorskip("serial", reason="pyserial is not installed (extra: firmware)")
    build = ["make", "-C", EXAMPLE, f"CONTROLLER_DIR={bundle / 'c-int16'}", f"BUILD={tmp_path}", "CORE=m4"]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    command = ["qemu-system-arm", "-machine", "mps2-an386", "-kernel", str(tmp_path / "firmware.elf")]
    options = ["-display", "none", "-monitor", "none", "-serial", "pty"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"/dev/\S+", process.stdout.readline())[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(bundle, port, formats=()):
    target = f"serial:{port}"
    subject = read_profile_subject(bundle, formats, ())
    return profile(subject, Request(target, find_place(target)), lambda *_: None)


def test_the_format_that_the_board_runs_is_timed_by_its_counter(bundle, port):
    document = run(bundle, port)
    rows = document["formats"]
    assert {name: row["status"] for name, row in rows.items()} == {
        "onnx": "refused",
        "c-float32": "refused",
        "c-int16": "ok",
    }
    assert "other" in rows["c-float32"]["reason"]
    latency = rows["c-int16"]["latency_us"]
    assert latency["samples"] == 500
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"]
    assert rows["c-int16"]["rms_over_sigma"] < 0.05
    assert document["device"]["ticks_per_second"] > 0
    assert document["recommendation"]["format"] == "c-int16"


def test_a_board_with_another_controller_is_said(bundle, port):
    with pytest.raises(DeviceError, match=r"runs '.*build and flash"):
        run(bundle, port, ("c-float32",))
