"""The pack: every kind of corruption and its five severities, as data with a published hash.

Whatever is measured with a pack names its version and SHA-256, so that figures of different people and years
can be compared. A change of any number here is a new version. ``docs/robustness.md`` has the same table.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SEVERITIES = (1, 2, 3, 4, 5)

SIGMA = "σ"
PERIODS = "periods"
SHARE = "probability"


@dataclass(frozen=True)
class Kind:
    """A kind of corruption.

    Attributes:
        name: as on the command line.
        what: what is done, in words; of which the hash knows nothing.
        unit: of the levels.
        neutral: the level that changes nothing.
        levels: one a severity, from the mildest.
        constants: numbers that are the same at every severity.
    """

    name: str
    what: str
    unit: str
    neutral: float
    levels: tuple[float, float, float, float, float]
    constants: Mapping[str, float] = field(default_factory=dict)

    def level(self, severity: int) -> float:
        """The level of a severity from 1 to 5; of 0, the neutral one."""
        return self.levels[severity - 1] if severity else self.neutral


@dataclass(frozen=True)
class Pack:
    """A version of the pack.

    Attributes:
        version: counts up with every change.
        kinds: in the order of reports.
        scale_seed, scale_episodes, scale_steps, scale_shake: the demonstrations of the expert over which
            σ of a channel is taken: first seed, how many, their most steps, and the standard deviation
            of the noise on actions in halves of the actuator's range; see `channel_scales`.
    """

    version: int
    kinds: tuple[Kind, ...]
    scale_seed: int
    scale_episodes: int
    scale_steps: int
    scale_shake: float

    def document(self) -> dict[str, Any]:
        """All that defines the pack, as JSON has it; words that only describe are left out."""
        document = dataclasses.asdict(self)
        for kind in document["kinds"]:
            del kind["what"]
        return document

    @property
    def sha256(self) -> str:
        """Of the document with its keys sorted and no spaces, in UTF-8."""
        text = json.dumps(self.document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def __getitem__(self, name: str) -> Kind:
        return next(kind for kind in self.kinds if kind.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the kinds."""
        return tuple(kind.name for kind in self.kinds)


PACK = Pack(
    version=1,
    kinds=(
        Kind(
            "noise",
            "white Gaussian noise on every reading, of this standard deviation",
            SIGMA,
            0.0,
            (0.02, 0.05, 0.1, 0.3, 1.0),
        ),
        Kind(
            "bias",
            "a constant offset, its sign drawn for each episode and channel",
            SIGMA,
            0.0,
            (0.05, 0.1, 0.2, 0.5, 1.0),
        ),
        Kind(
            "drift",
            "an offset that grows by this much in 100 periods, its sign drawn for each episode and channel",
            SIGMA,
            0.0,
            (0.02, 0.05, 0.1, 0.2, 0.5),
        ),
        Kind(
            "quantisation",
            "readings rounded to the nearest multiple of this step",
            SIGMA,
            0.0,
            (0.05, 0.1, 0.3, 1.0, 2.0),
        ),
        Kind(
            "dropout",
            "each reading of each channel is lost with this probability; the last that came stays",
            SHARE,
            0.0,
            (0.02, 0.05, 0.1, 0.2, 0.4),
        ),
        Kind(
            "stuck",
            "now and then one channel freezes for this long",
            PERIODS,
            0.0,
            (1.0, 2.0, 4.0, 8.0, 16.0),
            {"mean_gap_periods": 20.0},
        ),
        Kind(
            "delay",
            "readings are this old; between two of them, interpolated",
            PERIODS,
            0.0,
            (0.1, 0.25, 0.5, 1.0, 2.0),
        ),
        Kind(
            "jitter",
            "a step is late by one period with this probability, the action held; dt tells",
            SHARE,
            0.0,
            (0.02, 0.05, 0.1, 0.2, 0.4),
        ),
        Kind(
            "sample-rate",
            "the controller is called this many times more seldom, the action held; dt tells",
            PERIODS,
            1.0,
            (1.1, 1.25, 1.5, 2.0, 3.0),
        ),
        Kind(
            "spikes",
            "a reading is off by 5 σ either way with this probability",
            SHARE,
            0.0,
            (0.0001, 0.001, 0.01, 0.03, 0.1),
            {"height_sigma": 5.0},
        ),
        Kind(
            "gain",
            "readings are too large or too small by this share, drawn for each episode and channel",
            "share of the reading",
            0.0,
            (0.005, 0.02, 0.05, 0.1, 0.3),
        ),
        Kind(
            "actuator-lag",
            "the actuator follows its command with a first-order lag of this time constant",
            PERIODS,
            0.0,
            (0.1, 0.25, 0.5, 1.0, 3.0),
        ),
        Kind(
            "plant-parameters",
            "each physical parameter is multiplied or divided by this factor, drawn for each episode",
            "factor",
            1.0,
            (1.05, 1.1, 1.25, 1.5, 2.0),
        ),
    ),
    scale_seed=500_000,
    scale_episodes=32,
    scale_steps=200,
    scale_shake=0.1,
)
