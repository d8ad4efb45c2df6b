"""What `ltc-edge run` adds to a step, and what it misses: 1 kHz on loopback UDP. Prints JSON.

    python tools/bench_loop.py BUNDLE                          # 10 minutes idle and 10 under load
    python tools/bench_loop.py BUNDLE --seconds 10 --fifo 80 --cpu 1

A process of its own is the plant: it answers each action with readings. The controller is the bundle's, its
period set to the loop's, so that every period steps it. In each part:

wake_up_latency_us   from the deadline to waking up
execution_us         from waking up to the action being out: receive, supervise, step, send
added_us             of that, what the loop adds: less a bare step of the same controller with the same
                     readings, timed in the same process and period, directly afterwards. A step that is
                     timed after another finds its code and data in the caches, so that what fetching them
                     takes counts as added
round_trip_us        of the plant: from readings being sent to their action; up to a period of it is
                     waiting for the deadline
sockets_us           the same receive and send without a loop, by a program of a few lines, beside the same
                     plant and load: what of added_us is the kernel's
missed               periods whose action was not out before the next one began

Load is a process for each processor that copies memory. Needs a C compiler, make, and with --fifo the right
to real-time scheduling.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from loop_bench import sockets
from profile_bench.subject import machine_state

from ltc_edge.bundle.bundle import Bundle, load_bundle
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.controller import Timing
from ltc_edge.controller_file import save_controller
from ltc_edge.deploy.linux.loop_source import loop_source
from ltc_edge.deploy.run.datagrams import Readings, decode_action, encode_readings
from ltc_edge.deploy.run.document import run_document
from ltc_edge.deploy.run.process import LoopProcess
from ltc_edge.deploy.run.program import loop_program
from ltc_edge.deploy.run.request import RunRequest
from ltc_edge.errors import LtcEdgeError

FORM = "c-float32"
PARTS = {"idle": False, "loaded": True}
SILENT_S = 0.1
SOCKETS_S = 60.0
COPIED_BYTES = 1 << 24


def at_rate(bundle: Path, rate_hz: float, folder: Path) -> Bundle:
    """The bundle's controller for another period, unverified."""
    controller = load_bundle(bundle).controller
    period_s = 1.0 / rate_hz
    timing = Timing(period_s, period_s / 2, 2 * period_s, controller.timing.time_unit_s)
    file = folder / "controller.safetensors"
    save_controller(dataclasses.replace(controller, timing=timing), file)
    export_bundle(read_subject(file), folder / "bundle", ExportOptions(formats=(FORM,), verify=False))
    return load_bundle(folder / "bundle")


def plant(port: int, observations: int, cpu: int | None, over: Event, result: Any) -> None:
    """Answer actions with readings, at once; put round trips in µs into ``result`` at the end."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    state, sequence, trips, lost = np.zeros(observations, dtype=np.float32), 0, [], 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(SILENT_S)
        line.connect(("127.0.0.1", port))
        while not over.is_set():
            sequence += 1
            line.send(encode_readings(Readings(state, sequence, timestamp=time.monotonic_ns())))
            try:
                action = decode_action(line.recv(2048))
            except OSError:
                lost += 1
                continue
            if action.readings == sequence:
                trips.append((time.monotonic_ns() - action.timestamp) * 1e-3)
            state = np.float32(0.99) * state + np.float32(0.01) * action.action[0] + np.float32(0.001)
    result.put({"exchanges": sequence, "unanswered": lost, **percentiles(np.array(trips))})


def percentiles(times: Any) -> dict[str, float]:
    """p50, p99, p99.9 and the largest."""
    if not len(times):
        return {}
    found = np.percentile(times, [50, 99, 99.9, 100]).round(1)
    return dict(zip(("p50", "p99", "p999", "max"), found.tolist(), strict=True))


def burn(over: Event) -> None:
    """Copy memory until it is over."""
    source = bytes(COPIED_BYTES)
    while not over.is_set():
        bytearray(source)


@contextlib.contextmanager
def processes(over: Event, *wanted: tuple[Any, tuple[Any, ...]]) -> Iterator[None]:
    """Processes that run meanwhile."""
    started = [multiprocessing.Process(target=target, args=given, daemon=True) for target, given in wanted]
    for process in started:
        process.start()
    try:
        yield
    finally:
        over.set()
        for process in started:
            process.join()


def measure(
    bundle: Bundle, program: Path, yardstick: Path, arguments: argparse.Namespace, *, loaded: bool
) -> dict[str, Any]:
    """One part."""
    controller = bundle.controller
    names = [[signal.name for signal in group] for group in (controller.observations, controller.actions)]
    request = RunRequest(
        io="",
        period_s=1.0 / arguments.rate,
        at_start="arm",
        fifo=arguments.fifo,
        cpu=arguments.cpu,
        spin_s=arguments.spin * 1e-6,
        log=arguments.log,
        bare=True,
    )
    shape = (len(names[0]), len(names[1]))
    before, trips = machine_state(), {}

    @contextlib.contextmanager
    def beside(port: int) -> Iterator[None]:
        over, result = multiprocessing.Event(), multiprocessing.SimpleQueue()
        wanted = [(plant, (port, shape[0], arguments.plant_cpu, over, result))]
        wanted += [(burn, (over,))] * ((os.cpu_count() or 1) if loaded else 0)
        with processes(over, *wanted):
            yield
            over.set()
            trips.update(result.get())

    seconds = min(arguments.seconds, SOCKETS_S)
    scheduling = arguments.fifo, arguments.cpu
    alone = sockets.measure(yardstick, request.period_s, seconds, scheduling, shape[1], beside)
    with LoopProcess(program, "udp://127.0.0.1:0", request.arguments(), shape) as loop:
        with beside(int(loop.snapshot().where.rpartition(":")[2])):
            loop.wait(arguments.seconds)
            loop.end()
        found = run_document(loop.snapshot(), *names)
    timed = {"seconds": arguments.seconds, "machine": before}
    return {**timed, **found, "round_trip_us": trips, "sockets_us": alone}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--seconds", type=float, default=600.0, help="of each part")
    parser.add_argument("--only", choices=PARTS, action="append", default=[], help="a part; repeatable")
    parser.add_argument("--rate", type=float, default=1000.0, help="in Hz")
    parser.add_argument("--fifo", type=int, help="SCHED_FIFO priority of the loop")
    parser.add_argument("--cpu", type=int, help="that the loop has")
    parser.add_argument("--plant-cpu", type=int, help="that the plant has")
    parser.add_argument("--spin", type=float, default=0.0, help="µs awake before each deadline")
    parser.add_argument("--log", type=Path, help="also keep every step in this file, of the last part")
    arguments = parser.parse_args()
    document: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="ltc-edge-bench-") as folder:
            bundle = at_rate(arguments.bundle, arguments.rate, Path(folder))
            source = loop_source(bundle, FORM, 1.0 / arguments.rate, None)
            with loop_program(source, keep=False) as program, sockets.built(Path(folder)) as yardstick:
                for name in arguments.only or PARTS:
                    document[name] = measure(bundle, program, yardstick, arguments, loaded=PARTS[name])
    except LtcEdgeError as error:
        sys.exit(f"Error: {error}")
    print(json.dumps(document))


if __name__ == "__main__":
    main()
