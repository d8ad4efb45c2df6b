"""Devices that are not here: trees of the files that a kernel shows, and programs on PATH."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Plant = Callable[[Mapping[str, str | bytes]], Path]
Install = Callable[[str, str], None]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write files below a new root, and return it."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return write


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a shell script on a PATH that has the basic programs and no vcgencmd of this machine."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cat", "sleep", "yes"):
        found = next(Path(folder) / name for folder in ("/bin", "/usr/bin") if (Path(folder) / name).exists())
        (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", os.fspath(programs))

    def write(name: str, script: str) -> None:
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)

    return write


def _cpufreq(**values: object) -> dict[str, str]:
    return {f"sys/devices/system/cpu/cpu0/cpufreq/{name}": f"{value}\n" for name, value in values.items()}


@pytest.fixture
def pi4(plant: Plant, install: Install) -> Path:
    """A Raspberry Pi 4 with PREEMPT_RT that is too hot and has too weak a supply.

    No such board is here: these are files as its kernel shows them, and a script stands in for vcgencmd.
    """
    install("vcgencmd", '[ "$1" = get_throttled ] && echo throttled=0x7000d || exit 1')
    return plant(
        {
            "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
            "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd\n\nRevision\t: c03114\n",
            "proc/sys/kernel/osrelease": "6.12.25+rpt-rpi-v8-rt\n",
            "proc/sys/kernel/version": "#1 SMP PREEMPT_RT Debian 1:6.12.25-1+rpt1 (2025-04-30)\n",
            "proc/meminfo": "MemTotal:        3885396 kB\nMemFree:          123 kB\n",
            "proc/loadavg": "3.52 1.10 0.40 5/190 4711\n",
            "proc/stat": "cpu  100 0 50 800 5 0 5 0 0 0\ncpu0 1 0 0 0 0 0 0 0 0 0\nctxt 12345\n",
            "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "sys/kernel/realtime": "1\n",
            "sys/devices/system/cpu/online": "0-3\n",
            "sys/devices/system/cpu/present": "0-3\n",
            "sys/devices/system/cpu/isolated": "3\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "83268\n",
            "sys/class/thermal/thermal_zone0/trip_point_0_type": "critical\n",
            "sys/class/thermal/thermal_zone0/trip_point_0_temp": "110000\n",
            "sys/devices/system/clocksource/clocksource0/current_clocksource": "arch_sys_counter\n",
            **_cpufreq(
                scaling_governor="ondemand",
                scaling_cur_freq=1000000,
                scaling_min_freq=600000,
                scaling_max_freq=1800000,
                cpuinfo_max_freq=1800000,
            ),
        }
    )


@pytest.fixture
def laptop(plant: Plant, install: Install) -> Path:
    """An x86 laptop with energy counters and throttle counts; `install` hides what this machine has."""
    cpu = "sys/devices/system/cpu"
    return plant(
        {
            "sys/class/dmi/id/sys_vendor": "LENOVO\n",
            "sys/class/dmi/id/product_name": "20XW\n",
            "proc/cpuinfo": "model name\t: Intel(R) Core(TM) i7-1165G7\nflags\t\t: fpu vme sse2\n",
            "proc/sys/kernel/osrelease": "6.8.0-60-generic\n",
            "proc/sys/kernel/version": "#63-Ubuntu SMP PREEMPT_DYNAMIC Tue Apr 15 19:04:15 UTC 2025\n",
            "sys/kernel/debug/sched/preempt": "none (voluntary) full lazy \n",
            "proc/stat": "cpu  100 0 50 800 5 0 5 10 0 0\nctxt 99\n",
            f"{cpu}/online": "0-1,3\n",
            f"{cpu}/isolated": "\n",
            f"{cpu}/cpu0/thermal_throttle/core_throttle_count": "3\n",
            f"{cpu}/cpu1/thermal_throttle/core_throttle_count": "4\n",
            f"{cpu}/cpu0/thermal_throttle/package_throttle_count": "9\n",
            f"{cpu}/cpu1/thermal_throttle/package_throttle_count": "9\n",
            "sys/class/powercap/intel-rapl:0/name": "package-0\n",
            "sys/class/powercap/intel-rapl:0/energy_uj": "262143000000\n",
            "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
            "sys/class/powercap/intel-rapl:0:0/name": "core\n",
            "sys/class/powercap/intel-rapl:0:0/energy_uj": "77\n",
            "sys/class/powercap/intel-rapl:1/name": "psys\n",
            "sys/class/powercap/intel-rapl:1/energy_uj": "88\n",
            "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
            "sys/class/thermal/thermal_zone0/temp": "52000\n",
            "sys/class/thermal/thermal_zone0/trip_point_0_type": "passive\n",
            "sys/class/thermal/thermal_zone0/trip_point_0_temp": "0\n",
            **_cpufreq(
                scaling_governor="performance",
                scaling_cur_freq=4100000,
                scaling_min_freq=400000,
                scaling_max_freq=4700000,
                cpuinfo_max_freq=4700000,
            ),
        }
    )
