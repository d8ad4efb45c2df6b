"""Loop programs of the tiny controller, each built once for all workers, and a plant that talks to one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import socket
import time
from pathlib import Path

import numpy as np
from made_once import FOLDER

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.linux.build import build_here
from ltc_edge.deploy.linux.loop_source import LoopSource, loop_source
from ltc_edge.deploy.run.datagrams import Action, Readings, decode_action, encode_readings

TIMEOUT_S = 60.0
SANITIZERS = ("LINK=-fsanitize=address,undefined -fno-sanitize-recover=all", "OPTIMISATION=-O0")
"""Variables of make for a program that ends where it does what C does not define."""


def shared_bundle(unverified_bundle) -> Path:
    """A bundle of the tiny controller in both formats of C, exported once for all workers."""
    place = Path(os.environ[FOLDER], "loop-bundle")
    if not place.exists():
        made = unverified_bundle("c-float32", "c-int16")
        with contextlib.suppress(OSError):  # another worker was faster
            shutil.copytree(made, place.with_suffix(f".{os.getpid()}")).rename(place)
    return place


def source_of(bundle: Path, form: str = "c-float32") -> LoopSource:
    """What the loop of a bundle is built from, at its own rate."""
    loaded = load_bundle(bundle)
    return loop_source(loaded, form, loaded.controller.timing.period_s, None)


def loop_program(source: LoopSource, compiler: str = "cc", *variables: str) -> Path:
    """The program, built by a compiler with further variables of make."""
    tree = source.tree()
    key = hashlib.sha256(repr((sorted(tree.items()), compiler, variables)).encode()).hexdigest()
    place = Path(os.environ[FOLDER], f"loop-{key}")
    if not place.exists():
        program = build_here(tree, [compiler], [*source.variables(), *variables])
        scratch = place.with_suffix(f".{os.getpid()}")
        scratch.write_bytes(program.content)
        scratch.chmod(0o700)
        scratch.replace(place)
    return place


class Plant:
    """Sends readings to a loop over UDP, and takes its actions.

    Args:
        where: the loop's URL, as it says it.
    """

    def __init__(self, where: str) -> None:
        self.there = "127.0.0.1", int(re.fullmatch(r"udp://127\.0\.0\.1:(\d+)", where)[1])
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.settimeout(TIMEOUT_S)
        self.sequence = 0

    def send(self, *observation: float, sequence: int | None = None, **more: object) -> None:
        """Readings; ages and external actions as lists."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        arrays = {
            name: np.array(more.pop(name), dtype=np.float32) for name in ("age_s", "external") if name in more
        }
        values = np.array(observation, dtype=np.float32)
        self.line.sendto(encode_readings(Readings(values, self.sequence, **arrays, **more)), self.there)

    def action(self) -> Action:
        """The next action."""
        return decode_action(self.line.recv(4096))

    def until(self, found, *observation: float, **more: object) -> Action:
        """Send readings period after period until an action is as wanted; more is said once."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            self.send(*observation, **more)
            more = {}
            action = self.action()
            if found(action):
                return action
        raise AssertionError(f"it never came so; at last {action}")

    def close(self) -> None:
        """Be gone."""
        self.line.close()
