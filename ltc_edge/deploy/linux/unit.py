"""The unit that systemd runs a deployment by: nothing but what the loop needs.

What each line is for is in ``docs/deploy.md``; ``systemd-analyze security`` has names for what is left open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.deploy.linux.settings import LoopSettings
from ltc_edge.errors import InputError

WATCHDOG_S, WATCHDOG_PERIODS = 2, 4
READY_S, STOP_S = 10, 5
RESTARTS, RESTARTS_WITHIN_S = 5, 60

_FOLDER = re.compile(r"/[A-Za-z0-9/._-]*")
_ADDRESS_FAMILIES = {"udp": "AF_INET AF_INET6", "can": "AF_CAN"}
_DEVICES = {
    "serial": ("char-ttyUSB rw", "char-ttyACM rw", "char-ttyAMA rw", "char-ttyS rw", "char-ttymxc rw")
}


@dataclass(frozen=True)
class Unit:
    """Where the unit's program lies.

    Attributes:
        name: of the deployment.
        folder: of its current version, on the device, absolute.
        arguments: the program's file in it, and its arguments.
        period_s: of its loop.
        user: whether it is of a user's systemd.
    """

    name: str
    folder: str
    arguments: Sequence[str]
    period_s: float
    user: bool


def unit_text(unit: Unit, loop: LoopSettings) -> str:
    """The unit as a file.

    Raises:
        InputError: systemd starts no program from such a folder.
    """
    if not _FOLDER.fullmatch(unit.folder):
        raise InputError(
            f"systemd starts nothing from {unit.folder[:100]!r}: name a --root of letters, digits and / . _ -"
        )
    program, *arguments = unit.arguments
    command = " ".join(map(word, [f"{unit.folder}/{program}", *arguments]))
    sections = {
        "Unit": [
            f"Description=ltc-edge: {unit.name.replace('%', '%%')}",
            f"StartLimitIntervalSec={RESTARTS_WITHIN_S}",
            f"StartLimitBurst={RESTARTS}",
            *([] if unit.user else ["After=network.target"]),
        ],
        "Service": [
            "Type=notify",
            "NotifyAccess=main",
            f"ExecStart={command}",
            f"TimeoutStartSec={READY_S}",
            f"TimeoutStopSec={STOP_S}",
            # The loop says that it lives once a period.
            f"WatchdogSec={max(WATCHDOG_S, math.ceil(WATCHDOG_PERIODS * unit.period_s))}",
            "Restart=on-failure",
            "RestartSec=200ms",
            "StandardInput=null",
            *_real_time(loop),
            *_sandbox(unit, loop),
        ],
        "Install": [f"WantedBy={'default' if unit.user else 'multi-user'}.target"],
    }
    return "\n".join(
        f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items()
    )


def _real_time(loop: LoopSettings) -> list[str]:
    lines = ["LimitMEMLOCK=infinity", f"LimitRTPRIO={loop.fifo}", "LimitCORE=0", "OOMScoreAdjust=-900"]
    return lines if loop.cpu is None else [*lines, f"CPUAffinity={loop.cpu}"]


def _sandbox(unit: Unit, loop: LoopSettings) -> list[str]:
    scheme = loop.io.partition(":")[0]
    families = " ".join(["AF_UNIX", *filter(None, [_ADDRESS_FAMILIES.get(scheme)])])
    # Priority, processor, and the log's thread of low priority are asked of the kernel.
    asks = bool(loop.fifo) or loop.cpu is not None or loop.log_minutes is not None
    lines = [
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "MemoryDenyWriteExecute=yes",
        f"RestrictAddressFamilies={families}",
        "RestrictNamespaces=yes",
        "RestrictSUIDSGID=yes",
        *(["RestrictRealtime=yes"] if not loop.fifo else []),
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        f"SystemCallFilter=~@privileged{'' if asks else ' @resources'}",
        "SystemCallErrorNumber=EPERM",
        "UMask=0077",
    ]
    # The rest needs namespaces, which a user's systemd has on some systems alone.
    return lines if unit.user else [*lines, *_closed_system(unit, loop, scheme)]


def _closed_system(unit: Unit, loop: LoopSettings, scheme: str) -> list[str]:
    """What a unit of the system closes besides."""
    devices = _DEVICES.get(scheme, ())
    local = scheme == "udp" and not loop.beyond_loopback
    return [
        "DynamicUser=yes",
        *(["SupplementaryGroups=dialout"] if devices else []),
        *([f"StateDirectory=ltc-edge/{unit.name}"] if loop.log_minutes is not None else []),
        *(["IPAddressAllow=localhost", "IPAddressDeny=any"] if local else []),
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        *(["PrivateDevices=yes"] if not devices else ["DevicePolicy=closed"]),
        *(f"DeviceAllow={device}" for device in devices),
        *(["PrivateNetwork=yes"] if scheme in _DEVICES else []),
        "ProtectClock=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "ProtectProc=invisible",
        "ProcSubset=pid",
        "RemoveIPC=yes",
    ]


def word(text: str) -> str:
    """A word of a command line as systemd reads it: quoted, with nothing left that it would replace."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    escaped = escaped.replace("\n", "\\n").replace("\t", "\\t")
    plain = text and all(letter.isalnum() or letter in "-_./:=,@+" for letter in text)
    return escaped if plain else f'"{escaped}"'
