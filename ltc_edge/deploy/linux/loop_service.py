"""What a bundle becomes on a device: its loop program, and how a service calls that."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.controller import Controller
from ltc_edge.deploy.linux.build import PROGRAM
from ltc_edge.deploy.linux.loop_source import LoopSource, loop_source
from ltc_edge.deploy.linux.settings import LoopSettings
from ltc_edge.deploy.rate import RatePlan, plan_rate
from ltc_edge.deploy.run.request import RunRequest
from ltc_edge.deploy.run.urls import native_url, numeric, read_url
from ltc_edge.errors import InputError

SCHEMES = ("udp", "serial", "can")
"""Of I/O that the loop program has itself, and that needs nobody beside it."""
SELFTEST = (PROGRAM, "--io", "lines")
"""It tests itself before anything else; then its input, which is empty, ends."""


@dataclass(frozen=True, eq=False)
class LoopService:
    """A loop as a service of a device.

    Attributes:
        source: what its program is built from.
        rate: of the loop.
        arguments: the program and its arguments, as a service calls it.
    """

    source: LoopSource
    rate: RatePlan
    arguments: tuple[str, ...]


def loop_service(bundle: Bundle, form: str | None, loop: LoopSettings, *, trust_c: bool) -> LoopService:
    """A bundle's loop, as it is to run on a device.

    Raises:
        InputError: there is no such format, the supervisor's settings cannot be used, or the controller is
            not made for the rate.
        BundleError: its C is not what its controller gives.
    """
    timing = bundle.controller.timing
    rate = RatePlan(timing.period_s, 1) if loop.rate_hz is None else plan_rate(timing, loop.rate_hz)
    source = loop_source(bundle, form, rate.step_s, loop.supervisor, trust_c=trust_c)
    return LoopService(source, rate, loop_arguments(bundle.controller, loop, rate))


def loop_arguments(controller: Controller, loop: LoopSettings, rate: RatePlan) -> tuple[str, ...]:
    """The program and its arguments, as a service calls it.

    Raises:
        InputError: a service cannot have that I/O.
    """
    url = read_url(loop.io)
    if url.scheme not in SCHEMES:
        raise InputError(
            f"--io {loop.io[:80]!r}: a service has {', '.join(f'{scheme}://' for scheme in SCHEMES)} alone; "
            "lines and what a Python process bridges are for `ltc-edge run`"
        )
    names = (
        [signal.name for signal in controller.observations],
        [signal.name for signal in controller.actions],
    )
    if url.scheme == "udp" and not loop.beyond_loopback and not _is_loopback(url.place):
        raise InputError(
            f"--io {loop.io[:80]!r}: there other machines could drive the actuators; say --beyond-loopback "
            "where that is wanted"
        )
    request = RunRequest(
        io=loop.io,
        period_s=rate.period_s,
        every=rate.every,
        at_start=None if loop.start == "disarmed" else loop.start,
        fifo=loop.fifo or None,
        cpu=loop.cpu,
        bind=loop.beyond_loopback,
    )
    return PROGRAM, "--io", native_url(url, *names), "--json", *request.arguments()


def _is_loopback(place: str) -> bool:
    host = numeric(place).rpartition(":")[0].strip("[]")
    return ip_address(host).is_loopback
