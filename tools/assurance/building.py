"""Compilers and other tools, called with one clear line where they are missing or fail."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from assurance.subjects import HARNESS, RUNTIME, Subject
from ltc_edge.errors import CheckFailedError, InputError

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-pedantic", "-Werror")
TIMEOUT_S = 600
PACKAGES = {
    "gcc": "gcc",
    "clang": "clang",
    "cppcheck": "cppcheck",
    "gcovr": "gcovr",
    "gcov": "gcc",
    "frama-c": "frama-c-base",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
}
"""Debian's package of each tool."""


def need(tool: str) -> str:
    """The path of a tool.

    Raises:
        InputError: it is not installed.
    """
    found = shutil.which(tool)
    if found is None:
        raise InputError(f"{tool} is not installed; on Debian: apt-get install {PACKAGES.get(tool, tool)}")
    return found


def call(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool in ``folder``; returns its standard output and error.

    Raises:
        InputError: it is not installed.
        CheckFailedError: it does not end with 0, or not at all; the message ends with what it said.
    """
    need(str(command[0]))
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise CheckFailedError(f"{command[0]} has not ended within {TIMEOUT_S} s") from None
    if done.returncode != 0:
        said = done.stdout[:4000].strip() or "nothing"
        raise CheckFailedError(f"{Path(command[0]).name} ended with {done.returncode} and said: {said}")
    return done.stdout


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def runtime_sources() -> list[Path]:
    """Every source of the runtime, whichever type it is of."""
    return sorted(RUNTIME.glob("*.c"))


def runtime_objects(compiler: str, flags: Iterable[str], folder: Path) -> list[Path]:
    """Compile the whole runtime once, for all the subjects that are linked with it."""
    folder.mkdir(parents=True, exist_ok=True)
    call([compiler, *flags, "-c", *runtime_sources()], folder)
    return sorted(folder.glob("*.o"))


def program(
    subject: Subject, harness: str, compiler: str, flags: Iterable[str], objects: Iterable[Path], folder: Path
) -> Path:
    """A harness of ``c/`` linked with a subject and the runtime's objects."""
    write(subject.files(), folder)
    sources = [HARNESS / harness]  # which includes the subject's source
    call([compiler, *flags, "-I.", f"-I{HARNESS}", *sources, *objects, "-o", "program", "-lm"], folder)
    return folder / "program"
