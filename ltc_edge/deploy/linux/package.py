"""The files of a deployment, and the document that its ID is the digest of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltc_edge.deploy.linux.device.layout import DOCUMENT, ID_LETTERS, SIGNATURE
from ltc_edge.version import __version__

FORMAT, SCHEMA_VERSION = "ltc-edge deployment", 1


@dataclass(frozen=True, eq=False)
class Package:
    """A deployment as it is sent.

    Attributes:
        document: deployment.json.
        files: the others by name, without the signature.
        signature: of the document; None where it is not signed.
    """

    document: bytes
    files: Mapping[str, bytes]
    signature: bytes | None = None

    @property
    def identity(self) -> str:
        """What names it on a device: the same content has the same."""
        return hashlib.sha256(self.document).hexdigest()[:ID_LETTERS]

    def sent(self) -> dict[str, bytes]:
        """All files by name, the document behind what it lists."""
        signed = {} if self.signature is None else {SIGNATURE: self.signature}
        return {**self.files, DOCUMENT: self.document, **signed}


def make_package(
    files: Mapping[str, bytes],
    *,
    name: str,
    service: str,
    arguments: Sequence[str],
    selftest: Sequence[str],
    about: Mapping[str, Any],
) -> Package:
    """A deployment of these files; the same ones give the same document, whenever and wherever it is made.

    Args:
        files: by name.
        name: of the deployment.
        service: what starts it.
        arguments: the file that is started, and its arguments.
        selftest: the same for what checks it.
        about: what else the document says.
    """
    document = {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "ltc_edge": __version__,
        "name": name,
        "service": service,
        "arguments": list(arguments),
        "selftest": list(selftest),
        **about,
        "files": {
            file: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for file, content in sorted(files.items())
        },
    }
    text = json.dumps(document, indent=2, sort_keys=True, allow_nan=False) + "\n"
    return Package(text.encode(), dict(files))
