"""A folder in which an aarch64 Python with NumPy, ONNX Runtime and LiteRT runs under qemu-user. Prints where.

    python tools/aarch64_root.py                # build/aarch64-root, unless it is there already
    LTC_EDGE_AARCH64_ROOT=FOLDER python tools/aarch64_root.py

``FOLDER/usr/bin/python3`` runs like any interpreter, also as ``ltc-edge profile --python``: Debian 12's, with
the packages of constraints.txt, on the processor of a Raspberry Pi 4, or what QEMU_CPU names. These packages
do not run under Debian 12's QEMU 7.2, so QEMU is Debian 13's.

apt and pip fetch everything from where they are set up to, into lists and caches of their own; nothing is
installed in this system. Exit 2, with one line that says what is missing, where that cannot be.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from ltc_edge.errors import InputError, LtcEdgeError, MissingToolError

CHECKOUT = Path(__file__).resolve().parents[1]
VARIABLE = "LTC_EDGE_AARCH64_ROOT"
DEFAULT = CHECKOUT / "build" / "aarch64-root"
PYTHON, QEMU = Path("usr/bin/python3"), Path("usr/bin/qemu-aarch64")

PYTHON_SUITE, QEMU_SUITE = "bookworm", "trixie"
DEBIAN_PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
WHEELS = ("numpy", "onnxruntime", "ai-edge-litert")
PYTHON_VERSION, NEWEST_GLIBC = "3.11", 36
"""Of Debian 12: which wheels run there."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SUITES = (PYTHON_SUITE, QEMU_SUITE, "stable", "oldstable", "testing", "sid", "unstable")
"""What a source of Debian itself has, and sources of others that follow Debian's releases do not."""

# The interpreter must take this script for itself, so that what it starts as sys.executable is emulated as
# well; and it must not find this machine's compilers and programs.
START = """#!/bin/sh
bin=$(cd "${0%/*}" && pwd)
unset CC
export PATH="$bin" LTC_EDGE_EMULATOR="$bin/qemu-aarch64" QEMU_CPU="${QEMU_CPU:-cortex-a72}"
exec "$bin/qemu-aarch64" -L "${bin%/usr/bin}" -0 "$bin/python3" "$bin/python3.11" "$@"
"""
MADE = "made-from"
"""File in the folder: digest of all that it was made from."""
TIMEOUT_S = 600


def place() -> Path:
    """Where the folder is, or will be."""
    return Path(os.environ.get(VARIABLE) or DEFAULT).absolute()


