"""``ltc-edge node`` on a network: opens the middleware, runs the node, ends it at a signal."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ltc_edge.cli.output import console, one_line

if TYPE_CHECKING:
    from ltc_edge.deploy.ros.controller_node import ControllerNode, Witness
    from ltc_edge.deploy.ros.entry import Stepping
    from ltc_edge.deploy.ros.mapping import Mapping as SignalMapping
    from ltc_edge.deploy.ros.middleware import Middleware
    from ltc_edge.deploy.ros.opened import Subject
    from ltc_edge.supervision.codes import Request


def run_node(
    subject: Subject, mapping: SignalMapping, said: Mapping[str, Any], request: Request, *, quiet: bool
) -> dict[str, Any]:
    """Run a node until a signal or the end of its duration; what it did.

    Raises:
        KeyboardInterrupt: Ctrl-C ended it, once its actions were at rest.
        InputError: the network cannot be used so.
        MissingExtraError: the middleware is not installed.
    """
    from ltc_edge.deploy.rate import plan_rate
    from ltc_edge.deploy.ros.bag import BagRecorder
    from ltc_edge.deploy.ros.controller_node import ControllerNode, NodeSettings
    from ltc_edge.deploy.ros.engine import Engine

    timing = subject.controller.timing
    rate_hz: float | None = said["rate"]
    settings = NodeSettings(
        name=said["node_name"],
        period_s=timing.period_s,
        timer_s=None if rate_hz is None else plan_rate(timing, rate_hz).step_s,
        request=request,
        parameters=subject.parameters(mapping, subject.settings),
        by_stamp=said["stamps"],
    )
    with ExitStack() as opened:
        middleware = _middleware(said)
        opened.callback(middleware.close)
        steps = opened.enter_context(opened_steps(subject, said, settings.timer_s or timing.period_s))
        engine = Engine(steps, subject.settings, mapping, timing, by_stamp=said["stamps"])
        witnesses: tuple[Witness, ...] = ()
        if said["record"] is not None:
            recorder = BagRecorder(said["record"], mapping)
            opened.callback(recorder.close)
            witnesses = (recorder,)
        node = ControllerNode(engine, mapping, subject.settings, middleware, settings, witnesses)
        opened.callback(node.close)
        if not quiet:
            _announce(mapping, settings.name, said)
        gc.collect()
        gc.freeze()  # what is there by now stays: the collector need not look at it while messages come
        opened.callback(gc.unfreeze)
        with _ended_by_signals(node) as signals:
            node.run(said["duration"])
    status = node.status()
    if not quiet:
        why = f", the last: {status['last_rejection']}" if status["rejected"] else "."
        console(error=True).print(
            f"Ended {status['mode']}: {status['steps']} steps, {status['actions']} actions, "
            f"{status['rejected']} messages rejected{one_line(why)}"
        )
    if signal.SIGINT in signals:
        raise KeyboardInterrupt
    return {"middleware": said["middleware"], **status}


@contextmanager
def opened_steps(subject: Subject, said: Mapping[str, Any], period_s: float) -> Iterator[Stepping]:
    """What is stepped, with a log of its steps where one is asked for."""
    supervised = subject.supervised(trust_c=said["trust_c"])
    if said["log"] is None:
        yield supervised
        return
    from ltc_edge.deploy.ros.logged_steps import LoggedSteps

    steps = LoggedSteps(subject, supervised, said["log"], period_s)
    try:
        yield steps
    finally:
        steps.close()


def _middleware(said: Mapping[str, Any]) -> Middleware:
    from ltc_edge.deploy.ros.graph_names import domain_from_environment
    from ltc_edge.errors import InputError

    domain = domain_from_environment() if said["domain"] is None else said["domain"]
    if said["middleware"] == "zenoh":
        from ltc_edge.deploy.ros.over_zenoh import LOOPBACK, ZenohMiddleware

        if said["interface"] is not None:
            raise InputError("--interface is for --middleware dds; for zenoh say --listen and --connect")
        return ZenohMiddleware(said["node_name"], domain, said["connect"], said["listen"] or (LOOPBACK,))
    from ltc_edge.deploy.ros.over_dds import LOOPBACK as LOOPBACK_INTERFACE
    from ltc_edge.deploy.ros.over_dds import DdsMiddleware

    if said["connect"] or said["listen"]:
        raise InputError("--connect and --listen are for --middleware zenoh; for dds say --interface")
    return DdsMiddleware(said["node_name"], domain, said["interface"] or LOOPBACK_INTERFACE)


def _announce(mapping: SignalMapping, name: str, said: Mapping[str, Any]) -> None:
    out = console(error=True)
    out.print(f"Node {name} over {said['middleware']}. Ctrl-C ends it with its actions at rest.")
    for source in mapping.sources:
        out.print(f"  reads   {source.topic} ({source.message.name}): {_fields(source.paths)}")
    sink = mapping.sink
    out.print(f"  drives  {sink.topic} ({sink.message.name}): {_fields(sink.paths)}")
    if not said["arm"]:
        out.print(f"  waits   for 'arm' on /{name}/request (std_msgs/msg/String)")


def _fields(paths: Any) -> str:
    return ", ".join(path.said for path in paths)


@contextmanager
def _ended_by_signals(node: ControllerNode) -> Iterator[list[int]]:
    """SIGINT and SIGTERM let the node end in its own time; those that came."""
    came: list[int] = []

    def end(number: int, _: object) -> None:
        came.append(number)
        node.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
