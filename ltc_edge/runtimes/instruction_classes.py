"""Instructions by what they cost, for models of cycles: see `CycleModel`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ltc_edge.errors import EmulationError, require
from ltc_edge.targets import Architecture, InstructionClass

_ARM: dict[InstructionClass, str] = {
    "load": "ldr ldrb ldrh ldrsb ldrsh vldr",
    "store": "str strb strh vstr",
    "multiple": "ldm ldmdb stm stmdb push pop ldrd strd vldmia vldmdb vstmia vstmdb vpush vpop",
    "multiply_accumulate": "mla mls",
    "long_multiply": "smull umull",
    "long_multiply_accumulate": "smlal umlal",
    "divide": "sdiv udiv",
    "call": "bl",
    "float_multiply_accumulate": "vmla vmls vnmla vnmls vfma vfms vfnma vfnms",
    "float_divide": "vdiv",
    "float_square_root": "vsqrt",
}
_RISCV: dict[InstructionClass, str] = {
    "load": "lw lwsp",
    "load_part": "lh lhu lb lbu",
    "store": "sw swsp sh sb",
    "multiply": "mul mulh mulhu mulhsu",
    "divide": "div divu rem remu",
}


class InstructionClasses:
    """Counts instructions of an architecture by class.

    Raises:
        MissingExtraError: capstone is not installed.
        EmulationError: no classes are known of the architecture.
    """

    def __init__(self, architecture: Architecture) -> None:
        capstone = require("capstone", "firmware")
        if architecture == "arm-m":
            mode, table = (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS), _ARM
        elif architecture == "riscv32":
            mode = capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
            table = _RISCV
        else:
            raise EmulationError(f"no classes of instructions are known for {architecture}")
        self._disassembler = capstone.Cs(*mode)
        self._disassembler.detail = True
        self._classes = {name: kind for kind, names in table.items() for name in names.split()}

    def count(self, code: bytes, address: int) -> Counter[InstructionClass]:
        """Instructions of a run of code by class, and under ``transfer`` the words that its multiples move.

        Raises:
            EmulationError: a part of it is no instruction.
        """
        found: Counter[InstructionClass] = Counter()
        size = 0
        for instruction in self._disassembler.disasm(code, address):
            size += instruction.size
            kind = self._classes.get(instruction.insn_name().removeprefix("c."), "other")
            found[kind] += 1
            if kind == "multiple":
                found["transfer"] += _words(instruction)
        if size != len(code):
            raise EmulationError(f"what was executed at {address + size:#x} is not known as an instruction")
        return found


def _words(instruction: Any) -> int:
    """Words that a load or store of several registers moves."""
    name = instruction.insn_name()
    if name in ("ldrd", "strd"):
        return 2
    names = [instruction.reg_name(operand.reg) for operand in instruction.operands]
    if "push" not in name and "pop" not in name:
        del names[0]  # the address
    return sum(2 if register.startswith("d") else 1 for register in names)
