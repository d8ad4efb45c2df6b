"""What is profiled: a bundle of ours, or a model of anybody's that steps a state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.bundle.contents import REPORT
from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.controller import Controller
from ltc_edge.errors import BundleError, InputError
from ltc_edge.export.artifacts import Artifact

MODELS = (".onnx", ".tflite")
MAX_MODEL_BYTES = 1 << 28


@dataclass(frozen=True, eq=False)
class BundleSubject:
    """A bundle.

    Attributes:
        path, sha256: of its folder, and of its manifest.
        controller: in it.
        artifacts: the formats to profile, by name.
        verified: what its verification says of each format.
    """

    path: Path
    sha256: str
    controller: Controller
    artifacts: Mapping[str, Artifact]
    verified: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class ModelSubject:
    """A model.

    Attributes:
        path, sha256: of its file.
        content: of its file.
        states: pairs of an input and the output that goes back into it.
    """

    path: Path
    sha256: str
    content: bytes
    states: tuple[tuple[str, str], ...]


Subject = BundleSubject | ModelSubject


def read_profile_subject(
    path: Path, formats: Sequence[str], states: Sequence[tuple[str, str]], *, trust_c: bool = False
) -> Subject:
    """What is at a path.

    Args:
        path: of a bundle, or of a model.
        formats: of a bundle; all of them where none is named.
        states: of a model.
        trust_c: whether a bundle's C is compiled as it is, even where its controller gives other C.

    Raises:
        InputError: there is nothing that can be profiled, or the other options do not fit it.
    """
    if path.suffix not in MODELS or path.is_dir():
        return _bundle(path, formats, states, trust_c=trust_c)
    if formats:
        raise InputError(f"{path}: is one model; --format chooses among those of a bundle")
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, and a device may never end
            raise InputError(f"{path}: cannot be read (not a file)")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise InputError(f"{path}: is larger than any controller (over 256 MiB)")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    return ModelSubject(path, hashlib.sha256(content).hexdigest(), content, tuple(states))


def _bundle(
    path: Path, formats: Sequence[str], states: Sequence[tuple[str, str]], *, trust_c: bool
) -> BundleSubject:
    if states:
        raise InputError(f"{path}: a bundle knows its state; --state is for a model of yours")
    if not (path / MANIFEST).exists():
        what = "there is no such bundle" if not path.exists() else "is no bundle"
        raise InputError(f"{path}: {what}; give one of `ltc-edge export`, or a model ({' or '.join(MODELS)})")
    bundle = load_bundle(path, trust_c=trust_c)
    return BundleSubject(
        path,
        bundle.manifest_sha256(),
        bundle.controller,
        bundle.choose(formats),
        _verified(path, bundle.files.contents.get(REPORT)),
    )


def _verified(path: Path, content: bytes | None) -> dict[str, Mapping[str, Any]]:
    """What the verification found in closed loop, by format; nothing where there was none."""
    if content is None:
        return {}
    try:
        formats = json.loads(content)["formats"]
        return {
            name: entry["task"] | {"status": entry["status"]}
            for name, entry in formats.items()
            if isinstance(entry.get("task"), dict)
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BundleError(f"{path}: its {REPORT} is not readable; export it again") from None
