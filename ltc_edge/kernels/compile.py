"""Compiling the fused kernels: which commands a compiler is given, and what it makes of the sources.

``*.kernel.c`` is compiled once for each instruction set of the architecture, every other ``*.c`` once. The
standard library is all that this needs: installing from source compiles with it as well.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.errors import KernelError, MissingToolError
from ltc_edge.kernels.processes import Finished, run_all
from ltc_edge.runtimes.c_compiler import find_compiler

SOURCE = Path(__file__).parent / "source"

FLAGS = (
    "-O3",
    "-std=gnu11",
    "-fPIC",
    "-fvisibility=hidden",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-pthread",
)
"""Of every source. Never -ffast-math, which takes it that there is no NaN."""

LINK = ("-shared", "-pthread", "-lm")
LINK_ELF = ("-Wl,-z,defs",)
"""A function that is missing is an error of the linker, not of the first call."""

QUESTION_S = 30.0
"""Time that a compiler may take to say what it is."""
TIMEOUT_S = 900.0
"""Time for everything: half a minute is usual, and small boards are slow."""


@dataclass(frozen=True)
class InstructionSet:
    """What kernels are compiled for: the name that they are told, and the flags."""

    name: str
    flags: tuple[str, ...] = ()


_AVX512 = ("-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512")
_X86_64 = (
    InstructionSet("sse2"),
    InstructionSet("avx2", ("-mavx2", "-mfma")),
    InstructionSet("avx512", _AVX512),
)
_AARCH64 = (InstructionSet("neon"),)
_GENERIC = (InstructionSet("generic"),)
_ARCHITECTURES = {"x86_64": _X86_64, "amd64": _X86_64, "aarch64": _AARCH64, "arm64": _AARCH64}
"""By how compilers and wheels call them. The first set of each has no flags: every processor has it."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler that answered.

    Attributes:
        command: what runs it.
        version: what it says that it is.
        target: what it compiles for, as ``x86_64-linux-gnu``.
    """

    command: tuple[str, ...]
    version: str
    target: str

    @property
    def instruction_sets(self) -> tuple[InstructionSet, ...]:
        """Those of the architecture that it compiles for, the one that all processors have first."""
        return _ARCHITECTURES.get(self.target.split("-")[0], _GENERIC)

    def check_platform(self, platform: str) -> None:
        """See that this compiles for a wheel's platform, such as ``manylinux_2_34_x86_64``.

        Raises:
            KernelError: it compiles for another architecture.
        """
        named = next((sets for name, sets in _ARCHITECTURES.items() if platform.endswith(name)), _GENERIC)
        if named is not self.instruction_sets:
            raise KernelError(f"{self.command[0]} compiles for {self.target}, not for {platform}")


@dataclass(frozen=True)
class Build:
    """A library as the compiler left it.

    Attributes:
        content: the shared library.
        sources: digest of what it was made from; see `digest_of`.
        compiler: what made it.
        instruction_sets: names of those that it holds.
        left_out: names of those that the compiler does not know.
    """

    content: bytes
    sources: str
    compiler: Compiler
    instruction_sets: tuple[str, ...]
    left_out: tuple[str, ...]


def ask_compiler(command: Sequence[str] | None = None, timeout_s: float = QUESTION_S) -> Compiler:
    """What ``command`` is; where not given CC of the environment, cc, gcc or clang.

    Raises:
        KernelError: there is no compiler, or it does not answer.
    """
    try:
        parts = tuple(command) if command is not None else find_compiler()
    except MissingToolError as error:
        raise KernelError(str(error)) from None
    if os.sep in parts[0]:  # it is run in another folder
        parts = (str(Path(parts[0]).absolute()), *parts[1:])
    questions = ("--version", "-dumpmachine")
    with scratch() as folder:
        answers = run_all([(*parts, question) for question in questions], Path(folder), timeout_s)
    for question, answer in zip(questions, answers, strict=True):
        if answer.code != 0 or not answer.output.strip():
            raise KernelError(f"{parts[0]} {question} fails ({_telling(answer)}); name a compiler with CC")
    version, target = (answer.output.strip().splitlines()[0] for answer in answers)
    return Compiler(parts, version, target)


def read_sources(folder: Path = SOURCE) -> dict[str, bytes]:
    """The C files of ``folder`` by name.

    Raises:
        KernelError: there are none, or one cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h"))
        files = {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        raise KernelError(f"{error.filename}: the kernels' C cannot be read ({error.strerror})") from None
    if not files:
        raise KernelError(f"{folder}: the kernels' C is not there; install ltc-edge again")
    return files


def digest_of(sources: Mapping[str, bytes]) -> str:
    """sha256 of the sources and of how they are compiled: another means that a library is stale."""
    state = hashlib.sha256(repr((FLAGS, LINK, LINK_ELF, _ARCHITECTURES)).encode())
    for name, content in sorted(sources.items()):
        state.update(f"{name} {len(content)}\n".encode())
        state.update(content)
    return state.hexdigest()


def build(sources: Mapping[str, bytes], compiler: Compiler, timeout_s: float = TIMEOUT_S) -> Build:
    """Compile the library. The same sources and compiler give the same bytes, wherever that is done.

    Raises:
        KernelError: the compiler fails, or takes longer than ``timeout_s``.
    """
    with scratch() as name:
        folder = Path(name)
        try:
            for source, content in sources.items():
                (folder / source).write_bytes(content)
        except OSError as error:
            raise KernelError(f"{error.filename}: cannot be written ({error.strerror})") from None
        known = _known(compiler, folder, timeout_s)
        # Names relative to the folder: what is built holds no trace of where.
        commands = [(*compiler.command, *each) for each in compilations(sorted(sources), known)]
        _succeed(commands, folder, timeout_s)
        objects = [command[-1] for command in commands]
        elf = LINK_ELF if "linux" in compiler.target else ()
        _succeed([(*compiler.command, *objects, *LINK, *elf, "-o", "library")], folder, timeout_s)
        try:
            content = (folder / "library").read_bytes()
        except OSError:
            raise KernelError(f"{compiler.command[0]} says that it linked the kernels, and did not") from None
    names = [each.name for each in known]
    left_out = [each.name for each in compiler.instruction_sets if each.name not in names]
    return Build(content, digest_of(sources), compiler, tuple(names), tuple(left_out))


def compilations(sources: Sequence[str], sets: Sequence[InstructionSet]) -> list[tuple[str, ...]]:
    """Arguments that compile each source, ending with the object file's name."""
    arguments: list[tuple[str, ...]] = []
    for source in sources:
        stem = source.removesuffix(".c")
        if source.endswith(".kernel.c"):
            for each in sets:
                told = (*FLAGS, *each.flags, f"-DLTC_EDGE_ISA={each.name}")
                arguments.append((*told, "-c", source, "-o", f"{stem}.{each.name}.o"))
        elif source.endswith(".c"):
            arguments.append((*FLAGS, "-c", source, "-o", f"{stem}.o"))
    return arguments


def _known(compiler: Compiler, folder: Path, timeout_s: float) -> list[InstructionSet]:
    """Instruction sets whose flags the compiler takes: an old one has not heard of AVX-512."""
    (folder / "empty.c").write_text("typedef int empty;\n")
    baseline, *others = compiler.instruction_sets
    trials = [(*compiler.command, *each.flags, "-fsyntax-only", "empty.c") for each in others]
    answers = run_all(trials, folder, timeout_s)
    return [baseline, *(each for each, answer in zip(others, answers, strict=True) if answer.code == 0)]


def _succeed(commands: Sequence[Sequence[str]], folder: Path, timeout_s: float) -> None:
    for command, ended in zip(commands, run_all(commands, folder, timeout_s), strict=True):
        if ended.code != 0:
            raise KernelError(
                f"{command[0]} does not compile the kernels: {_telling(ended)}; name another compiler with CC"
            )


def _telling(ended: Finished) -> str:
    """The line of a failed program's output that says most, shortened."""
    lines = ended.output.splitlines()
    lines = [line for line in lines if "error" in line or "undefined reference" in line] or lines
    return " ".join(lines[0].split())[:200] if lines else f"exit code {ended.code}"


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for what compilers write.

    Raises:
        KernelError: there is no place for one.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="ltc-edge-kernels-")
    except OSError as error:
        raise KernelError(f"no temporary folder can be made ({error.strerror})") from None
