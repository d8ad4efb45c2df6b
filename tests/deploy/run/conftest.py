"""The loop of the tiny controller, as `ltc-edge run` has it: a child of this process."""

import pytest
from loop_programs import SANITIZERS, loop_program, shared_bundle, source_of

from ltc_edge.deploy.run.process import LoopProcess
from ltc_edge.deploy.run.request import RunRequest

PERIOD_S = 0.02


@pytest.fixture(scope="session")
def program(unverified_bundle):
    return loop_program(source_of(shared_bundle(unverified_bundle)), "cc", *SANITIZERS)


@pytest.fixture
def begin(program):
    """Starts a loop; it ends with the test."""
    started = []

    def start(io, inherited=(), **more):
        request = RunRequest(io, PERIOD_S, **more)
        started.append(LoopProcess(program, io, request.arguments(), (2, 1), inherited))
        return started[-1]

    yield start
    for loop in started:
        loop.close()
