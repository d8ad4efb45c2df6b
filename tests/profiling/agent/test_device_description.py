"""What a device is, from trees of files that stand in for devices which are not here."""

import re

import pytest

from ltc_edge.profiling.agent.device_description import describe_device


def test_a_raspberry_pi_4(pi4):
    device = describe_device(pi4)
    assert device["model"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert device["soc"] == "brcm,bcm2711"
    assert (device["cores"], device["online_cpus"], device["isolated_cpus"]) == (4, [0, 1, 2, 3], [3])
    assert device["memory_bytes"] == 3885396 * 1024
    assert device["kernel_release"] == "6.12.25+rpt-rpi-v8-rt"
    assert device["preemption"] == "PREEMPT_RT"
    assert device["os"] == "Debian GNU/Linux 12 (bookworm)"
    assert (device["virtualised"], device["container"]) == (False, False)


def test_a_laptop(laptop):
    device = describe_device(laptop)
    assert device["model"] == "LENOVO 20XW"
    assert device["soc"] == "Intel(R) Core(TM) i7-1165G7"
    assert device["preemption"] == "PREEMPT_DYNAMIC (voluntary)"
    assert (device["online_cpus"], device["isolated_cpus"]) == ([0, 1, 3], [])
    assert device["virtualised"] is False


@pytest.mark.parametrize(
    ("version", "preemption"),
    [
        ("#1 SMP PREEMPT_RT Thu", "PREEMPT_RT"),
        ("#1 SMP PREEMPT RT Thu", "PREEMPT_RT"),  # before Linux 5.12
        ("#1 SMP PREEMPT_DYNAMIC Thu", "PREEMPT_DYNAMIC"),
        ("#1 SMP PREEMPT Debian 1:6.6.51", "PREEMPT"),
        ("#1 SMP Debian 5.10", "none"),
    ],
)
def test_the_preemption_of_a_kernel_without_debugfs(plant, version, preemption):
    assert describe_device(plant({"proc/sys/kernel/version": version}))["preemption"] == preemption


@pytest.mark.parametrize(
    "files",
    [
        {"proc/cpuinfo": "flags\t: fpu hypervisor lm\n"},
        {"proc/cpuinfo": "processor : 0\n", "proc/device-tree/hypervisor/compatible": "linux,kvm\0"},
        {"proc/cpuinfo": "processor : 0\n", "sys/hypervisor/type": "xen\n"},
        {"proc/cpuinfo": "processor : 0\n", "sys/class/dmi/id/sys_vendor": "QEMU\n"},
    ],
)
def test_what_runs_under_a_hypervisor(plant, files):
    assert describe_device(plant(files))["virtualised"] is True


def test_a_container(plant):
    assert describe_device(plant({"run/.containerenv": ""}))["container"] is True


def test_nothing_readable(plant):
    device = describe_device(plant({}))
    of_this_process = {"machine", "userland", "libc", "python", "container"}
    assert {name for name, value in device.items() if value is not None} <= of_this_process
    assert re.fullmatch(r"\S+ 3\.[0-9]+\.[0-9]+\S*", device["python"])


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00\x9b31m", b"A" * 100_000, b"\x1b[31mred", b"one\ntwo"]
)
def test_a_model_that_is_no_name_is_none(plant, content):
    files = {"proc/device-tree/model": content, "etc/os-release": b"PRETTY_NAME=" + content.split(b"\n")[0]}
    device = describe_device(plant(files))
    assert device["model"] is None
    assert device["os"] in (None, "one")
