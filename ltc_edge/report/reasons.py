"""Why formats are not there: those with the same reason are told together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Formats that share a status with its code, and a sentence."""

    formats: str
    status: str
    detail: str


def shared_reasons(found: Iterable[tuple[str, str, str | None, str | None]]) -> list[Reason]:
    """Reasons of formats, given as name, status, code and sentence.

    A sentence may begin with the format's own name; without it, it may be that of others too.
    """
    names: dict[tuple[str, str], list[str]] = {}
    for name, status, code, detail in found:
        said = (detail or "no reason was recorded").removeprefix(f"{name} ")
        names.setdefault((f"{status} ({code})" if code else status, said), []).append(name)
    return [Reason(", ".join(formats), status, said) for (status, said), formats in names.items()]
