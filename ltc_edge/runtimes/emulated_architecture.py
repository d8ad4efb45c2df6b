"""What unicorn and the calling convention call things in an architecture, and how long instructions are."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_edge.targets import Architecture


@dataclass(frozen=True)
class Convention:
    """Names of unicorn's constants.

    Attributes:
        constants: the module that has the registers.
        architecture: of the emulator.
        modes: of the emulator, all together.
        words: registers of the first arguments that are words; the first holds the result too.
        number: register of the first argument that is a float, where floats have registers.
        stack_pointer, link, program_counter: registers.
    """

    constants: str
    architecture: str
    modes: tuple[str, ...]
    words: tuple[str, ...]
    number: str
    stack_pointer: str
    link: str
    program_counter: str


def _arm(*modes: str) -> Convention:
    words = tuple(f"UC_ARM_REG_R{i}" for i in range(4))
    others = "UC_ARM_REG_S0", "UC_ARM_REG_SP", "UC_ARM_REG_LR", "UC_ARM_REG_PC"
    return Convention("arm_const", "UC_ARCH_ARM", modes, words, *others)


def _arm64() -> Convention:
    words = tuple(f"UC_ARM64_REG_X{i}" for i in range(4))
    others = "UC_ARM64_REG_S0", "UC_ARM64_REG_SP", "UC_ARM64_REG_LR", "UC_ARM64_REG_PC"
    return Convention("arm64_const", "UC_ARCH_ARM64", ("UC_MODE_ARM",), words, *others)


def _riscv(mode: str) -> Convention:
    words = tuple(f"UC_RISCV_REG_A{i}" for i in range(4))
    others = "UC_RISCV_REG_F10", "UC_RISCV_REG_SP", "UC_RISCV_REG_RA", "UC_RISCV_REG_PC"
    return Convention("riscv_const", "UC_ARCH_RISCV", (mode,), words, *others)


CONVENTIONS: dict[Architecture, Convention] = {
    "arm-m": _arm("UC_MODE_THUMB", "UC_MODE_MCLASS"),
    "arm": _arm("UC_MODE_THUMB"),
    "aarch64": _arm64(),
    "riscv32": _riscv("UC_MODE_RISCV32"),
    "riscv64": _riscv("UC_MODE_RISCV64"),
}


def is_thumb(architecture: Architecture) -> bool:
    """Whether its code is Thumb code, which the lowest bit of an address tells the processor."""
    return architecture in ("arm", "arm-m")


def instruction_starts(address: int, code: bytes, architecture: Architecture) -> tuple[int, ...]:
    """Addresses of the instructions of a run of code; the first halfword of each says how long it is."""
    starts = []
    at = 0
    while at < len(code):
        starts.append(address + at)
        at += _length(int.from_bytes(code[at : at + 2], "little"), architecture)
    return tuple(starts)


def _length(half: int, architecture: Architecture) -> int:
    if architecture == "aarch64":
        return 4
    is_long = half >> 11 >= 0x1D if is_thumb(architecture) else half & 3 == 3
    return 4 if is_long else 2
