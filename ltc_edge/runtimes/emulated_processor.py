"""A processor of a target in unicorn, with a program in its memory whose functions can be called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from ltc_edge.errors import EmulationError, FormatRefusedError, InputError, require
from ltc_edge.runtimes.cross_compiler import BARE, Layout
from ltc_edge.runtimes.elf_image import ElfImage
from ltc_edge.runtimes.emulated_architecture import CONVENTIONS, instruction_starts, is_thumb
from ltc_edge.runtimes.execution_trace import Block, Execution, Trace
from ltc_edge.runtimes.instruction_classes import InstructionClasses
from ltc_edge.targets import InstructionClass, Target

CALL_LIMIT = 200_000_000
"""Instructions that a call may take; a step of 64 neurons in soft float takes a twentieth of it."""

V = TypeVar("V")
_PAGE, _PAINT = 0x1000, 0xA5
_MEMORY = 1 << 20
"""Bytes of flash and of RAM where a target's memory does not matter."""


class EmulatedProcessor:
    """A program in an emulated processor.

    Args:
        image: the program.
        target: what it was compiled for.
        counted: count the instructions of every call, which makes calls ten times slower.
        traced: count what `execution` gives too, which makes them slower still.
        stages: with ``traced``, the part of a controller's step by address, for all of its functions.
        layout: where the program lies.

    Attributes:
        free: where memory begins that the program does not use.
        instructions: of the last call, where counted. What a Thumb IT block skips is counted too: a processor
            takes its time for it.

    Raises:
        InputError: unicorn has no such processor.
        FormatRefusedError: the program does not fit its memory.
        MissingExtraError: unicorn is not installed.
    """

    def __init__(
        self,
        image: ElfImage,
        target: Target,
        *,
        counted: bool = False,
        traced: bool = False,
        stages: Mapping[int, str] | None = None,
        layout: Layout = BARE,
    ) -> None:
        self._image, self._target, self._layout = image, target, layout
        self._convention = CONVENTIONS[target.architecture]
        self._unicorn = require("unicorn", "firmware")
        self._names: Any = require(f"unicorn.{self._convention.constants}", "firmware")
        self._thumb = int(is_thumb(target.architecture))
        mode = sum(getattr(self._unicorn, name) for name in self._convention.modes)
        self._uc = self._unicorn.Uc(getattr(self._unicorn, self._convention.architecture), mode)
        self._choose_processor()
        self._enable_fpu()
        self.free = (layout.ram + image.ram_bytes + 15) & ~15
        self._stack_top = (layout.ram + (target.ram_bytes or _MEMORY)) & ~15
        self._stop = _pages(layout.code + (target.flash_bytes or _MEMORY))
        self._load()
        self.instructions = 0
        self._stages = stages or {}
        self._trace = Trace(self._stages)
        self._starts = _Cache(self._instruction_starts)
        self._classes = _Cache(self._classes_of)
        self._counted = counted or traced
        self._hook(traced)

    def _hook(self, traced: bool) -> None:
        uc, trace = self._unicorn, self._trace
        if self._counted:
            self._uc.hook_add(uc.UC_HOOK_BLOCK, trace.on_block)
        if traced:
            self._uc.hook_add(uc.UC_HOOK_MEM_READ, trace.on_read)
            self._uc.hook_add(uc.UC_HOOK_MEM_WRITE, trace.on_write)

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
        if image.flash_bytes > (target.flash_bytes or _MEMORY) or self.free >= self._stack_top:
            raise FormatRefusedError(
                "too-large",
                f"a program of {image.flash_bytes} bytes with {image.ram_bytes} bytes of variables does not "
                f"fit {target.name} ({target.flash_bytes} bytes of flash, {target.ram_bytes} of RAM)",
            )
        uc = self._unicorn
        code, ram = self._layout.code, self._layout.ram
        size = self._stop + _PAGE - code
        self._uc.mem_map(code, size, uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        size = _pages(self._stack_top) - ram
        self._uc.mem_map(ram, size, uc.UC_PROT_READ | uc.UC_PROT_WRITE)
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
        self._trace.clear()
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
            self.instructions = self._trace.instructions(self._starts)

    def execution(self) -> Execution:
        """What the last call executed, where calls are traced.

        Raises:
            MissingExtraError: the target has a model of cycles, and capstone is not installed.
        """
        trace = self._trace
        classes: Counter[InstructionClass] = Counter()
        if self._target.cycles is not None:
            for (block, _), count in trace.blocks.items():
                classes.update({kind: count * n for kind, n in self._classes[block].items()})
            # The return of the call itself leads out of what is executed.
            classes["taken_branch"] = trace.taken + 1
        return Execution(
            instructions=self.instructions,
            stages=trace.stages(self._starts, self._stages),
            classes=classes,
            loads=trace.loads,
            stores=trace.stores,
            bytes_read=trace.bytes_read,
            bytes_written=trace.bytes_written,
        )

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

    def _instruction_starts(self, block: Block) -> tuple[int, ...]:
        return instruction_starts(block[0], self.read(*block), self._target.architecture)

    def _classes_of(self, block: Block) -> Counter[InstructionClass]:
        return self._disassembler.count(self.read(*block), block[0])

    @cached_property
    def _disassembler(self) -> InstructionClasses:
        return InstructionClasses(self._target.architecture)

    def _read(self, register: str) -> int:
        return int(self._uc.reg_read(getattr(self._names, register)))

    def _write(self, register: str, value: int) -> None:
        self._uc.reg_write(getattr(self._names, register), value)


def _pages(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


class _Cache(dict[Block, V]):
    """What is found of each block, once."""

    def __init__(self, find: Callable[[Block], V]) -> None:
        self._find = find

    def __missing__(self, block: Block) -> V:
        self[block] = found = self._find(block)
        return found
