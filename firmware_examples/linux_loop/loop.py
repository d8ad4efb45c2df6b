"""A fixed-rate control loop: sensor values in, actions out, deadlines counted."""

from __future__ import annotations

import json
import select
import sys
import time

import numpy as np

from ltc_edge import InputError, load_bundle


def read_sensors(timeout_s: float) -> list[float] | None:
    """The next reading, or None where none came in time; raises EOFError when the sensors are gone."""
    ready, _, _ = select.select([sys.stdin], [], [], max(timeout_s, 0.0))
    if not ready:
        return None
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    try:
        return [float(value) for value in json.loads(line)]
    except (ValueError, TypeError):
        return []  # an unreadable line; the controller refuses it by its shape


def write_actions(actions: np.ndarray) -> None:
    """Hand the actions to the actuators."""
    print(json.dumps([float(action) for action in actions]), flush=True)


def main(path: str, form: str = "onnx") -> None:
    """Run the bundle ``path`` in one of its formats until the sensors are gone."""
    bundle = load_bundle(path)
    controller, stepper = bundle.controller, bundle.stepper(form)
    period_s = controller.timing.period_s
    steps = missed = refused = 0
    previous: float | None = None
    deadline = time.monotonic() + period_s
    while True:
        try:
            # A whole further period of grace: then the reading counts as lost.
            values = read_sensors(deadline + period_s - time.monotonic())
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
    main(*sys.argv[1:])
