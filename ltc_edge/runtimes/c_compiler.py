"""A C compiler of this machine, and the shared library that it makes of a controller's sources."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ltc_edge.errors import InputError, MissingToolError, OutputError

CANDIDATES = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off")
TIMEOUT_S = 120


def find_compiler(wanted: str | None = None) -> tuple[str, ...]:
    """The command of a C compiler: ``wanted``, that of the variable CC, or the first of `CANDIDATES`.

    Raises:
        MissingToolError: there is none.
    """
    said = wanted or os.environ.get("CC")
    for command in (said,) if said else CANDIDATES:
        try:
            parts = tuple(shlex.split(command))
        except ValueError:
            raise MissingToolError(f"CC has a quote that does not end: {said!r}") from None
        if parts and shutil.which(parts[0]):
            return parts
    looked = f"no {said!r}" if said else f"none of {', '.join(CANDIDATES)}"
    raise MissingToolError(
        f"a C compiler is needed to run C on this machine, and there is {looked}; install one (gcc or clang) "
        "or name it in the environment variable CC"
    )


def shared_library(
    files: Mapping[str, bytes], folder: Path, compiler: Sequence[str], flags: Sequence[str]
) -> Path:
    """Write ``files`` into ``folder`` and compile them.

    Raises:
        InputError: a file's name is not plain, or the compiler fails.
        OutputError: the folder cannot be written.
    """
    for name in files:
        if Path(name).name != name or not name.endswith((".c", ".h")):
            raise InputError(f"{name[:60]!r} is not the plain name of a .c or .h file")
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
    library = folder / ("controller.dll" if sys.platform == "win32" else "controller.so")
    sources = sorted(name for name in files if name.endswith(".c"))
    command = [*compiler, *flags, "-shared", "-fPIC", "-o", str(library), *sources]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{compiler[0]} could not be run ({error})") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        detail = " ".join((lines or ["no message"])[0].split())[:200]
        raise InputError(f"{compiler[0]} does not compile this controller: {detail}")
    return library
