"""A processor of a target in unicorn, with a program in its memory whose functions can be called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ltc_edge.errors import EmulationError, InputError, require
from ltc_edge.runtimes.cross_compiler import CODE_ADDRESS, RAM_ADDRESS
from ltc_edge.runtimes.elf_image import ElfImage
from ltc_edge.runtimes.emulated_architecture import CONVENTIONS, count_instructions, is_thumb
from ltc_edge.targets import Target

CALL_LIMIT = 200_000_000
"""Instructions that a call may take; a step of 64 neurons in soft float takes a twentieth of it."""

_PAGE, _PAINT = 0x1000, 0xA5
_MEMORY = 1 << 20
"""Bytes of flash and of RAM where a target's memory does not matter."""


class EmulatedProcessor:
    """A program in an emulated processor.

    Args:
        image: the program.
        target: what it was compiled for.
        counted: count the instructions of every call, which makes calls ten times slower.

    Attributes:
        free: where memory begins that the program does not use.
        instructions: of the last call, where counted. What a Thumb IT block skips is counted too: a processor
            takes its time for it.

    Raises:
        InputError: unicorn has no such processor, or the program does not fit its memory.
        MissingExtraError: unicorn is not installed.
    """

    def __init__(self, image: ElfImage, target: Target, *, counted: bool = False) -> None:
        self._image, self._target = image, target
        self._convention = CONVENTIONS[target.architecture]
        self._unicorn = require("unicorn", "firmware")
        self._names: Any = require(f"unicorn.{self._convention.constants}", "firmware")
        self._thumb = int(is_thumb(target.architecture))
        mode = sum(getattr(self._unicorn, name) for name in self._convention.modes)
        self._uc = self._unicorn.Uc(getattr(self._unicorn, self._convention.architecture), mode)
        self._choose_processor()
        self._enable_fpu()
        self.free = (RAM_ADDRESS + image.ram_bytes + 15) & ~15
        self._stack_top = (RAM_ADDRESS + (target.ram_bytes or _MEMORY)) & ~15
        self._stop = _pages(CODE_ADDRESS + (target.flash_bytes or _MEMORY))
        self._load()
        self.instructions = 0
        self._counted = counted
        self._blocks: dict[tuple[int, int], int] = defaultdict(int)
        self._lengths: dict[tuple[int, int], int] = {}
        if counted:
            self._uc.hook_add(self._unicorn.UC_HOOK_BLOCK, self._on_block)

    def _choose_processor(self) -> None:
        model = getattr(self._names, self._target.emulator_cpu, None)
        if model is None:
            raise InputError(
                f"unicorn has no processor {self._target.emulator_cpu!r}; see emulator.cpu of the target "
                f"{self._target.name}"
            )
        self._uc.ctl_set_cpu_model(model)

    def _enable_fpu(self) -> None:
        """What start-up code does on the processor; elsewhere unicorn has the FPU enabled."""
        names = self._names
        if self._target.architecture == "arm":
            access = self._uc.reg_read(names.UC_ARM_REG_C1_C0_2)
            self._uc.reg_write(names.UC_ARM_REG_C1_C0_2, access | 0xF << 20)
            self._uc.reg_write(names.UC_ARM_REG_FPEXC, 1 << 30)
        elif self._target.architecture == "riscv64" and self._target.fpu:
            status = self._uc.reg_read(names.UC_RISCV_REG_MSTATUS)
            self._uc.reg_write(names.UC_RISCV_REG_MSTATUS, status | 0x3 << 13)

    def _load(self) -> None:
        """Map flash, RAM, and a page that calls return to; put the program there."""
        image, target = self._image, self._target
        if image.flash_bytes > self._stop - CODE_ADDRESS or self.free >= self._stack_top:
            raise InputError(
                f"a program of {image.flash_bytes} bytes with {image.ram_bytes} bytes of variables does not "
                f"fit {target.name} ({target.flash_bytes} bytes of flash, {target.ram_bytes} of RAM)"
            )
        uc = self._unicorn
        size = self._stop + _PAGE - CODE_ADDRESS
        self._uc.mem_map(CODE_ADDRESS, size, uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        size = _pages(self._stack_top) - RAM_ADDRESS
        self._uc.mem_map(RAM_ADDRESS, size, uc.UC_PROT_READ | uc.UC_PROT_WRITE)
        for address, content, _ in image.segments:
            self._uc.mem_write(address, content)

    def call(
        self,
        function: str,
        words: Sequence[int] = (),
        number: float | None = None,
        *,
        limit: int = CALL_LIMIT,
    ) -> int:
        """Call a function of the program; what it returns, as a word of 32 bits.

        Args:
            function: its symbol.
            words: its arguments that are words or pointers, at most 4.
            number: its argument that is a float, if it has one; where floats are not passed in registers of
                their own it is the third.
            limit: instructions after which it is given up; 0 for none.

        Raises:
            EmulationError: it faults, or does not return within the limit.
            InputError: the program has no such function.
        """
        convention, arguments = self._convention, list(words)
        if number is not None:
            bits = int(np.float32(number).view(np.uint32))
            if self._image.passes_floats_in_registers:
                # A float in a register for doubles has ones above it (RISC-V); elsewhere they are cut off.
                boxed = bits | 0xFFFF_FFFF_0000_0000 if self._target.architecture == "riscv64" else bits
                self._write(convention.number, boxed)
            else:
                arguments.insert(2, bits)
        for register, argument in zip(convention.words, arguments, strict=False):
            self._write(register, argument)
        self._write(convention.stack_pointer, self._stack_top)
        self._write(convention.link, self._stop | self._thumb)
        self._run(function, limit)
        return self._read(convention.words[0]) & 0xFFFF_FFFF

    def _run(self, function: str, limit: int) -> None:
        entry = self._image.symbol(function).address
        self._blocks.clear()
        fault = ""
        try:
            self._uc.emu_start(entry | self._thumb, self._stop, count=limit)
        except self._unicorn.UcError as error:
            fault = str(error)
        counter = self._read(self._convention.program_counter)
        if fault or counter != self._stop:
            reason = fault or f"still running after {limit} instructions"
            raise EmulationError(
                f"{function} on an emulated {self._target.name}: {reason}, at {counter:#x} "
                f"({self._where(counter)})"
            )
        if self._counted:
            self.instructions = sum(n * self._block_length(*block) for block, n in self._blocks.items())

    def _where(self, address: int) -> str:
        """The function that an address lies in."""
        for name, symbol in self._image.symbols.items():
            if symbol.address <= address < symbol.address + symbol.size:
                return name
        return "outside the program"

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory."""
        return bytes(self._uc.mem_read(address, size))

    def write(self, address: int, content: bytes) -> None:
        """Put bytes into memory."""
        self._uc.mem_write(address, content)

    def paint_stack(self, start: int) -> None:
        """Fill what lies between ``start`` and the stack's top, to see afterwards what a call wrote."""
        self.write(start, bytes([_PAINT]) * (self._stack_top - start))

    def painted_over(self, start: int) -> int:
        """Bytes from the lowest that was written since `paint_stack` to the stack's top."""
        memory = np.frombuffer(self.read(start, self._stack_top - start), dtype=np.uint8)
        changed = np.flatnonzero(memory != _PAINT)
        return len(memory) - int(changed[0]) if len(changed) else 0

    def _on_block(self, _: object, address: int, size: int, __: object) -> None:
        self._blocks[address, size] += 1

    def _block_length(self, address: int, size: int) -> int:
        """Instructions in a block of ``size`` bytes."""
        if (address, size) not in self._lengths:
            halves = np.frombuffer(self.read(address, size), dtype="<u2").tolist()
            self._lengths[address, size] = count_instructions(halves, self._target.architecture)
        return self._lengths[address, size]

    def _read(self, register: str) -> int:
        return int(self._uc.reg_read(getattr(self._names, register)))

    def _write(self, register: str, value: int) -> None:
        self._uc.reg_write(getattr(self._names, register), value)


def _pages(size: int) -> int:
    return -(-size // _PAGE) * _PAGE
