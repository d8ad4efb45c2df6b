"""A generated controller as a set of C files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ltc_edge.errors import InputError

StateType = Literal["float32", "int16"]
ITEM_BYTES: Mapping[StateType, int] = {"float32": 4, "int16": 2}


@dataclass(frozen=True, eq=False)
class CSources:
    """What a writer of C makes of a controller.

    Attributes:
        name: what every name of its interface begins with.
        files: content of each file by its name, ``.h`` and ``.c``; the runtime's that it calls included.
        state_type: type of the items in its context.
    """

    name: str
    files: Mapping[str, bytes]
    state_type: StateType

    def version(self) -> str:
        """What ``<name>_version`` returns: it names the parameters' CRC-32.

        Raises:
            InputError: the sources are not those of a controller of this name.
        """
        text = self.files.get(f"{self.name}.c", b"").decode("ascii", errors="replace")
        found = re.search(rf'{self.name}_version\(void\)\s*\{{\s*return "([^"\n]*)";', text)
        if found is None:
            raise InputError(f"the sources are not of a controller {self.name!r}: its version is not there")
        return found[1]

    @property
    def item_bytes(self) -> int:
        """Bytes of an item of its state."""
        return ITEM_BYTES[self.state_type]
