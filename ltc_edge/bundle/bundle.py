"""A bundle as a device uses it: the controller, and a stepper for any of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltc_edge.bundle.folder import MANIFEST, BundleFiles, read_bundle_files
from ltc_edge.controller import Controller
from ltc_edge.errors import BundleError, InputError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.c.names import check_name
from ltc_edge.export.formats import FORMATS, HUB, Format
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.exported import HOST, exported_stepper
from ltc_edge.runtimes.stepper import Stepper

if TYPE_CHECKING:
    from ltc_edge.training.sources import Source


class Bundle:
    """What `load_bundle` read; every file was checked against the manifest.

    Attributes:
        files: the manifest and the files' contents.
        trust_c: whether its C is taken as it is; without, only what its controller gives is handed out.
    """

    def __init__(self, files: BundleFiles, *, trust_c: bool = False) -> None:
        self.files, self.trust_c = files, trust_c

    @property
    def path(self) -> Path:
        """The folder."""
        return self.files.path

    @property
    def formats(self) -> tuple[str, ...]:
        """Names of the formats that the bundle has a file of."""
        return tuple(self.artifacts)

    def manifest_sha256(self) -> str:
        """What a profile names the bundle by: the SHA-256 of the manifest's bytes.

        Raises:
            BundleError: it cannot be read any more.
        """
        try:
            return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()
        except OSError as error:
            raise BundleError(f"{self.path / MANIFEST}: cannot be read ({error.strerror or error})") from None

    @cached_property
    def controller(self) -> Controller:
        """The controller, from the hub.

        Raises:
            ControllerFileError: the hub is not readable.
        """
        return controller_from_bytes(self.content(HUB.file), str(self.path / HUB.file))

    @cached_property
    def artifacts(self) -> Mapping[str, Artifact]:
        """The exported files by format.

        Raises:
            BundleError: the manifest describes a format that is not known here, or a file it does not list.
        """
        artifacts = {}
        try:
            for name, entry in self.files.manifest["formats"].items():
                form = FORMATS[name]
                if entry["status"] == "ok":
                    if entry["file"] != form.file:
                        raise InputError(f"{name} is not in {form.file}")
                    interface = Interface.from_json(entry["interface"])
                    artifacts[name] = Artifact(form, self._files(form), interface, _c_name(form, entry))
                elif entry["status"] != "refused":
                    raise InputError(f"{name} is neither ok nor refused")
        except (KeyError, TypeError, AttributeError, InputError) as error:
            raise BundleError(
                f"{self.path}: its list of formats is unreadable ({error}); upgrade ltc-edge"
            ) from None
        if HUB.name not in artifacts:
            raise BundleError(f"{self.path}: its list of formats lacks the hub; export the bundle again")
        return artifacts

    def content(self, name: str) -> bytes:
        """The file ``name``.

        Raises:
            BundleError: the bundle has none of that name.
        """
        if not isinstance(name, str) or name not in self.files.contents:
            raise BundleError(f"{self.path}: has no {name}; export the bundle again")
        return self.files.contents[name]

    def _files(self, form: Format) -> dict[str, bytes]:
        """The file of a format, or the files in its folder."""
        folder = f"{form.file}/"
        inside = {name: content for name, content in self.files.contents.items() if name.startswith(folder)}
        return inside or {form.file: self.content(form.file)}

    def choose(self, formats: Sequence[str]) -> dict[str, Artifact]:
        """The formats asked for, to be run; all where none is named.

        Raises:
            InputError: the bundle has no such format.
            BundleError: its C is not what its controller gives.
        """
        for name in formats:
            if name not in self.artifacts:
                raise InputError(f"{self.path}: has no {name}; it has {', '.join(self.artifacts)}")
        return {name: self._to_run(name) for name in formats or self.artifacts}

    def _to_run(self, name: str) -> Artifact:
        """A format; C is a program, and anybody's may do anything."""
        artifact = self.artifacts[name]
        if artifact.c_name is None or self.trust_c:
            return artifact
        from ltc_edge.bundle.trusted import trusted_sources

        return trusted_sources(self, name)

    def stepper(self, form: str = HUB.name, target: str = HOST) -> Stepper:
        """The controller in one of its formats, ready for the first step.

        Args:
            form: name of the format.
            target: for a format in C, the name of a target to emulate in the place of this machine.

        Raises:
            InputError: the bundle has no such format, or it does not run on that target.
            MissingExtraError: what runs it is not installed.
        """
        return exported_stepper(self.choose([form])[form], self.controller, target)

    def source(self) -> Source | None:
        """The task or recordings that the controller is for, where known.

        Raises:
            BundleError: the manifest describes none that is known here.
        """
        from ltc_edge.training.sources import source_from_json

        document = self.files.manifest.get("source")
        if document is None:
            return None
        try:
            return source_from_json(document, self.path)
        except (InputError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{self.path}: the source of the controller is unreadable ({error})") from None


def _c_name(form: Format, entry: Mapping[str, Any]) -> str | None:
    if form.runtime != "c":
        return None
    name = entry["name"]
    check_name(name)
    return str(name)


def names_code(source: Source | None) -> bool:
    """Whether a source is a user's module, which would be imported and run: a bundle may be anybody's."""
    kind = getattr(source, "kind", None)
    return kind == "environment" or (kind == "task" and ":" in getattr(source, "name", ""))


def load_bundle(path: Path | str, *, trust_c: bool = False) -> Bundle:
    """Read a bundle of ``ltc-edge export``.

    Args:
        path: its folder.
        trust_c: see `Bundle`.

    Raises:
        BundleError: it is none, is damaged, or is of an unknown version.
    """
    return Bundle(read_bundle_files(Path(path)), trust_c=trust_c)
