"""Ed25519 signatures of deployments, by the ``ssh-keygen`` that is wherever OpenSSH is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from .layout import DOCUMENT, SIGNATURE, Refused, replace

NAMESPACE, IDENTITY = "ltc-edge-deployment", "ltc-edge"
"""What a signature is for, so that one for something else is none here; and who must have made it."""
KEY = re.compile(r"(?:sk-)?ssh-ed25519(?:@openssh\.com)? [A-Za-z0-9+/]{40,200}={0,2}")
TIMEOUT_S = 20


def pinned(root: Path) -> str | None:
    """The key that deployments here must be signed with; None where there is none."""
    try:
        line = (root / "allowed_signers").read_text("ascii").strip()
    except FileNotFoundError:
        return None
    return line.partition(" ")[2]


def pin(root: Path, key: str) -> None:
    """Take only what is signed with ``key`` from now on.

    Raises:
        Refused: it is no key, or another is pinned.
    """
    if not KEY.fullmatch(key):
        raise Refused("this is no public Ed25519 key")
    before = pinned(root)
    if before is not None and before != key:
        raise Refused(
            f"another key is pinned in {root / 'allowed_signers'}; remove that file on the device to trust "
            "this one"
        )
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    if before is None:
        replace(root / "allowed_signers", f"{IDENTITY} {key}\n".encode("ascii"))


def refuse_unsigned(root: Path, folder: Path) -> None:
    """Refuse a version that the pinned key did not sign, where one is pinned.

    Raises:
        Refused: it is not signed, or not with that key; or there is no ssh-keygen to tell.
    """
    if pinned(root) is None:
        return
    if not (folder / SIGNATURE).is_file():
        raise Refused(
            f"this device takes signed deployments alone ({root / 'allowed_signers'}); add --sign KEY"
        )
    keygen = shutil.which("ssh-keygen")
    if keygen is None:
        raise Refused("ssh-keygen, which checks signatures, is not installed there (Debian: openssh-client)")
    command = [keygen, "-Y", "verify", "-f", str(root / "allowed_signers"), "-I", IDENTITY]
    command += ["-n", NAMESPACE, "-s", str(folder / SIGNATURE)]
    with (folder / DOCUMENT).open("rb") as document:
        done = subprocess.run(command, stdin=document, capture_output=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise Refused("the signature is not one of this deployment by the key that this device trusts")