def make(root: Path) -> None:
    """Make the folder, unless the same is there.

    Raises:
        MissingToolError: no apt, or no keys of Debian's.
        InputError: something cannot be fetched, or does not run.
        OSError: the folder cannot be written.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes() + _constraints().read_bytes()).hexdigest()
    if (root / MADE).exists() and (root / MADE).read_text() == recipe:
        return
    if root.exists() and not (root / MADE).exists():
        raise InputError(f"{root}: is there, and was not made by this; name another folder with {VARIABLE}")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aarch64-", dir=root.parent) as scratch:
        made = Path(scratch) / "root"
        made.mkdir()
        _unpack_debian(Path(scratch), made)
        _install_wheels(made / "usr/lib/python3/dist-packages")
        _compile_library(made / "usr/lib" / f"python{PYTHON_VERSION}")
        (made / PYTHON).write_text(START)
        (made / PYTHON).chmod(0o755)
        check(made)
        (made / MADE).write_text(recipe)
        shutil.rmtree(root, ignore_errors=True)
        made.rename(root)


def check(root: Path) -> None:
    """See that the interpreter runs, and one that it starts.

    Raises:
        InputError: it does not, or not as aarch64.
    """
    inner = "import platform; print(platform.machine(), end='')"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    said = _run([str(root / PYTHON), "-c", outer], "Python under qemu-aarch64")
    if said != "aarch64":
        raise InputError(f"Python under qemu-aarch64 runs as {said!r}, not as aarch64")


def _constraints() -> Path:
    return CHECKOUT / "constraints.txt"


def _unpack_debian(scratch: Path, root: Path) -> None:
    """Python with all it needs, and the one program of the large qemu-user."""
    for program in ("apt-get", "dpkg", "dpkg-deb"):
        if shutil.which(program) is None:
            raise MissingToolError(f"{program} is not installed: this folder is made from Debian's packages")
    if not KEYRING.exists():
        raise MissingToolError(f"{KEYRING} is not there (Debian: debian-archive-keyring)")
    here = _run(["dpkg", "--print-architecture"], "dpkg").strip()
    environment = {**os.environ, "APT_CONFIG": str(_apt_configuration(scratch, _debian_address(), here))}
    _run(["apt-get", "-qq", "update"], "apt-get update", environment)
    install = ["apt-get", "-qq", "-y", "--no-install-recommends", "--download-only", "install"]
    _run([*install, *DEBIAN_PACKAGES], "apt-get", environment)
    for package in sorted(scratch.glob("cache/archives/*.deb")):
        _run(["dpkg-deb", "--extract", str(package), str(root)], "dpkg-deb")
    _run(["apt-get", "-qq", "download", f"qemu-user:{here}"], "apt-get", environment, scratch)
    (package,) = scratch.glob("qemu-user_*.deb")
    _unpack_one(package, QEMU, root / QEMU)


def _debian_address() -> str:
    """Where apt gets Debian from on this machine."""
    told = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    for line in _run([*told, "Created-By: Packages"], "apt-get").splitlines():
        address, suite, component = line.split(" ", 2)
        if suite in SUITES and component == "main":
            return address
    raise InputError("apt has no source of Debian here: this folder is made from Debian's packages")


def _apt_configuration(scratch: Path, address: str, here: str) -> Path:
    """A file that keeps apt to folders, sources and architectures of its own."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    architectures = {PYTHON_SUITE: "arm64", QEMU_SUITE: here}
    sources = [
        f"deb [arch={architecture} signed-by={KEYRING}] {address} {suite} main"
        for suite, architecture in architectures.items()
    ]
    (scratch / "sources.list").write_text("\n".join(sources) + "\n")
    settings = {
        "Dir::Etc::SourceList": scratch / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": scratch / "state",
        "Dir::State::Status": scratch / "status",
        "Dir::Cache": scratch / "cache",
        "APT::Architecture": "arm64",
        "APT::Architectures": f"arm64,{here}",
        "Acquire::Languages": "none",
        "APT::Update::Error-Mode": "any",
        "APT::Sandbox::User": "root",  # the folders are the caller's
    }
    path = scratch / "apt.conf"
    path.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    return path


def _unpack_one(package: Path, name: Path, target: Path) -> None:
    """One file of a package; the other emulators in it would take half a gigabyte.

    Raises:
        InputError: it is not in there.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpack:
        assert unpack.stdout is not None
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if Path(member.name) == name else None
                if content is not None:
                    target.write_bytes(content.read())
                    target.chmod(0o755)
                    return
    raise InputError(f"{package.name} has no {name}")


def _install_wheels(target: Path) -> None:
    platforms = ["manylinux2014_aarch64"]
    platforms += [f"manylinux_2_{minor}_aarch64" for minor in range(17, NEWEST_GLIBC + 1)]
    chosen = [f"--platform={platform}" for platform in platforms]
    chosen += [f"--python-version={PYTHON_VERSION}", "--implementation=cp", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--constraint", str(_constraints()), "--target", str(target)]
    _run([*command, *chosen, *WHEELS], "pip")


def _compile_library(folder: Path) -> None:
    """To bytecode, which Debian's packages leave to their installation.

    Every emulated interpreter would take seconds for it. Only a Python of its version makes what it reads.
    """
    if sys.version_info[:2] == tuple(map(int, PYTHON_VERSION.split("."))):
        compileall.compile_dir(folder, quiet=2, rx=re.compile(r"/(test|idlelib|lib2to3|tkinter|distutils)/"))


def _run(
    command: list[str], name: str, environment: dict[str, str] | None = None, folder: Path | None = None
) -> str:
    """What a program prints.

    Raises:
        InputError: it fails; with the line that says why.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{name} could not be run ({error})") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
        telling = [line for line in lines if line.startswith(("E:", "ERROR"))] or lines
        raise InputError(f"{name} failed: {' '.join(telling[0].split())[:200]}")
    return done.stdout


def main() -> None:
    root = place()
    try:
        make(root)
    except LtcEdgeError as error:
        print(f"no aarch64 root: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"no aarch64 root: {error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    print(root)


if __name__ == "__main__":
    main()
