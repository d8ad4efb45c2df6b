"""Round trips through a node against a bare echo of the same middleware: JSON.

One process answers: it holds a node with the bundle's controller, and in the same session an echo that sends
back what it got. Another asks, by turns the one and the other, as two processes of a robot would.

    tools/bench_node.py BUNDLE [--middleware zenoh --middleware dds] [--messages 5000]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.controller import Timing
from ltc_edge.deploy.ros.cdr import Encoder
from ltc_edge.deploy.ros.controller_node import ControllerNode, NodeSettings
from ltc_edge.deploy.ros.engine import Engine
from ltc_edge.deploy.ros.interfaces import find_type
from ltc_edge.deploy.ros.mapping import default_mapping
from ltc_edge.deploy.ros.middleware import Middleware, Publish
from ltc_edge.deploy.ros.opened import open_subject
from ltc_edge.deploy.ros.over_dds import DdsMiddleware
from ltc_edge.deploy.ros.over_zenoh import ZenohMiddleware
from ltc_edge.deploy.ros.quality import COMMAND, SENSOR_DATA
from ltc_edge.runtimes.c_compiler import find_compiler
from ltc_edge.supervision.codes import Request

STATES, COMMANDS = find_type("JointState"), find_type("Float64MultiArray")
ECHO, ECHOED, OBSERVED, ACTED = "/bench/echo", "/bench/echoed", "/bench/states", "/bench/commands"
DOMAIN = 87
PATIENCE_S = 30.0
WARMING = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--middleware", action="append", choices=["zenoh", "dds"])
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--answer", metavar="ENDPOINT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.answer is not None:
        return answer(arguments.bundle, arguments.middleware[0], arguments.answer)
    wanted = arguments.middleware or ["zenoh", "dds"]
    document = {
        "bundle": arguments.bundle.name,
        "messages": arguments.messages,
        "machine": platform.processor() or platform.machine(),
        "compiler": find_compiler()[0],
        "round_trips": {kind: measure(arguments.bundle, kind, arguments.messages) for kind in wanted},
    }
    print(json.dumps(document, indent=1))
    return 0


def answer(bundle: Path, kind: str, endpoint: str) -> int:
    """The process that answers, until its standard input ends."""
    middleware: Middleware
    if kind == "zenoh":
        middleware = ZenohMiddleware("bench", DOMAIN, connect=[endpoint])
    else:
        middleware = DdsMiddleware("asking", DOMAIN)
    publish = middleware.publisher(ECHOED, STATES, COMMAND)
    middleware.subscribe(ECHO, STATES, SENSOR_DATA, publish)
    subject = open_subject(bundle, None, None)
    observations = [signal.name for signal in subject.controller.observations]
    actions = [signal.name for signal in subject.controller.actions]
    mapping = default_mapping(observations, actions, (OBSERVED, STATES), (ACTED, COMMANDS))
    # As if it were made for the rate at which it is asked: each message makes a step.
    asked = Timing(1e-6, 1e-6, 10.0, 1.0)
    engine = Engine(subject.supervised(trust_c=False), subject.settings, mapping, asked)
    settings = NodeSettings("bench", subject.controller.timing.period_s, None, Request.ARM, {})
    node = ControllerNode(engine, mapping, subject.settings, middleware, settings)
    threading.Thread(target=lambda: (sys.stdin.read(), node.stop()), daemon=True).start()
    node.run()
    return 0


def measure(bundle: Path, kind: str, messages: int) -> dict[str, Any]:
    """Round trips in microseconds, by turns."""
    subject = open_subject(bundle, None, None)
    names = [signal.name for signal in subject.controller.observations]
    mapping = default_mapping(names, ["x"], (OBSERVED, STATES), (ACTED, COMMANDS))
    encoder = Encoder(STATES, mapping.sources[0].paths)
    with asking(bundle, kind) as middleware:
        trips = {
            "echo": Trip(middleware, ECHO, ECHOED, STATES),
            "node": Trip(middleware, OBSERVED, ACTED, COMMANDS),
        }
        payload = encoder.write([0.01] * len(names), time.time_ns())
        for trip in trips.values():
            trip.wait_for_answers(payload)
        taken: dict[str, list[int]] = {name: [] for name in trips}
        for turn in range(messages + WARMING):
            for name, trip in trips.items():
                took = trip.once(encoder.write([0.01] * len(names), time.time_ns()))
                if turn >= WARMING:
                    taken[name].append(took)
    figures = {name: summary(values) for name, values in taken.items()}
    ratio = figures["node"]["p50_us"] / figures["echo"]["p50_us"]
    return {**figures, "ratio_p50": round(ratio, 4)}


def summary(nanoseconds: list[int]) -> dict[str, float]:
    values = np.percentile(np.asarray(nanoseconds), [50, 90, 99]) / 1e3
    return dict(zip(["p50_us", "p90_us", "p99_us"], values.round(1).tolist(), strict=True))


class Trip:
    """A topic to ask on, and one that the answer comes on."""

    def __init__(self, middleware: Middleware, asked: str, answered: str, answer_type: Any) -> None:
        self._came = threading.Event()
        self._publish: Publish = middleware.publisher(asked, STATES, COMMAND)
        middleware.subscribe(answered, answer_type, SENSOR_DATA, lambda _: self._came.set())

    def once(self, payload: bytes) -> int:
        """Nanoseconds from sending to the answer."""
        self._came.clear()
        begin = time.perf_counter_ns()
        self._publish(payload)
        if not self._came.wait(PATIENCE_S):
            raise SystemExit("no answer came")
        return time.perf_counter_ns() - begin

    def wait_for_answers(self, payload: bytes) -> None:
        """Ask until both sides have found each other."""
        begin = time.monotonic()
        while time.monotonic() - begin < PATIENCE_S:
            self._publish(payload)
            if self._came.wait(0.1):
                time.sleep(0.2)  # what was asked meanwhile is answered too
                return
        raise SystemExit("nobody answers")


@contextlib.contextmanager
def asking(bundle: Path, kind: str) -> Iterator[Middleware]:
    """The asking side's middleware, with an answering process at its other end."""
    endpoint = f"tcp/127.0.0.1:{free_port()}"
    middleware: Middleware
    if kind == "zenoh":
        middleware = ZenohMiddleware("asker", DOMAIN, listen=[endpoint])
    else:
        middleware = DdsMiddleware("answering", DOMAIN)
    command = [sys.executable, __file__, str(bundle), "--middleware", kind, "--answer", endpoint]
    child = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield middleware
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.wait(timeout=PATIENCE_S)
        middleware.close()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
