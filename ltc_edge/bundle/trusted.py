"""The C of a bundle that may be compiled here or sent to a device: what its controller gives, written anew.

A bundle comes from anybody. Its ``controller.onnx`` is data, read by a parser that runs none of it; its C is
a program, which whoever compiles and starts it would run. So nobody's C is taken at its word: it is written
anew from the controller, and compared.
"""

from __future__ import annotations

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.bundle.plan import bundle_plan
from ltc_edge.errors import BundleError, InputError
from ltc_edge.export.artifacts import Artifact, Refusal, make_artifact
from ltc_edge.version import __version__

COMPILED = (".c", ".h", ".hpp")
"""Of a format's folder: what a compiler reads."""


def trusted_sources(bundle: Bundle, form: str, *, trust_c: bool = False) -> Artifact:
    """A format in C of a bundle, which is what this version of ltc-edge writes for the bundle's controller.

    Its ``c_sources()`` are the sources, ``files`` the whole folder with what packages it.

    Args:
        bundle: the bundle.
        form: name of a format in C.
        trust_c: take the bundle's own C as it is, whatever it does.

    Raises:
        BundleError: the bundle's C is not what its controller gives.
        InputError: the bundle has no such format.
    """
    if form not in bundle.artifacts:
        raise InputError(f"{bundle.path}: has no {form}; it has {', '.join(bundle.artifacts)}")
    theirs = bundle.artifacts[form]
    if theirs.c_name is None:
        raise InputError(f"{form} is not C; choose c-float32 or c-int16")
    if trust_c:
        return theirs
    plan = bundle_plan(bundle) if theirs.form.arithmetic == "integer" else None
    ours = make_artifact(theirs.form, bundle.controller, plan, theirs.c_name)
    if isinstance(ours, Refusal):
        raise BundleError(f"{bundle.path}: {form} cannot be written anew: {ours.detail}")
    differing = _differing(ours, theirs)
    if differing is not None:
        written_by = str(bundle.files.manifest.get("ltc_edge", "an unknown version"))
        versions = (
            f"; it was written by ltc-edge {written_by[:40]}, and {__version__} may write other C"
            if written_by != __version__
            else ""
        )
        raise BundleError(
            f"{bundle.path}: the bundle's C is not what its controller.onnx gives ({differing} differs"
            f"{versions}); export it again, or, once you have read it, say --trust-c where the command has it"
        )
    return ours


def _differing(ours: Artifact, theirs: Artifact) -> str | None:
    """The first file for a compiler that differs, or that only one of them has."""
    for name in sorted(ours.files.keys() | theirs.files.keys()):
        if name.endswith(COMPILED) and ours.files.get(name) != theirs.files.get(name):
            return name
    return None
