"""Single flipped bits of a controller's memory: which are noticed, and what the others do to its actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from assurance.subjects import Subject
from ltc_edge.errors import InputError
from ltc_edge.export.c.guard import STATUS
from ltc_edge.runtimes.host_machine import HostMachine

SETTLED = 1e-4
"""An effect has died out where it stays below this share of the range of actions seen."""


@dataclass
class Effect:
    """What one flipped bit did: greatest change of an action, and steps until it stays settled."""

    change: float
    steps: int | None


def flips(subject: Subject, steps: int = 200, settle: int = 20, seed: int = 7) -> dict[str, Any]:
    """Flip every bit of a state once.

    In a context a flip meets the checksum first, which notices each of them (the harness of `sanitize` tries
    all). Here the flipped state is handed to ``restore``, as if the flip had struck between the check of the
    checksum and the use: what its bounds let through is then followed for ``steps`` steps.

    Returns:
        Counts of bits, of those that bounds refuse, and of the rest: greatest and median change of an action
        as a share of the range of actions seen, most steps until it stays below `SETTLED`, and how many had
        not settled at the end.
    """
    machine = HostMachine(subject.sources, subject.controller)
    inputs = _inputs(subject, steps + settle, seed)
    machine.reset()
    for observation, dt in inputs[:settle]:
        machine.step(observation, dt)
    start, rest = machine.read_state(), inputs[settle:]
    plain = _run(machine, start, rest)
    assert plain is not None
    scale = np.maximum(np.ptp(plain, axis=0), 1e-6)
    effects, refused = [], 0
    for bit in range(8 * len(start)):
        changed = bytearray(start)
        changed[bit // 8] ^= 1 << (bit % 8)
        found = _run(machine, bytes(changed), rest)
        if found is None:
            refused += 1
        else:
            effects.append(_effect(np.abs(found - plain) / scale))
    changes = [effect.change for effect in effects]
    settled = [effect.steps for effect in effects if effect.steps is not None]
    return {
        "bits": 8 * len(start),
        "noticed_by_checksum": 8 * len(start),
        "refused_by_bounds": refused,
        "passed_by_bounds": len(effects),
        "greatest_change_of_range": max(changes, default=None),
        "median_change_of_range": float(np.median(changes)) if changes else None,
        "most_steps_until_settled": max(settled, default=None),
        "not_settled": len(effects) - len(settled),
        "steps": steps,
    }


def _inputs(subject: Subject, steps: int, seed: int) -> list[tuple[np.ndarray[Any, Any], float]]:
    controller, rng = subject.controller, np.random.default_rng(seed)
    normalizer = controller.normalizer
    drive = rng.normal(size=(steps, len(normalizer.offset)))
    values = (normalizer.offset + normalizer.scale * drive).astype(np.float32)
    return [(observation, controller.timing.period_s) for observation in values]


def _run(machine: HostMachine, state: bytes, inputs: list[tuple[Any, float]]) -> Any:
    """Actions from a state; None where it is refused, at once or later."""
    machine.reset()
    try:
        machine.write_state(state)
    except InputError:
        return None
    actions = []
    for observation, dt in inputs:
        status, action = machine.step(observation, dt)
        if status & STATUS["STATE_OUT_OF_BOUNDS"]:
            return None
        actions.append(action.astype(np.float64))
    return np.array(actions)


def _effect(change: Any) -> Effect:
    """Of changes ``(T, M)`` as shares of the ranges of actions."""
    most = change.max(axis=1)
    loud = np.flatnonzero(most > SETTLED)
    if len(loud) == 0:
        return Effect(float(most.max()), 0)
    last = int(loud[-1])
    return Effect(float(most.max()), last + 1 if last + 1 < len(most) else None)
