"""What a bundle becomes on a device: sources of its loop program, and how that is called."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.controller import Controller
from ltc_edge.deploy.linux.build import PROGRAM, program_tree
from ltc_edge.deploy.linux.settings import LoopSettings
from ltc_edge.deploy.rate import RatePlan, plan_rate
from ltc_edge.deploy.run.request import RunRequest
from ltc_edge.deploy.run.urls import native_url, numeric, read_url
from ltc_edge.deploy.sources import choose_c_format, trusted_sources
from ltc_edge.deploy.step_log.facts import facts_c, make_facts
from ltc_edge.errors import InputError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.supervision.settings import Settings, default_settings
from ltc_edge.supervision.settings_c import settings_c
from ltc_edge.supervision.settings_file import read_settings

SETTINGS_FILES = ("supervisor_settings.c", "step_log_facts.c")
SCHEMES = ("udp", "serial", "can")
"""Of I/O that the loop program has itself, and that needs nobody beside it."""
SELFTEST = (PROGRAM, "--io", "lines")
"""It tests itself before anything else; then its input, which is empty, ends."""


@dataclass(frozen=True, eq=False)
class LoopSources:
    """What a loop program is built from.

    Attributes:
        artifact: the controller in C.
        tree: all files, as `build_here` takes them.
        variables: of make.
        supervisor: settings of the supervisor.
        rate: of the loop.
        arguments: the program and its arguments, as a service calls it.
    """

    artifact: Artifact
    tree: dict[str, bytes]
    variables: tuple[str, ...]
    supervisor: Settings
    rate: RatePlan
    arguments: tuple[str, ...]


def loop_sources(bundle: Bundle, form: str | None, loop: LoopSettings, *, trust_c: bool) -> LoopSources:
    """The sources of a bundle's loop program.

    Raises:
        InputError: there is no such format, the supervisor's settings cannot be used, or the controller is
            not made for the rate.
        BundleError: its C is not what its controller gives.
    """
    name = choose_c_format(bundle, form)
    artifact = trusted_sources(bundle, name, trust_c=trust_c)
    settings = default_settings(bundle.controller)
    if loop.supervisor is not None:
        settings = read_settings(loop.supervisor, settings)
    timing = bundle.controller.timing
    rate = RatePlan(timing.period_s, 1) if loop.rate_hz is None else plan_rate(timing, loop.rate_hz)
    facts = facts_c(make_facts(bundle, name, rate.step_s, settings))
    more = dict(zip(SETTINGS_FILES, (settings_c(settings).encode(), facts.encode()), strict=True))
    sources = artifact.c_sources()
    taken = more.keys() & sources.files.keys()
    if taken:
        raise InputError(
            f"{bundle.path}: a controller cannot be called {min(taken)[:-2]}: --c-name of export"
        )
    tree = program_tree(sources, more)
    variables = (f"SETTINGS={' '.join(f'controller/{file}' for file in SETTINGS_FILES)}",)
    arguments = loop_arguments(bundle.controller, loop, rate)
    return LoopSources(artifact, tree, variables, settings, rate, arguments)


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
