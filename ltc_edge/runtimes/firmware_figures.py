"""What a controller in C takes of a target: flash, RAM, stack and instructions, counted in an emulator."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c import CSources
from ltc_edge.export.c.guard import NO_ACTION
from ltc_edge.export.calibration import excitation
from ltc_edge.runtimes.cross_compiler import FLAGS
from ltc_edge.runtimes.emulated_machine import EmulatedMachine
from ltc_edge.targets import Target

STEPS = 40
SEED = 20_063


@dataclass(frozen=True)
class FirmwareFigures:
    """What one controller takes.

    Attributes:
        target, compiler, flags: what it was compiled for, by what, and how.
        flash_bytes: code and constants, the selftest and what the compiler's library adds included.
        ram_bytes: static variables and one context.
        stack_bytes: the most that steps wrote to.
        instructions: least, median and greatest of a step, over random valid inputs.
        steps: how many steps were counted.
    """

    target: str
    compiler: str
    flags: str
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    instructions: tuple[int, int, int]
    steps: int

    def to_json(self) -> dict[str, Any]:
        """The figures as a document; instructions are of an emulator, and no measure of time."""
        least, median, greatest = self.instructions
        return {
            "compiler": self.compiler,
            "flags": self.flags,
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "stack_bytes": self.stack_bytes,
            "instructions_per_step": median,
            "instructions_least": least,
            "instructions_most": greatest,
            "steps": self.steps,
        }


def measure_firmware(
    sources: CSources,
    controller: Controller,
    target: Target,
    compiler: str | None = None,
    flags: Sequence[str] = FLAGS,
    *,
    steps: int = STEPS,
) -> FirmwareFigures:
    """Compile a controller for a target and count what its steps take.

    Args:
        sources: the controller in C.
        controller: what they were made from.
        target: what to compile for and to emulate.
        compiler: one of the target's; the first that is here where not given.
        flags: how to compile.
        steps: how many random steps to count.

    Raises:
        MissingExtraError: a compiler or the emulator is not here.
        InputError: the controller does not fit the target, or cannot be compiled.
        EmulationError: it faults there.
    """
    machine = EmulatedMachine(sources, controller, target, compiler, flags, counted=True)
    machine.reset()
    machine.forget_stack()
    inputs = excitation(controller, sequences=1, steps=steps, seed=SEED)
    counts = []
    for observation, dt in zip(inputs.observation[0], inputs.dt_s[0], strict=True):
        status, _ = machine.step(observation.astype(np.float32), float(dt))
        assert not status & NO_ACTION, status
        counts.append(machine.instructions)
    return FirmwareFigures(
        target.name,
        machine.compiler.version(),
        machine.flags,
        machine.flash_bytes,
        machine.ram_bytes,
        machine.stack_bytes,
        (min(counts), round(statistics.median(counts)), max(counts)),
        steps,
    )
