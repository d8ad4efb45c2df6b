"""Compiling C for a target: objects of GCC or Clang, which GCC links into a program without a system."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.errors import InputError, MissingToolError, OutputError
from ltc_edge.runtimes.elf_image import ElfImage, read_elf
from ltc_edge.targets import Target, Tool

LEVEL = "-O2"
FLAGS = ("-std=c99", LEVEL, "-ffp-contract=off")
"""What a controller is compiled with where nothing else is asked for."""

TIMEOUT_S = 120
_SIGNS = ("error", "undefined reference", "required symbol")
"""What marks the lines that say why a compiler or a linker failed."""


@dataclass(frozen=True)
class Layout:
    """Addresses at which code and variables begin."""

    code: int
    ram: int


BARE = Layout(0x0001_0000, 0x2000_0000)
"""Of a program without a system."""

# No library but the compiler's own, no start-up code; functions apart, so that unused ones are left out.
BARE_FLAGS = (
    "-ffreestanding",
    "-fno-builtin",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-pic",
    "-fno-pie",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
)
_LINK = (
    "-nostdlib",
    "-static",
    "-no-pie",
    "-Wl,-Map=program.map",
    "-Wl,--gc-sections,--build-id=none,-z,noexecstack,-T,layout.ld",
)
_LAYOUT = f"""SECTIONS
{{
    . = {BARE.code:#x};
    .text : {{ *(.text .text.*) }}
    .rodata : {{ *(.rodata .rodata.* .srodata .srodata.* .sdata2 .sdata2.*) }}
    . = {BARE.ram:#x};
    .data : {{ *(.data .data.* .sdata .sdata.*) }}
    .bss : {{ *(.bss .bss.* .sbss .sbss.* COMMON) }}
    /DISCARD/ : {{ *(.eh_frame* .ARM.exidx* .ARM.extab* .comment .note.*) }}
}}
"""


@dataclass(frozen=True, eq=False)
class Unit:
    """Sources that are compiled alike: content by file name, and the flags."""

    files: Mapping[str, bytes]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Linked:
    """A program as the linker left it: the file, and the map that says what it put where."""

    elf: bytes
    map: str


@dataclass(frozen=True)
class CrossCompiler:
    """A compiler that is here, for a target."""

    target: Target
    name: str
    tool: Tool

    def version(self) -> str:
        """What the compiler says that it is, such as ``Debian clang version 14.0.6``."""
        return _run((self.tool.command, "--version"), None).splitlines()[0]

    def image(self, units: Sequence[Unit], roots: Sequence[str]) -> ElfImage:
        """The program of ``units`` that holds the symbols ``roots`` and all that they need.

        Raises:
            InputError: it cannot be compiled or linked, or holds FPU instructions that the target lacks.
        """
        image = read_elf(self.link(units, roots).elf)
        if image.has_fpu_code and not self.target.fpu:
            raise InputError(
                f"the program for {self.target.name} was compiled for a floating-point unit, which that "
                f"target has not; see the flags of its {self.name}"
            )
        return image

    def link(self, units: Sequence[Unit], roots: Sequence[str]) -> Linked:
        """What the linker makes for `image`.

        Raises:
            InputError: it cannot be compiled or linked.
        """
        with _folder(units) as folder:
            (folder / "layout.ld").write_text(_LAYOUT)
            objects = self._compile(units, folder, BARE_FLAGS)
            wanted = [f"-Wl,--undefined={root},--require-defined={root}" for root in roots]
            self._link(folder, (*_LINK, *wanted, f"-Wl,--entry={roots[0]}", *objects, "-lgcc"))
            return Linked((folder / "program.elf").read_bytes(), (folder / "program.map").read_text())

    def hosted(self, units: Sequence[Unit]) -> bytes:
        """The program of ``units``, which has a ``main`` and prints, as QEMU runs it for the target.

        Raises:
            InputError: QEMU has nothing for the target, or the program cannot be compiled or linked.
        """
        if self.target.qemu is None:
            raise InputError(f"the target {self.target.name} does not say how QEMU runs it")
        with _folder(units) as folder:
            objects = self._compile(units, folder, self._c_library_flags())
            self._link(folder, (*self.target.qemu.link_flags, *objects))
            return (folder / "program.elf").read_bytes()

    def _c_library_flags(self) -> tuple[str, ...]:
        """What finds the headers of the C library that a hosted program is linked with.

        GCC finds them by the flags that it links with. Clang looks in places of its own, not always the right
        ones: it is told where GCC looks, but for the headers that belong to GCC itself.
        """
        assert self.target.qemu is not None
        linker = self.target.compilers["gcc"]
        specs = tuple(flag for flag in self.target.qemu.link_flags if flag.startswith("--specs"))
        if self.name == "gcc":
            return specs
        command = (linker.command, *linker.flags, *specs, "-E", "-v", "-xc", "/dev/null")
        said = _run(command, None, said=True).splitlines()
        places = [Path(line.strip()).resolve() for line in said if line.startswith(" /")]
        own = [place for place in places if place.is_dir() and not any("gcc" in part for part in place.parts)]
        return tuple(flag for place in own for flag in ("-isystem", str(place)))

    def _compile(self, units: Sequence[Unit], folder: Path, extra: Sequence[str]) -> list[str]:
        objects = []
        for unit in units:
            sources = sorted(name for name in unit.files if name.endswith(".c"))
            command = (self.tool.command, *self.tool.flags, *unit.flags, *extra, "-c", *sources)
            _run(command, folder)
            objects += [f"{Path(name).stem}.o" for name in sources]
        return objects

    def _link(self, folder: Path, arguments: Sequence[str]) -> None:
        linker = self.target.compilers["gcc"]
        _run((linker.command, *linker.flags, "-o", "program.elf", *arguments), folder)


def find_cross_compiler(target: Target, name: str | None = None) -> CrossCompiler:
    """The target's compiler ``name``, or the first one that is here.

    Raises:
        MissingToolError: it is not here, or its linker is not.
        InputError: the target has none of this name.
    """
    if name is not None and name not in target.compilers:
        raise InputError(
            f"the target {target.name} has no compiler {name!r}, only {', '.join(target.compilers)}"
        )
    names = tuple(target.compilers) if name is None else (name,)
    here = [each for each in names if shutil.which(target.compilers[each].command)]
    linker = target.compilers["gcc"]
    if not here:
        tool = target.compilers[names[0]]
        raise MissingToolError(
            f"C for {target.name} needs {tool.command}, which is not installed (Debian: {tool.package})"
        )
    if not shutil.which(linker.command):
        raise MissingToolError(
            f"programs for {target.name} are linked by {linker.command}, which is not installed "
            f"(Debian: {linker.package})"
        )
    return CrossCompiler(target, here[0], target.compilers[here[0]])


@contextmanager
def _folder(units: Sequence[Unit]) -> Iterator[Path]:
    """A temporary folder that holds the units' files.

    Raises:
        InputError: a name is not plain.
        OutputError: the folder cannot be written.
    """
    names = [name for unit in units for name in unit.files]
    for name in names:
        if Path(name).name != name or not name.endswith((".c", ".h")):
            raise InputError(f"{name[:60]!r} is not the plain name of a .c or .h file")
        if names.count(name) > 1:
            raise InputError(f"two files are called {name[:60]!r}; call the controller something else")
    try:
        with tempfile.TemporaryDirectory(prefix="ltc-edge-") as folder:
            for unit in units:
                for name, content in unit.files.items():
                    (Path(folder) / name).write_bytes(content)
            yield Path(folder)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written ({error.strerror})") from None


def _run(command: Sequence[str], folder: Path | None, *, said: bool = False) -> str:
    """Run a tool; what it printed, or what it ``said`` on standard error."""
    try:
        # What a compiler that is killed leaves behind is in a folder that goes.
        environment = os.environ if folder is None else {**os.environ, "TMPDIR": str(folder)}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{command[0]} could not be run ({error})") from None
    if done.returncode != 0:
        # The driver's last line only says that the linker failed.
        lines = [line for line in done.stderr.splitlines() if not line.startswith("collect2")] or [
            "no message"
        ]
        telling = [line for line in lines if any(sign in line for sign in _SIGNS)] or lines
        raise InputError(f"{command[0]} failed: {' '.join(telling[0].split())[:200]}")
    return done.stderr if said else done.stdout
