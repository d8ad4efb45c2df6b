"""What can be said of a Ray engine, and what it means to Ray."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ltc_edge.errors import InputError

Code = Literal["ship", "installed"]


@dataclass(frozen=True)
class RayOptions:
    """What a Ray engine works with.

    Attributes:
        address: of the cluster, ``auto`` or ``host:port``; None for an instance of its own on this machine.
        workers: replicates at once. None for as many as the nodes have room for, on this machine one a core.
            With an address it may be more than that: a cluster that grows on demand grows by what waits.
        cpus, gpus: that a replicate takes of its node.
        memory: bytes that a replicate takes of its node.
        code: ``ship`` sends this ltc-edge to the nodes; with ``installed`` they have it, of this version.
        files: what replicates read besides, such as recordings or a module with a task: below the current
            folder, and sent with the code. Workers find it by the same relative path.
    """

    address: str | None = None
    workers: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = 1 << 30
    code: Code = "ship"
    files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.address is not None and "://" in self.address:
            raise InputError(
                f"--address {self.address}: Ray Client is not supported, it would lose a sweep with its "
                "connection; start the sweep on a node of the cluster with --address auto"
            )
        if self.workers is not None and self.workers < 1:
            raise InputError(f"{self.workers} workers do nothing; give 1 or more")
        if not (self.cpus > 0 and self.gpus >= 0 and self.memory > 0):
            raise InputError("a replicate takes some of a processor and of memory")
        if self.files and self.code == "installed":
            raise InputError("files are sent with the code alone; put them where all nodes see them")

    @property
    def resources(self) -> dict[str, float]:
        """That a replicate takes, by Ray's names of them."""
        return {"CPU": self.cpus, "memory": self.memory} | ({"GPU": self.gpus} if self.gpus else {})

    @property
    def task(self) -> dict[str, Any]:
        """Options of the Ray task of a replicate.

        Whether lost work is done again is not Ray's to say, and a worker serves many replicates, also where
        they use a GPU: importing takes longer than a short training.
        """
        return {
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "memory": self.memory,
            "max_retries": 0,
            "max_calls": 0,
        }


def room(nodes: Iterable[Mapping[str, Any]], resources: Mapping[str, float]) -> int:
    """How many replicates that take ``resources`` the nodes of `ray.nodes` do at once.

    Counted node by node: two halves of a processor are of no use on two machines.
    """
    return sum(
        min(math.floor(node["Resources"].get(name, 0) / wanted) for name, wanted in resources.items())
        for node in nodes
        if node["Alive"]
    )
