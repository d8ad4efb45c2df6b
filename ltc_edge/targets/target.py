"""What a target is: a kind of processor, what compiles and links for it, and what emulates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Architecture = Literal["arm-m", "arm", "aarch64", "riscv32", "riscv64"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)


@dataclass(frozen=True)
class Tool:
    """A program of the system, and how it is called for a target.

    Attributes:
        command: name or path of the program.
        flags: begin its arguments.
        package: the Debian package that brings it.
    """

    command: str
    flags: tuple[str, ...]
    package: str


@dataclass(frozen=True)
class Qemu:
    """How QEMU runs a program of a target that has a ``main`` and prints.

    Attributes:
        tool: QEMU; the program's file follows its flags.
        link_flags: what the linker makes such a program with: its C library, and where memory lies.
        link_package: the Debian package that brings the C library.
    """

    tool: Tool
    link_flags: tuple[str, ...]
    link_package: str


InstructionClass = Literal[
    "other",
    "load",
    "load_part",
    "store",
    "multiple",
    "transfer",
    "multiply",
    "multiply_accumulate",
    "long_multiply",
    "long_multiply_accumulate",
    "divide",
    "call",
    "taken_branch",
    "float_multiply_accumulate",
    "float_divide",
    "float_square_root",
]
"""What a model of cycles tells apart.

``load_part`` is a load of less than a word where that is another; ``multiple`` loads or stores several
registers. Two are no instructions but come on top of them: ``transfer``, each register of a ``multiple``,
and ``taken_branch``, each time that what is executed next is not what follows in memory.
"""

CLASSES: tuple[InstructionClass, ...] = get_args(InstructionClass)
EVENTS: tuple[InstructionClass, ...] = ("transfer", "taken_branch")


@dataclass(frozen=True)
class CycleModel:
    """How an estimate of cycles is made of counts of instructions.

    Attributes:
        name: what it is called where its estimates are shown.
        source: where its figures come from, and what they suppose.
        costs: cycles by class; a class that is not there costs what ``other`` does, an event nothing.
    """

    name: str
    source: str
    costs: Mapping[InstructionClass, int]

    def estimate(self, counts: Mapping[InstructionClass, int]) -> int:
        """Cycles of so many instructions of each class."""
        return sum(count * self._cost(kind) for kind, count in counts.items())

    def _cost(self, kind: InstructionClass) -> int:
        return self.costs.get(kind, 0 if kind in EVENTS else self.costs["other"])


@dataclass(frozen=True)
class Target:
    """A kind of processor that controllers can be compiled for.

    Attributes:
        name: as on the command line.
        summary: one line.
        architecture: its instructions and calling convention.
        fpu: whether it computes float32 in hardware; a program for one that does not must have no such
            instruction.
        compilers: by name, ``gcc`` and perhaps ``clang``. GCC links what either compiled, since it brings
            the run-time library that soft float needs.
        emulator_cpu: name of unicorn's constant of its processor.
        part: a typical part, whose memory the limits are; None where memory does not matter.
        flash_bytes, ram_bytes: its memory.
        qemu: None where QEMU has nothing for it.
        cycles: None where no model of its cycles is known.
    """

    name: str
    summary: str
    architecture: Architecture
    fpu: bool
    compilers: Mapping[str, Tool]
    emulator_cpu: str
    part: str | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    qemu: Qemu | None = None
    cycles: CycleModel | None = None
