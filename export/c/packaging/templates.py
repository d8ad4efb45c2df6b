"""Templates of the packaging: files whose ``@{word}`` is replaced.

`string.Template` of the standard library does it. The files hold no logic beyond that, so an engine such as
Jinja would add two packages to what a Raspberry Pi installs and give nothing back. ``@`` is the mark because
CMake, YAML, Kconfig and C++ use ``$``, ``{{`` and ``%`` themselves.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from importlib import resources


class FileTemplate(string.Template):
    """A template whose words stand as ``@{word}``."""

    delimiter = "@"


def filled(template: str, words: Mapping[str, str]) -> str:
    """The text of a template with its words.

    Args:
        template: name of a file in ``templates``.
        words: what stands in place of each ``@{word}``; more than the template has is no harm.

    Raises:
        KeyError: the template has a word that is not given.
    """
    folder = resources.files("ltc_edge.export.c.packaging").joinpath("templates")
    return FileTemplate(folder.joinpath(template).read_text("utf-8")).substitute(words)
