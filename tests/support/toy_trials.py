"""Replicates that train nothing, take microseconds, and follow from their work alone."""

from __future__ import annotations

import hashlib
import math
import os
import random
import signal
import time
from pathlib import Path

from ltc_edge.sweep.work import Outcome, Work

ROUNDS = 6


def do(work: Work, trials: Path) -> Outcome:
    """The more units the better, and the dearer; some are hopeless, and some fail."""
    settings = work.settings
    words = repr((sorted(settings.items()), work.seed)).encode()
    luck = int.from_bytes(hashlib.sha256(words).digest()[:4], "little") / 2**32
    units, unfolds = int(settings["units"]), int(settings.get("unfolds", 1))
    value = 100 * (1 - math.exp(-units / 8)) + 20 * luck
    curve: list[tuple[int, float]] = []
    for index in range(ROUNDS):
        curve.append((index, value * (1 - 0.5 ** (index + 1))))
        if curve[-1][1] < work.giving_up.get(index, -math.inf):
            return Outcome(work.trial, work.seed, "pruned", {}, tuple(curve), f"hopeless in round {index}")
    if luck > 0.95:
        return Outcome(work.trial, work.seed, "failed", reason="bad luck")
    cost = float(units**2 * unfolds * (1 if settings["format"] == "c-int16" else 2))
    figures = {"return": value, "instructions": cost, "error": luck}
    return Outcome(work.trial, work.seed, "complete", figures, tuple(curve), seconds={"train": 0.5})


def do_in_trouble(work: Work, trials: Path) -> Outcome:
    """As `do`, but sooner or later, and now and then its worker is killed, at most twice for the same."""
    chance = random.SystemRandom()
    time.sleep(chance.uniform(0, 0.01))
    killed = trials.parent / f"killed-{work.trial}-{work.seed}"
    if chance.random() < 0.1 and (not killed.exists() or killed.stat().st_size < 2):
        with killed.open("ab") as file:
            file.write(b"x")
        os.kill(os.getpid(), signal.SIGKILL)
    return do(work, trials)
