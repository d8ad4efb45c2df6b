"""Stack of a step on a Cortex-M4, from what the compiler says of each function and who calls whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assurance.building import call, write
from assurance.subjects import NAME, Subject
from ltc_edge.errors import CheckFailedError

COMPILER = "arm-none-eabi-gcc"
FLAGS = (
    "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-std=c99", "-ffp-contract=off",
    "-fstack-usage", "-fcallgraph-info=su",
)  # fmt: skip
ENTRIES = ("step", "reset", "check", "selftest")
_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes \((\w+)[^"]*"')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


@dataclass(frozen=True)
class Graph:
    """Bytes of each function, how the compiler calls their number, and the functions that each calls."""

    bytes: Mapping[str, int]
    kind: Mapping[str, str]
    calls: Mapping[str, frozenset[str]]

    def deepest(self, function: str, above: tuple[str, ...] = ()) -> int:
        """Bytes of the stack when the deepest callee of a function runs.

        Raises:
            CheckFailedError: it calls itself, or something that the compiler says nothing of.
        """
        if function in above:
            raise CheckFailedError(f"recursion: {' -> '.join((*above, function))}")
        if function not in self.bytes:
            raise CheckFailedError(f"nothing is known of the stack of {function}")
        inner = (self.deepest(callee, (*above, function)) for callee in self.calls.get(function, ()))
        return self.bytes[function] + max(inner, default=0)


def stack(subject: Subject, level: str, folder: Path) -> dict[str, Any]:
    """Worst stack of every function of the interface, compiled at one level.

    Returns:
        ``ok`` where every function's use is static, nothing recurses and all callees are known; ``bytes`` by
        function of the interface; functions that are ``not_static``.

    Raises:
        InputError: the cross compiler is not installed.
        CheckFailedError: it fails, or a function recurses.
    """
    write(subject.sources.files, folder)
    sources = sorted(name for name in subject.sources.files if name.endswith(".c"))
    call([COMPILER, *FLAGS, level, "-c", *sources], folder)
    graph = read_graph("".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ci"))))
    dynamic = sorted(name for name, kind in graph.kind.items() if kind != "static")
    return {
        "ok": not dynamic,
        "bytes": {entry: graph.deepest(f"{NAME}_{entry}") for entry in ENTRIES},
        "not_static": dynamic,
    }


def read_graph(text: str) -> Graph:
    """The graph in the compiler's call graph files, joined; static functions bear their file's name."""
    nodes = {title: (int(size), kind) for title, size, kind in _NODE.findall(text)}
    calls: dict[str, set[str]] = {}
    for source, target in _EDGE.findall(text):
        calls.setdefault(source, set()).add(target)
    return Graph(
        {name: size for name, (size, _) in nodes.items()},
        {name: kind for name, (_, kind) in nodes.items()},
        {name: frozenset(targets) for name, targets in calls.items()},
    )
