"""What a device is: the board, its processor, kernel, C library and Python."""

from __future__ import annotations

import os
import platform
import re
import sysconfig
from pathlib import Path
from typing import Any

from .probe import entries, exists, integer, one_line, processors, read_line, read_text

_CPUS = "sys/devices/system/cpu"
_VIRTUAL_VENDORS = (
    "QEMU",
    "KVM",
    "VMware",
    "innotek",
    "Xen",
    "Bochs",
    "Parallels",
    "Amazon EC2",
    "Google Compute",
)
_CONTAINER_MARKS = (".dockerenv", "run/.containerenv", "run/systemd/container")


def describe_device(root: Path = Path("/")) -> dict[str, Any]:
    """What the device below ``root`` is; each value is None where it cannot be told.

    Returns:
        ``model``, ``soc``, ``machine`` of the kernel and ``userland`` of this process (a 64-bit kernel may
        run 32-bit programs), ``cores``, ``online_cpus`` and ``isolated_cpus`` (lists), ``memory_bytes``,
        ``kernel_release``, ``kernel_version``, ``preemption``, ``os``, ``libc``, ``python``,
        ``virtualised`` and ``container``.
    """
    cpuinfo = read_text(root, "proc/cpuinfo")
    version = read_line(root, "proc/sys/kernel/version")
    present = processors(read_line(root, f"{_CPUS}/present"))
    isolated = read_text(root, f"{_CPUS}/isolated")
    return {
        "model": _model(root),
        "soc": _soc(root, cpuinfo),
        "machine": read_line(root, "proc/sys/kernel/arch") or one_line(platform.machine()),
        "userland": _userland(),
        "cores": len(present) if present else None,
        "online_cpus": processors(read_line(root, f"{_CPUS}/online")),
        "isolated_cpus": processors(isolated),
        "memory_bytes": _memory_bytes(read_text(root, "proc/meminfo")),
        "kernel_release": read_line(root, "proc/sys/kernel/osrelease"),
        "kernel_version": version,
        "preemption": _preemption(root, version),
        "os": _os_name(read_text(root, "etc/os-release") or read_text(root, "usr/lib/os-release")),
        "libc": _libc(root),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "virtualised": _virtualised(root, cpuinfo),
        "container": any(exists(root, mark) for mark in _CONTAINER_MARKS),
    }


def _model(root: Path) -> str | None:
    board = read_line(root, "proc/device-tree/model") or read_line(root, "sys/firmware/devicetree/base/model")
    if board:
        return board
    vendor, product = (read_line(root, f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))
    return f"{vendor} {product}" if vendor and product else product


def _soc(root: Path, cpuinfo: str | None) -> str | None:
    """The last and most general name of the device tree, as in ``brcm,bcm2711``; else the processor's own."""
    names = (read_text(root, "proc/device-tree/compatible") or "").rstrip("\0\n").split("\0")
    return one_line(names[-1]) or _cpuinfo_value(cpuinfo, "Hardware") or _cpuinfo_value(cpuinfo, "model name")


def _cpuinfo_value(cpuinfo: str | None, name: str) -> str | None:
    match = re.search(rf"^{name}[ \t]*:(.*)$", cpuinfo or "", re.MULTILINE)
    return one_line(match[1]) if match else None


def _userland() -> str | None:
    """The architecture that this Python was built for, and so which binaries surely run."""
    triplet = sysconfig.get_config_var("MULTIARCH")
    return one_line(str(triplet)) if triplet else None


def _memory_bytes(meminfo: str | None) -> int | None:
    match = re.search(r"^MemTotal:[ \t]*([0-9]{1,15}) kB$", meminfo or "", re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _preemption(root: Path, version: str | None) -> str | None:
    """How far the kernel lets itself be interrupted; "none" is also what a voluntary one looks like."""
    if integer(read_line(root, "sys/kernel/realtime")) == 1:
        return "PREEMPT_RT"
    if version is None:
        return None
    if re.search(r"\bPREEMPT[_ ]RT\b", version):
        return "PREEMPT_RT"
    if "PREEMPT_DYNAMIC" in version:
        mode = re.search(r"\(([a-z]{1,20})\)", read_line(root, "sys/kernel/debug/sched/preempt") or "")
        return f"PREEMPT_DYNAMIC ({mode[1]})" if mode else "PREEMPT_DYNAMIC"
    return "PREEMPT" if re.search(r"\bPREEMPT\b", version) else "none"


def _os_name(release: str | None) -> str | None:
    match = re.search(r"^PRETTY_NAME=(.*)$", release or "", re.MULTILINE)
    return one_line(match[1].strip().strip("\"'")) if match else None


def _libc(root: Path) -> str | None:
    try:
        return one_line(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):
        # musl has no such name, and its loader carries the architecture in its own.
        return "musl" if entries(root, "lib", r"ld-musl-.*") else None


def _virtualised(root: Path, cpuinfo: str | None) -> bool | None:
    """Whether a hypervisor is below, which can take the processor away unseen."""
    if cpuinfo is None:
        return None
    flags = _flags(cpuinfo)
    vendor = read_line(root, "sys/class/dmi/id/sys_vendor") or ""
    product = read_line(root, "sys/class/dmi/id/product_name") or ""
    return (
        "hypervisor" in flags
        or exists(root, "proc/device-tree/hypervisor")
        or read_line(root, "sys/hypervisor/type") is not None
        or any(name in f"{vendor} {product}" for name in _VIRTUAL_VENDORS)
    )


def _flags(cpuinfo: str) -> set[str]:
    match = re.search(r"^flags[ \t]*:(.*)$", cpuinfo, re.MULTILINE)
    return set(match[1].split()) if match else set()
