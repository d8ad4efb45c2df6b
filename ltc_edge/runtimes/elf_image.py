"""A linked program for a target: what it loads, where its symbols lie, what memory it takes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from ltc_edge.errors import InputError, require


@dataclass(frozen=True)
class Symbol:
    """``address`` (without the bit that marks Thumb code) and ``size`` in bytes."""

    address: int
    size: int


@dataclass(frozen=True, eq=False)
class ElfImage:
    """A linked program.

    Attributes:
        content: the file.
        segments: address and content of what is loaded, and the bytes that it takes, zeros included.
        symbols: by name.
        flash_bytes: code, constants, and the initial values of variables.
        ram_bytes: variables.
        has_fpu_code: whether it was compiled for a floating-point unit.
        passes_floats_in_registers: whether a float is passed in a register of that unit.
    """

    content: bytes
    segments: tuple[tuple[int, bytes, int], ...]
    symbols: dict[str, Symbol]
    flash_bytes: int
    ram_bytes: int
    has_fpu_code: bool
    passes_floats_in_registers: bool

    def symbol(self, name: str) -> Symbol:
        """A symbol.

        Raises:
            InputError: the program has none of this name.
        """
        if name not in self.symbols:
            raise InputError(f"the program has no {name!r}; its sources are of something else")
        return self.symbols[name]


def read_elf(content: bytes) -> ElfImage:
    """What an ELF file holds.

    Raises:
        MissingExtraError: pyelftools is not installed.
    """
    elf = require("elftools.elf.elffile", "firmware").ELFFile(io.BytesIO(content))
    sections = list(elf.iter_sections())
    return ElfImage(
        content=content,
        segments=tuple(
            (segment["p_vaddr"], segment.data(), segment["p_memsz"])
            for segment in elf.iter_segments("PT_LOAD")
            if segment["p_memsz"]
        ),
        symbols=dict(_symbols(elf)),
        flash_bytes=sum(s["sh_size"] for s in sections if _is_kept(s)),
        ram_bytes=sum(s["sh_size"] for s in sections if _is_loaded(s) and s["sh_flags"] & _WRITE),
        has_fpu_code=_has_fpu_code(elf, sections),
        passes_floats_in_registers=_passes_floats_in_registers(elf),
    )


_WRITE, _ALLOCATE = 1, 2


def _is_loaded(section: Any) -> bool:
    return bool(section["sh_flags"] & _ALLOCATE)


def _is_kept(section: Any) -> bool:
    """Whether flash holds it: everything loaded but variables that begin as zero."""
    return _is_loaded(section) and section["sh_type"] != "SHT_NOBITS"


def _symbols(elf: Any) -> Any:
    thumb = elf["e_machine"] == "EM_ARM"
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        if symbol.name and symbol["st_shndx"] != "SHN_UNDEF":
            is_code = symbol["st_info"]["type"] == "STT_FUNC"
            address = symbol["st_value"] & ~1 if thumb and is_code else symbol["st_value"]
            yield symbol.name, Symbol(address, symbol["st_size"])


def _has_fpu_code(elf: Any, sections: list[Any]) -> bool:
    """As the attributes say that compilers and the linker leave in the file."""
    if elf["e_machine"] == "EM_AARCH64":
        return True
    found = {attribute.tag: attribute.value for attribute in _attributes(sections)}
    if elf["e_machine"] == "EM_ARM":
        return bool(found.get("TAG_FP_ARCH", 0))
    # Such as rv32i2p0_m2p0_a2p0_f2p0: the base and its letters, then extensions.
    base, *extensions = str(found["TAG_ARCH"]).split("_")
    return any(name[0] in "fd" for name in extensions) or bool(set(base[4:]) & set("fdg"))


def _passes_floats_in_registers(elf: Any) -> bool:
    """By the bits of the header that EABI and RISC-V's ELF specification have for it."""
    hard = {"EM_ARM": 0x400, "EM_RISCV": 0x6}
    machine = elf["e_machine"]
    return machine not in hard or bool(elf["e_flags"] & hard[machine])


def _attributes(sections: list[Any]) -> Any:
    for section in sections:
        if section["sh_type"] in ("SHT_ARM_ATTRIBUTES", "SHT_RISCV_ATTRIBUTES"):
            for subsection in section.iter_subsections():
                for scope in subsection.iter_subsubsections():
                    yield from scope.iter_attributes()
