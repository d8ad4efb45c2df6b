"""Objects of C compiled once a test session, for all the controllers that share a source.

The runtime is the same for every controller of a type, and to compile it takes longer than most tests that
need it. An object is found by its compiler, flags, source and the headers that this includes; workers share
them through a folder. What does not compile goes the package's own way, which says why.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ltc_edge.runtimes import c_compiler, cross_compiler, host_machine

_INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Objects:
    """What was compiled, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def compiled(
        self, name: str, files: Mapping[str, bytes], compiler: Sequence[str], flags: Sequence[str]
    ) -> Path | None:
        """The object of the source ``name`` of ``files``; none where it does not compile."""
        needed = {name: files[name], **_headers(name, files)}
        key = hashlib.sha256(repr((shutil.which(compiler[0]), *compiler, *flags)).encode())
        for each in sorted(needed):
            key.update(f"\n{each} {len(needed[each])}\n".encode() + needed[each])
        place = self._folder / f"{key.hexdigest()}.o"
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
                for each, content in needed.items():
                    (Path(scratch) / each).write_bytes(content)
                command = [*compiler, *flags, "-c", "-o", "made.o", name]
                if subprocess.run(command, cwd=scratch, capture_output=True, timeout=120).returncode != 0:
                    return None
                (Path(scratch) / "made.o").replace(place)
        return place

    def all_of(
        self, files: Mapping[str, bytes], compiler: Sequence[str], flags: Sequence[str]
    ) -> list[Path] | None:
        """The objects of every source of ``files``, in the order of their names."""
        made = []
        for name in sorted(name for name in files if name.endswith(".c")):
            place = self.compiled(name, files, compiler, flags)
            if place is None:
                return None
            made.append(place)
        return made

    def shared_library(
        self, files: Mapping[str, bytes], folder: Path, compiler: Sequence[str], flags: Sequence[str]
    ) -> Path:
        """See `ltc_edge.runtimes.c_compiler.shared_library`."""
        objects = self.all_of(files, compiler, (*flags, "-fPIC"))
        library = folder / "controller.so"
        command = [*compiler, *flags, "-shared", "-fPIC", "-o", str(library), *map(str, objects or ())]
        if not objects or subprocess.run(command, capture_output=True, timeout=120).returncode != 0:
            return c_compiler.shared_library(files, folder, compiler, flags)
        return library

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        """Have the package compile for this machine and for targets by way of these objects."""
        compile_units = cross_compiler.CrossCompiler._compile

        def of_units(
            itself: cross_compiler.CrossCompiler,
            units: Sequence[cross_compiler.Unit],
            folder: Path,
            extra: Sequence[str],
        ) -> list[str]:
            tool, names = itself.tool, []
            for unit in units:
                objects = self.all_of(unit.files, (tool.command, *tool.flags), (*unit.flags, *extra))
                if objects is None:
                    return compile_units(itself, units, folder, extra)
                sources = sorted(name for name in unit.files if name.endswith(".c"))
                for name, made in zip(sources, objects, strict=True):
                    names.append(f"{Path(name).stem}.o")
                    shutil.copyfile(made, folder / names[-1])
            return names

        patch.setattr(host_machine, "shared_library", self.shared_library)
        patch.setattr(cross_compiler.CrossCompiler, "_compile", of_units)


def _headers(name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Of ``files``, what the source ``name`` includes, and so on."""
    found: dict[str, bytes] = {}
    waiting = [name]
    while waiting:
        for wanted in _INCLUDE.findall(files[waiting.pop()]):
            header = wanted.decode()
            if header in files and header not in found:
                found[header] = files[header]
                waiting.append(header)
    return found
