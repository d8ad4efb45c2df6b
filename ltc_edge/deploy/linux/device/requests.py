"""What a deployment can ask of the device. Every request but ``deploy-open`` is about what was opened."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import signatures
from .layout import (
    DOCUMENT,
    FILE,
    SIGNATURE,
    Layout,
    Refused,
    document_of,
    faults,
    read,
    replace,
    sync_folder,
    write,
)
from .locking import Lock
from .switching import Patience, recover, service_of, switch

Answer = tuple[dict[str, Any], bytes]
SELFTEST_S = 60


def requests() -> dict[str, Callable[[dict[str, Any], bytes], Answer]]:
    """What answers each request, by its name."""
    os.umask(0o022)  # the service may be another user, and reads what is written here
    deployment = Deployment()
    return {
        "deploy-names": lambda said, _: (names(said["root"]), b""),
        "deploy-open": deployment.open,
        "deploy-status": deployment.status,
        "deploy-file": deployment.file,
        "deploy-selftest": deployment.selftest,
        "deploy-keep": deployment.keep,
        "deploy-switch": deployment.switch,
        "deploy-rollback": deployment.rollback,
        "deploy-prune": deployment.prune,
        "deploy-remove": deployment.remove,
        "deploy-pin": deployment.pin,
        "deploy-fetch": deployment.fetch,
    }


def names(root: str) -> dict[str, Any]:
    """What is deployed on this device, and what the device is."""
    folder = Path(root).expanduser()
    found = (
        [entry.name for entry in folder.iterdir() if (entry / "versions").is_dir()] if folder.is_dir() else []
    )
    return {"names": sorted(found), "machine": platform.machine(), "user": os.geteuid()}


class Deployment:
    """One name on this device, locked while this process lives, once it was opened to change it."""

    def __init__(self) -> None:
        self._layout: Layout | None = None
        self._lock: Lock | None = None
        self._upload: Path | None = None
        self._patience = Patience(10.0, 3.0)

    @property
    def layout(self) -> Layout:
        """What was opened."""
        if self._layout is None:
            raise Refused("nothing was opened")
        return self._layout

    def open(self, said: dict[str, Any], _: bytes) -> Answer:
        """Open a name: to look at it, or, with ``change``, to change it, once others have let go of it.

        What was left behind by a deployment that was ended is put in order first.
        """
        layout = Layout(said["root"], said["name"])
        self._patience = Patience(said["ready_s"], said["watch_s"])
        done, cleaned = None, 0
        if said["change"]:
            layout.create()
            self._lock = Lock(layout.folder / "lock", said["lock_s"])
            self._layout = layout
            done = recover(layout, self._patience)
            cleaned = layout.clean()
        elif not layout.versions_folder.is_dir():
            raise Refused(f"nothing is deployed as {layout.name} in {layout.root}")
        self._layout = layout
        return {"recovered": done, "cleaned": cleaned, "root": str(layout.root)}, b""

    def status(self, _: dict[str, Any], __: bytes) -> Answer:
        """What is here, what of it is whole, and what runs."""
        layout = self.layout
        versions = [_version(layout, identity) for identity in layout.versions()]
        service = service_of(layout)
        return {
            "current": layout.linked(layout.current),
            "previous": layout.linked(layout.previous),
            "unfinished": layout.pending.exists(),
            "versions": versions,
            "service": None if service is None else {"kind": service.kind, **service.state()},
            "signed_by": signatures.pinned(layout.root),
        }, b""

    def file(self, said: dict[str, Any], block: bytes) -> Answer:
        """Take a file; it is read back from the disk before it counts as taken."""
        if self._upload is None:
            self._upload = Path(tempfile.mkdtemp(prefix="in-", dir=self._changing().incoming))
            self._upload.chmod(0o755)
        name = said["name"]
        if not FILE.fullmatch(name):
            raise Refused(f"{name!r} is no name of a file")
        path = self._upload / name
        write(path, block, 0o755 if said["executable"] else 0o644)
        if hashlib.sha256(read(path)).hexdigest() != said["sha256"]:
            raise Refused(f"{name} did not arrive as it was sent")
        return {}, b""

    def selftest(self, said: dict[str, Any], _: bytes) -> Answer:
        """Run the uploaded program's selftest here; ``passed``, and what it said."""
        folder = self._whole_upload(said["id"])
        command = document_of(folder)["selftest"]
        if not FILE.fullmatch(command[0]):
            raise Refused(f"{command[0]!r} is no program of a deployment")
        try:
            done = subprocess.run(
                [str(folder / command[0]), *command[1:]],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SELFTEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"passed": False, "detail": f"it was not done within {SELFTEST_S} s"}, b""
        except OSError as error:
            return {"passed": False, "detail": f"it cannot be started ({error.strerror})"}, b""
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        detail = f"it ended with code {done.returncode}" + (f": {lines[-1][:200]}" if lines else "")
        return {"passed": done.returncode == 0, "detail": detail if done.returncode else None}, b""

    def keep(self, said: dict[str, Any], _: bytes) -> Answer:
        """Let the upload become a version: from here on it stays."""
        layout, identity = self._changing(), said["id"]
        folder = self._whole_upload(identity)
        signatures.refuse_unsigned(layout.root, folder)
        place = layout.version(identity)
        if place.exists():
            if not faults(place, identity):
                self._add_signature(folder, place)
                layout.clean()
                self._upload = None
                return {"already": True}, b""
            layout.discard(identity)
        sync_folder(folder)
        folder.rename(place)
        self._upload = None
        sync_folder(layout.versions_folder)
        return {"already": False}, b""

    def _add_signature(self, folder: Path, place: Path) -> None:
        """A version that is here already is one that was signed since."""
        if (folder / SIGNATURE).exists():
            replace(place / SIGNATURE, read(folder / SIGNATURE))

    def switch(self, said: dict[str, Any], _: bytes) -> Answer:
        """See `switching.switch`; what is here already is taken only if it is signed, where that is asked."""
        layout = self._changing()
        identity = said["id"]
        signatures.refuse_unsigned(layout.root, layout.version(identity))
        done = switch(layout, identity, self._patience)
        if identity not in (layout.linked(layout.current), layout.linked(layout.previous)):
            layout.discard(identity)  # it does not run, and would take the place of one that did
        return done, b""

    def rollback(self, _: dict[str, Any], __: bytes) -> Answer:
        """Switch to the version before."""
        layout = self._changing()
        before = layout.linked(layout.previous)
        if before is None:
            raise Refused(f"{layout.name} has no earlier version here")
        signatures.refuse_unsigned(layout.root, layout.version(before))
        return {**switch(layout, before, self._patience), "to": before}, b""

    def prune(self, said: dict[str, Any], _: bytes) -> Answer:
        """Remove the oldest versions; neither the current one nor the one before."""
        layout = self._changing()
        needed = {layout.linked(layout.current), layout.linked(layout.previous)}
        surplus = layout.versions()[max(int(said["keep"]), 1) :]
        removed = [identity for identity in surplus if identity not in needed]
        for identity in removed:
            layout.discard(identity)
        return {"removed": removed}, b""

    def remove(self, _: dict[str, Any], __: bytes) -> Answer:
        """Stop what runs, and remove all versions."""
        layout = self._changing()
        service = service_of(layout)
        layout.point(layout.current, None)
        if service is not None:
            service.stop()
        layout.point(layout.previous, None)
        removed = layout.versions()
        for identity in removed:
            layout.discard(identity)
        for folder in (layout.incoming, layout.versions_folder):
            folder.rmdir()  # the lock stays, for others may wait for it
        return {"removed": removed}, b""

    def pin(self, said: dict[str, Any], _: bytes) -> Answer:
        """See `signatures.pin`."""
        signatures.pin(self._changing().root, said["key"])
        return {}, b""

    def fetch(self, said: dict[str, Any], _: bytes) -> Answer:
        """A version's deployment.json, and its signature if it has one."""
        folder = self.layout.version(said["id"])
        signature = read(folder / SIGNATURE).decode("ascii") if (folder / SIGNATURE).exists() else None
        return {"signature": signature}, read(folder / DOCUMENT)

    def _changing(self) -> Layout:
        if self._lock is None:
            raise Refused("it was opened to be looked at alone")
        return self.layout

    def _whole_upload(self, identity: str) -> Path:
        """The upload, which is all of the version ``identity``, and nothing else."""
        if self._upload is None:
            raise Refused("nothing was uploaded")
        wrong = faults(self._upload, identity)
        if wrong:
            raise Refused(f"the upload is not whole: {wrong[0]}")
        return self._upload


def _version(layout: Layout, identity: str) -> dict[str, Any]:
    folder = layout.version(identity)
    wrong = faults(folder, identity)
    about: dict[str, Any] = {}
    if not wrong:
        document = document_of(folder)
        about = {key: document.get(key) for key in ("bundle", "format", "ltc_edge", "service")}
    return {
        "id": identity,
        "whole": not wrong,
        "faults": wrong[:5],
        "signed": (folder / SIGNATURE).exists(),
        "modified": folder.lstat().st_mtime,
        **about,
    }
