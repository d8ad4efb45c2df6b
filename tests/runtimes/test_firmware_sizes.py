"""Flash and RAM as reported, against the target's own size, nm and the linker's map of the very same link."""

import re
import subprocess

import pytest

from ltc_edge.errors import MissingToolError
from ltc_edge.runtimes.cross_compiler import Unit, find_cross_compiler
from ltc_edge.runtimes.elf_image import read_elf
from ltc_edge.targets import find_target

# Constants, variables that begin as something and as zero, a string, a call of the compiler's library.
PROGRAM = b"""
static const unsigned table[5] = { 1U, 2U, 3U, 4U, 5U };
unsigned begun = 7U, zero[9];
const char *name(void);
const char *name(void) { return "a name"; }
float product(float a, float b);
float product(float a, float b) { return a / b + (float)table[(unsigned)a % 5U]; }
unsigned sum(void);
unsigned sum(void) { zero[begun & 7U] += begun; return zero[3]; }
"""
ROOTS = ("name", "sum")
KEPT, WRITTEN = (".text", ".rodata", ".data"), (".data", ".bss")
PADDING = 3
"""Bytes before a section or a function of 4."""


@pytest.fixture(params=["cortex-m0plus", "cortex-m4", "riscv32"])
def linked(request, tmp_path):
    """Makes the program of some roots, and what runs a tool of its target on it."""
    pytest.importorskip("elftools", reason="pyelftools is not installed (extra: firmware)")
    target = find_target(request.param)
    try:
        compiler = find_cross_compiler(target, "gcc")
    except MissingToolError as missing:
        pytest.skip(str(missing))

    def tool(name, *arguments):
        command = target.compilers["gcc"].command.removesuffix("gcc") + name
        done = subprocess.run(
            [command, *arguments, "program.elf"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    def make(*roots):
        program = compiler.link([Unit({"program.c": PROGRAM}, ("-std=c99", "-O2"))], roots)
        (tmp_path / "program.elf").write_bytes(program.elf)
        return program, tool

    return make


def test_sizes_are_those_of_size(linked):
    program, tool = linked("product", *ROOTS)
    image = read_elf(program.elf)
    sizes = {name: int(size) for name, size in re.findall(r"^(\.\w+)\s+(\d+)", tool("size", "-A"), re.M)}
    assert image.flash_bytes == sum(sizes.get(name, 0) for name in KEPT)
    assert image.ram_bytes == sum(sizes.get(name, 0) for name in WRITTEN) == 40


def test_sizes_are_those_of_the_map(linked):
    program, _ = linked("product", *ROOTS)
    image = read_elf(program.elf)
    sections = re.findall(r"^(\.\w+)\s+0x\w+\s+0x(\w+)", program.map, re.M)
    sizes = {name: int(size, 16) for name, size in sections}
    assert image.flash_bytes == sum(sizes.get(name, 0) for name in KEPT)
    assert image.ram_bytes == sum(sizes.get(name, 0) for name in WRITTEN)


def test_symbols_are_those_of_nm_and_fill_what_is_reported(linked):
    # The compiler's library has tables without symbols; this program does without it.
    program, tool = linked(*ROOTS)
    image = read_elf(program.elf)
    found = re.findall(r"^(\w+) (\w+) (\w) (\w+)$", tool("nm", "-S"), re.M)
    kept = {int(address, 16) & ~1: int(size, 16) for address, size, kind, _ in found if kind in "tTrRdD"}
    written = {int(address, 16): int(size, 16) for address, size, kind, _ in found if kind in "dDbB"}
    assert sum(written.values()) == image.ram_bytes
    assert {name: (size, int(address, 16) & ~1) for address, size, _, name in found} == {
        name: (f"{symbol.size:08x}", symbol.address) for name, symbol in image.symbols.items() if symbol.size
    }
    # What no symbol holds is the string, and what aligns sections and functions.
    unnamed = image.flash_bytes - sum(kept.values())
    assert len(b"a name\0") <= unnamed <= len(b"a name\0") + PADDING * (len(kept) + len(KEPT))
