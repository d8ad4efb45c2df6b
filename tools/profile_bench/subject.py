"""What the parts of the benchmark share: the bundle, and the state of the machine while they ran."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.export.artifacts import Artifact
from ltc_edge.profiling.inputs import Inputs, profile_inputs
from ltc_edge.profiling.jobs import Job, job_of
from ltc_edge.profiling.subject import BundleSubject, read_profile_subject


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle and what its formats are fed with.

    Attributes:
        subject: the bundle.
        inputs: of a profile.
    """

    subject: BundleSubject
    inputs: Inputs

    def artifact(self, name: str) -> Artifact:
        """A format of it."""
        return self.subject.artifacts[name]

    def job(self, name: str) -> Job:
        """What is sent of a format."""
        return job_of(self.artifact(name), self.inputs)


def read_bundle(path: Path, formats: Sequence[str] = ()) -> Bundle:
    """A bundle with some of its formats, or all."""
    subject = read_profile_subject(path, formats, ())
    assert isinstance(subject, BundleSubject)
    return Bundle(subject, profile_inputs(subject.controller))


def last_cpu() -> int:
    """The processor that a profile times steps on."""
    return max(os.sched_getaffinity(0))


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median, and the quartiles around it."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {"median": middle, "quartiles": [low, high]}


def machine_state() -> dict[str, Any]:
    """Load, and the processor time that the hypervisor gave to others since the start, in seconds."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()
    stolen = int(words[8]) / os.sysconf("SC_CLK_TCK")
    return {"load": list(os.getloadavg()), "stolen_s": stolen}
