"""Fields of a JSON document that somebody else wrote: each is checked when it is read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError

MAX_BYTES = 1 << 24
"""A profile of every format with all its histograms is a hundredth of it."""


def clean(text: str) -> str:
    """``text`` on one line, without what has no shape: control characters, overrides of direction."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


class Fields:
    """An object of a document; a field that is absent or null is None, one of another type is refused.

    Args:
        document: the object.
        where: the file, and the path to the object in it.
    """

    def __init__(self, document: Any, where: str) -> None:
        if not isinstance(document, dict):
            raise InputError(f"{where}: must be an object, not {_shown(document)}")
        self._document: Mapping[str, Any] = document
        self._where = where

    @property
    def where(self) -> str:
        """The file, and the path to the object in it."""
        return self._where

    def text(self, name: str) -> str | None:
        """A text, as `clean` leaves it."""
        value = self._get(name, str, "text")
        return None if value is None else clean(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        values = self._get(name, list, "a list of texts") or []
        return tuple(clean(value) for value in values if self._is(value, str, name, "a list of texts"))

    def number(self, name: str) -> float | None:
        """A finite number."""
        value = self._document.get(name)
        return None if value is None else self._finite(value, name)

    def numbers(self, name: str) -> tuple[float, ...]:
        """A list of finite numbers; empty where there is none."""
        return tuple(self._finite(value, name) for value in self._get(name, list, "a list of numbers") or [])

    def count(self, name: str) -> int | None:
        """A whole number that is not negative; one with a fraction, as a mean has, is rounded."""
        value = self.number(name)
        if value is not None and value < 0:
            raise InputError(f"{self._where}: {name} must not be negative, and is {value:g}")
        return None if value is None else round(value)

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value: bool | None = self._get(name, bool, "true or false")
        return value

    def scalar(self, name: str) -> str | int | float | bool | None:
        """A text, a finite number, whole or not, or true or false."""
        value = self._document.get(name)
        if isinstance(value, str):
            return clean(value)
        if value is None or isinstance(value, bool):
            return value
        number = self._finite(value, name)
        return value if isinstance(value, int) else number

    def inside(self, name: str) -> Fields:
        """An object; an empty one where there is none."""
        value = self._document.get(name)
        return Fields({} if value is None else value, f"{self._where}: {name}")

    def items(self, name: str) -> tuple[Fields, ...]:
        """A list of objects; empty where there is none."""
        values = self._get(name, list, "a list") or []
        return tuple(Fields(value, f"{self._where}: {name}[{place}]") for place, value in enumerate(values))

    def by_name(self, name: str) -> Iterator[tuple[str, Fields]]:
        """The objects in the object ``name``, in its order."""
        for key, value in (self._get(name, dict, "an object") or {}).items():
            if value is not None:
                yield clean(key), Fields(value, f"{self._where}: {name}: {clean(key)}")

    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(self._document)

    def _get(self, name: str, kind: type, what: str) -> Any:
        value = self._document.get(name)
        if value is not None:
            self._is(value, kind, name, what)
        return value

    def _is(self, value: Any, kind: type, name: str, what: str) -> bool:
        if not isinstance(value, kind):
            raise InputError(f"{self._where}: {clean(name)} must be {what}, not {_shown(value)}")
        return True

    def _finite(self, value: Any, name: str) -> float:
        try:
            number = (
                float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
            )
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise InputError(f"{self._where}: {clean(name)} must be a finite number, not {_shown(value)}")
        return number


def _shown(value: Any) -> str:
    """A value in a message: short, whatever it is."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = (
        "null"
        if value is None
        else clean(str(value)[:40])
        if not isinstance(value, int)
        else f"{value!s:.40}"
    )
    return text if not isinstance(value, str) else f"{text!r}"


def fields_from_bytes(content: bytes, where: str) -> Fields:
    """The object in a JSON file's content.

    Raises:
        InputError: it is no JSON, or no object.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(f"{where}: is not a JSON file, or is damaged") from None
    return Fields(document, where)


def read_fields(path: Path) -> Fields:
    """The object in a JSON file.

    Raises:
        InputError: there is no such file, it is too large, or `fields_from_bytes` refuses it.
    """
    try:
        if not path.is_file():
            folder = "is a folder; name the profile.json in it"
            odd = folder if path.is_dir() else "is not a file" if path.exists() else "no such file"
            raise InputError(f"{path}: {odd}")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: is larger than any profile (over {MAX_BYTES >> 20} MiB)")
    return fields_from_bytes(content, str(path))
