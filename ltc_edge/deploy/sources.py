"""Which C of a bundle is deployed: of a format that it has, and what its controller gives."""

from __future__ import annotations

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.bundle.trusted import trusted_sources
from ltc_edge.errors import InputError
from ltc_edge.export.formats import FORMATS

__all__ = ["choose_c_format", "trusted_sources"]


def choose_c_format(bundle: Bundle, asked: str | None) -> str:
    """The name of the format in C to deploy: the one asked for, else c-float32, else the only one.

    Raises:
        InputError: the bundle does not have it, or none in C at all.
    """
    there = [name for name in FORMATS if FORMATS[name].runtime == "c" and name in bundle.formats]
    if not there:
        raise InputError(f"{bundle.path}: has no C; export it again with --format c-float32")
    if asked is not None and asked not in there:
        raise InputError(f"{bundle.path}: has no {asked}; of C it has {', '.join(there)}")
    return asked or there[0]
