"""A fixed-rate control loop: sensor values in, actions out, deadlines counted."""

from __future__ import annotations

import json
import os
import select
import sys
import time

import numpy as np

from ltc_edge import InputError, LtcEdgeError, load_bundle


class Sensors:
    """The newest line on standard input; lines that were not fetched in time are of the past."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, timeout_s: float) -> list[float] | None:
        """The newest reading, or None where none came in time; raises EOFError when the sensors are gone."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([0], [], [], max(deadline - time.monotonic(), 0.0))
            if not ready:
                return None
            # Not sys.stdin: what lies in its buffer, select does not see.
            chunk = os.read(0, 65536)
            if not chunk:
                raise EOFError
            self._rest += chunk
        *_, newest, self._rest = self._rest.split(b"\n")
        try:
            return [float(value) for value in json.loads(newest)]
        except (ValueError, TypeError):
            return []  # an unreadable line; the controller refuses it by its shape


def write_actions(actions: np.ndarray) -> None:
    """Hand the actions to the actuators."""
    print(json.dumps([float(action) for action in actions]), flush=True)


def main(path: str, form: str = "onnx") -> None:
    """Run the bundle ``path`` in one of its formats until the sensors are gone."""
    bundle = load_bundle(path)
    controller, stepper = bundle.controller, bundle.stepper(form)
    period_s, sensors = controller.timing.period_s, Sensors()
    steps = missed = refused = 0
    previous: float | None = None
    deadline = time.monotonic() + period_s
    while True:
        try:
            # A whole further period of grace: then the reading counts as lost.
            values = sensors.read(deadline + period_s - time.monotonic())
        except EOFError:
            break
        now = time.monotonic()
        dt_s = period_s if previous is None else now - previous
        try:
            if values is None:
                raise InputError("no reading came in time")
            actions = stepper.step(np.array(values), dt_s)
            previous = now
        except InputError as error:
            refused += 1
            print(f"step {steps}: {error}; applying the fallback", file=sys.stderr)
            actions = controller.fallback
        write_actions(actions)
        steps += 1
        missed += time.monotonic() > deadline
        # The next deadline counts from this one, or from now where whole periods were lost.
        deadline = max(deadline + period_s, time.monotonic())
        time.sleep(max(deadline - period_s - time.monotonic(), 0.0))
    print(json.dumps({"steps": steps, "missed_deadlines": missed, "fallbacks": refused}), file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python loop.py BUNDLE [FORMAT]")
    try:
        main(*sys.argv[1:])
    except LtcEdgeError as error:
        sys.exit(f"Error: {error}")
