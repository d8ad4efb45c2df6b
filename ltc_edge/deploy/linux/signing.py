"""Signing a deployment with ``ssh-keygen -Y sign``.

It is wherever OpenSSH is, so on every machine and device that this gets to; it signs with keys that people
have, those in an agent or on a security key too; and no cryptography is ours, or a dependency.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import tempfile
from pathlib import Path

from ltc_edge.deploy.linux.device.layout import DOCUMENT, SIGNATURE
from ltc_edge.deploy.linux.device.signatures import KEY, NAMESPACE
from ltc_edge.deploy.linux.package import Package
from ltc_edge.errors import InputError, MissingToolError

TIMEOUT_S = 120
"""Somebody may have to enter a passphrase, or to touch a security key."""


def signed(package: Package, key: Path) -> Package:
    """The deployment with a signature.

    Args:
        package: the deployment.
        key: file of a private Ed25519 key, or of a public one whose private one an agent holds.

    Raises:
        MissingToolError: there is no ssh-keygen.
        InputError: there is no such key, or it is not Ed25519.
    """
    if not key.is_file():
        raise InputError(f"{key}: there is no such key; make one with ssh-keygen -t ed25519 -f {key}")
    with tempfile.TemporaryDirectory(prefix="ltc-edge-") as name:
        document = Path(name) / DOCUMENT
        document.write_bytes(package.document)
        command = [_keygen(), "-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, str(document)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise InputError(f"{key}: no signature came within {TIMEOUT_S} s") from None
        if done.returncode != 0:
            said = " ".join((done.stderr.strip().splitlines() or ["no message"])[-1].split())[:160]
            raise InputError(f"{key}: cannot be signed with ({said})")
        return dataclasses.replace(package, signature=(Path(name) / SIGNATURE).read_bytes())


def public_key(path: Path) -> str:
    """Kind and key in a file such as ``id_ed25519.pub``, without its comment.

    Raises:
        InputError: it is none, or not Ed25519.
    """
    try:
        words = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    key = " ".join(words[:2])
    if not KEY.fullmatch(key):
        raise InputError(f"{path}: is no public Ed25519 key such as id_ed25519.pub")
    return key


def _keygen() -> str:
    found = shutil.which("ssh-keygen")
    if found is None:
        raise MissingToolError("--sign needs ssh-keygen, which is not installed (Debian: openssh-client)")
    return found
