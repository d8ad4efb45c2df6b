"""What a board is: its processor and memory, what builds, flashes and emulates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """A program of the system and its arguments, a list: no shell ever reads them.

    Attributes:
        command: name of the program, looked for on the PATH.
        arguments: may hold ``{elf}``, ``{hex}``, ``{bin}``, ``{uf2}`` and ``{port}``.
        package: what brings it.
    """

    command: str
    arguments: tuple[str, ...]
    package: str

    def filled(self, values: Mapping[str, str]) -> list[str]:
        """The command line with the placeholders filled; each stays within its argument."""
        line = [self.command]
        for argument in self.arguments:
            for name, value in values.items():
                argument = argument.replace(f"{{{name}}}", value)
            line.append(argument)
        return line

    def names(self, placeholder: str) -> bool:
        """Whether an argument holds this placeholder."""
        return any(f"{{{placeholder}}}" in argument for argument in self.arguments)


@dataclass(frozen=True)
class Board:
    """A board that a firmware project can be made for.

    Attributes:
        name: as on the command line.
        title: what it is called.
        processor: in words.
        target: the processor's name among `ltc_edge.targets`, where it is one of them.
        flash_bytes, ram_bytes: its memory.
        form: the format that suits its processor.
        folder: of ``firmware_examples``, with its start-up, its pins and its Makefile.
        make: further arguments of make.
        compiler: command of its compiler, a GCC.
        compiler_package: what brings that.
        makes_uf2: whether the project makes a UF2 image too.
        baud: of its serial line.
        serial: where that line is, in words.
        tried: what of it was ever run, in words.
        flash: what flashes it; None where it is an emulator's board.
        by_hand: how it is flashed without that tool; None where it cannot be.
        emulator: what runs its image on this machine with the serial line on standard input and output.
    """

    name: str
    title: str
    processor: str
    target: str | None
    flash_bytes: int
    ram_bytes: int
    form: str
    folder: str
    make: tuple[str, ...]
    compiler: str
    compiler_package: str
    makes_uf2: bool
    baud: int
    serial: str
    tried: str
    flash: Call | None = None
    by_hand: str | None = None
    emulator: Call | None = None

    @property
    def is_emulated(self) -> bool:
        """Whether it is nothing but an emulator's."""
        return self.flash is None

    @property
    def has_selftest(self) -> bool:
        """Whether its images have the controller's selftest."""
        return "SELFTEST=0" not in self.make

    def size_tool(self) -> str:
        """The program of its compiler's tools that says how large an image is."""
        return self.compiler.removesuffix("gcc") + "size"
