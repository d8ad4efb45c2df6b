"""What a deployment is told: how the loop runs, who starts it, and what must hold before it may."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Start = Literal["disarmed", "arm", "shadow"]
ServiceKind = Literal["systemd", "systemd-user", "run", "none"]
SERVICES: tuple[ServiceKind, ...] = ("systemd", "systemd-user", "run", "none")


@dataclass(frozen=True)
class LoopSettings:
    """How the loop program runs.

    Attributes:
        io: URL of where readings come from and actions go.
        rate_hz: instead of the controller's own; None for that.
        supervisor: settings of the supervisor, TOML; None for those of the bundle.
        fifo: priority under SCHED_FIFO; 0 for none.
        cpu: processor that it runs on; None for any.
        beyond_loopback: whether other machines may send readings.
        start: whether it stays disarmed until somebody arms it, acts as soon as readings have come, or
            computes only.
        log_minutes: every step is kept, in files of so many minutes; None for no log.
        log_keep: how many of these files stay.
    """

    io: str
    rate_hz: float | None = None
    supervisor: Path | None = None
    fifo: int = 0
    cpu: int | None = None
    beyond_loopback: bool = False
    start: Start = "disarmed"
    log_minutes: int | None = None
    log_keep: int = 24


@dataclass(frozen=True)
class Checks:
    """What must hold on the device before the switch, and how long it may take after it.

    Attributes:
        max_p99_us: of a step; None for `PERIOD_SHARE` of the period.
        profile: whether a step is timed at all.
        ready_s: for the program to report ready.
        watch_s: for which it must then run.
        lock_s: for another deployment to be over.
    """

    max_p99_us: float | None = None
    profile: bool = True
    ready_s: float = 10.0
    watch_s: float = 3.0
    lock_s: float = 20.0


PERIOD_SHARE = 0.5
"""Of a period, that a step may take at p99 if nothing else is said: I/O and other processes need the rest."""


@dataclass(frozen=True)
class DeviceSettings:
    """How a device is reached, and where deployments lie there.

    Attributes:
        python: its interpreter.
        root: folder of deployments; None for the usual one.
        service: who starts the program.
        sudo: whether all of it is done as root, by ``sudo -n``.
        keep: versions that stay.
    """

    python: str | None = None
    root: str | None = None
    service: ServiceKind = "systemd"
    sudo: bool = False
    keep: int = 3


@dataclass(frozen=True)
class Signing:
    """Files of keys.

    Attributes:
        key: private, to sign with.
        verify_key: public; the device takes nothing from then on that it did not sign.
    """

    key: Path | None = None
    verify_key: Path | None = None


@dataclass(frozen=True)
class Order:
    """One deployment, as far as it does not depend on the device.

    Attributes:
        form: format in C; None for the bundle's first.
        trust_c: whether the bundle's own C is compiled.
        loop, checks, device, signing: see there.
    """

    loop: LoopSettings
    form: str | None = None
    trust_c: bool = False
    checks: Checks = field(default_factory=Checks)
    device: DeviceSettings = field(default_factory=DeviceSettings)
    signing: Signing = field(default_factory=Signing)
