"""Profiling a board on a serial line by its own counter; ``docs/serial-protocol.md``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import DeviceError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.profiling.inputs import Array, Inputs, action_errors
from ltc_edge.profiling.samples import histogram, summarise
from ltc_edge.runtimes.serial_lines import Line, PortLine
from ltc_edge.runtimes.serial_machine import SerialMachine

STEPS = 500


def profile_serial(
    artifact: Artifact,
    controller: Controller,
    inputs: Inputs,
    port: str,
    on_share: Callable[[str, float], None],
    open_line: Callable[[str], Line] = PortLine,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What docs/profile-format.md has of a format that a board runs, and what the board says of itself.

    Args:
        artifact: the format, in C.
        controller: what it was made from.
        inputs: what it is fed with, from the reset state on.
        port: of the board.
        on_share: told what is done.
        open_line: opens a port.

    Raises:
        DeviceError: the board does not answer, or runs another controller or format.
    """
    sources = artifact.c_sources()
    machine = SerialMachine(open_line(port), controller, sources.item_bytes, version=sources.version())
    try:
        if machine.reset():
            raise DeviceError(f"{port}: the controller's parameters are corrupt; flash the device anew")
        ticks, actions = _steps(machine, inputs, lambda share: on_share(artifact.form.name, share))
    finally:
        machine.close()
    device = {
        "board": machine.device.version,
        "ticks_per_second": machine.device.ticks_per_second or None,
        "port": port,
    }
    row: dict[str, Any] = {
        "status": "ok",
        "reason": None,
        "detail": None,
        "bytes": artifact.bytes,
        "runtime": {"name": "firmware", "version": machine.device.version},
        "repeated_requests": machine.repeats,
        **action_errors(inputs, actions),
        **_latency(ticks, machine.device.ticks_per_second),
    }
    return row, device


def _steps(machine: SerialMachine, inputs: Inputs, on_share: Callable[[float], None]) -> tuple[Array, Array]:
    """Ticks of each step, ``(T,)``, and actions, ``(T, M)``."""
    ticks, actions = [], []
    for index, (observation, dt) in enumerate(zip(inputs.observation, inputs.dt_s.tolist(), strict=True)):
        _, action = machine.step(observation.astype(np.float32), dt)
        ticks.append(float(machine.ticks))
        actions.append(action.astype(np.float64))
        on_share(index / len(inputs.observation))
    return np.array(ticks), np.stack(actions)


def _latency(ticks: Array, ticks_per_second: int) -> dict[str, Any]:
    """Times by the board's counter; none where it has no counter."""
    if not ticks_per_second:
        return {"latency_us": None, "detail": "the board has no counter, so its steps were not timed"}
    us = ticks / ticks_per_second * 1e6
    return {"latency_us": summarise(us), "histogram": histogram(us), "clock_us": 1e6 / ticks_per_second}
