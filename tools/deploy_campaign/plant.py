"""A plant that sends readings over UDP all the time, and sees whether actions come."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import numpy as np

from ltc_edge.deploy.run.datagrams import ARM, Readings, encode_readings

PERIOD_S = 0.02


class Plant:
    """A context manager; its thread sends zeros, and asks to arm with each.

    Args:
        port: of the loop program.
        observations: how many.

    Attributes:
        answers: actions that came.
    """

    def __init__(self, port: int, observations: int) -> None:
        self._port, self._zeros = port, np.zeros(observations, dtype=np.float32)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers = 0

    def __enter__(self) -> Plant:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def is_answered(self, within_s: float) -> bool:
        """Whether an action comes from now on."""
        before, deadline = self.answers, time.monotonic() + within_s
        while self.answers == before and time.monotonic() < deadline:
            time.sleep(PERIOD_S / 4)
        return self.answers > before

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.connect(("127.0.0.1", self._port))
            link.setblocking(False)
            sequence = 0
            while not self._over.wait(PERIOD_S):
                sequence += 1
                readings = Readings(self._zeros, sequence, requests=ARM)
                with contextlib.suppress(OSError):  # nobody listens while versions change places
                    link.send(encode_readings(readings))
                    while link.recv(4096):
                        self.answers += 1
