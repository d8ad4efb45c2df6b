"""Where deployments lie on a device, and how one takes the place of another.

::

    ROOT/allowed_signers            the key that deployments must be signed with, where one is pinned
    ROOT/NAME/lock                  held by whoever changes anything here
    ROOT/NAME/versions/ID/          a deployment: its files, and deployment.json that lists them
    ROOT/NAME/current  → versions/ID
    ROOT/NAME/previous → versions/ID
    ROOT/NAME/pending.json          a switch that is not over
    ROOT/NAME/incoming/             what was not checked yet, or is on its way out
    ROOT/NAME/log/                  of a loop that is not systemd's

A version is written in ``incoming``, checked and brought to disk there, and renamed; links are renamed over
each other. So there is no moment at which ``current`` is anything but a whole version, whatever ends us.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

DOCUMENT, SIGNATURE = "deployment.json", "deployment.json.sig"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
ID_LETTERS = 16
MOST_BYTES = 1 << 28


class Refused(ValueError):
    """Something that is not done; the text says why, and what to do."""


class Layout:
    """The folder of one name on this device.

    Args:
        root: of all names; a leading ``~`` is the home folder.
        name: of the deployment.

    Raises:
        Refused: the name could lead elsewhere.
    """

    def __init__(self, root: str, name: str) -> None:
        if not NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name: small letters, digits, and . _ - between them")
        self.root = Path(root).expanduser()
        self.name = name
        self.folder = self.root / name
        self.versions_folder = self.folder / "versions"
        self.incoming = self.folder / "incoming"
        self.current, self.previous = self.folder / "current", self.folder / "previous"
        self.pending = self.folder / "pending.json"

    def create(self) -> None:
        """Make what is not there yet; a deployment is no secret, and its service may be another user.

        Raises:
            Refused: it cannot be made.
        """
        try:
            for folder in (self.folder, self.versions_folder, self.incoming, self.folder / "log"):
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            where = error.filename or self.folder
            raise Refused(
                f"{where}: cannot be made there ({error.strerror}); name another folder with --root, or say "
                "--sudo"
            ) from None

    def versions(self) -> list[str]:
        """IDs of the versions that are here, the newest first."""
        if not self.versions_folder.is_dir():
            return []
        found = [entry for entry in self.versions_folder.iterdir() if is_id(entry.name)]
        return [entry.name for entry in sorted(found, key=lambda e: (-e.lstat().st_mtime_ns, e.name))]

    def version(self, identity: str) -> Path:
        """The folder of a version.

        Raises:
            Refused: this is no ID.
        """
        if not is_id(identity):
            raise Refused(f"{identity!r} is no version")
        return self.versions_folder / identity

    def linked(self, link: Path) -> str | None:
        """The ID that a link of this folder points to; None where there is none."""
        try:
            target = str(link.readlink())
        except OSError:
            return None
        folder, _, identity = target.partition("/")
        return identity if folder == "versions" and is_id(identity) else None

    def point(self, link: Path, identity: str | None) -> None:
        """Let a link point to a version, or be gone, in one step that outlasts a power cut."""
        if identity is None:
            link.unlink(missing_ok=True)
        else:
            fresh = link.with_name(f".{link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(f"versions/{identity}")
            fresh.replace(link)
        sync_folder(self.folder)

    def discard(self, identity: str) -> None:
        """Remove a version: out of sight at once, and then file by file."""
        aside = Path(tempfile.mkdtemp(prefix="out-", dir=self.incoming)) / identity
        self.version(identity).rename(aside)
        shutil.rmtree(aside.parent, ignore_errors=True)

    def clean(self) -> int:
        """Remove what deployments that were ended left behind; how many things that were."""
        leftovers = [*self.incoming.iterdir(), *self.folder.glob(".*.new")]
        for leftover in leftovers:
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
        return len(leftovers)


def is_id(text: str) -> bool:
    """Whether a text is the ID of a version."""
    return len(text) == ID_LETTERS and all(letter in "0123456789abcdef" for letter in text)


def faults(folder: Path, identity: str) -> list[str]:
    """What is wrong with a version in ``folder``, a line each; nothing where it is whole.

    Its ID is the digest of deployment.json, which has the digests of all other files.
    """
    try:
        content = read(folder / DOCUMENT)
        if hashlib.sha256(content).hexdigest()[:ID_LETTERS] != identity:
            return [f"{DOCUMENT} is not that of {identity}"]
        listed: dict[str, dict[str, Any]] = json.loads(content)["files"]
        there = {entry.name for entry in folder.iterdir()} - {DOCUMENT, SIGNATURE}
        found = [f"{name} does not belong there" for name in sorted(there - listed.keys())]
        for name, entry in sorted(listed.items()):
            if not FILE.fullmatch(name):
                return [f"{name!r} is no name of a file"]
            if name not in there:
                found.append(f"{name} is missing")
            elif hashlib.sha256(read(folder / name)).hexdigest() != entry["sha256"]:
                found.append(f"{name} was changed")
    except OSError as error:
        return [f"{Path(error.filename or folder).name}: {error.strerror}"]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return [f"{DOCUMENT} makes no sense ({error})"]
    return found


def document_of(folder: Path) -> dict[str, Any]:
    """What a version says of itself."""
    found = json.loads(read(folder / DOCUMENT))
    if not isinstance(found, dict):
        raise Refused(f"{folder / DOCUMENT}: is no object")
    return found


def read(path: Path) -> bytes:
    """The content of a regular file; a link or a pipe is none.

    Raises:
        OSError: it is none, too large, or cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or state.st_size > MOST_BYTES:
            raise OSError(0, "is no file of a deployment", str(path))
        return file.read()


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a new file, to the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def replace(path: Path, content: bytes) -> None:
    """Write a file in the place of another, in one step that outlasts a power cut."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write(fresh, content)
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Bring what was renamed in a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
