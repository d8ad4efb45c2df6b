"""What cells are compared on: three control tasks and three recordings, each with its settings.

Settings are the product's defaults for the task, shortened: for every cell the same learning rate, the same
rounds, updates and windows at most, the same rule to stop. The defaults were chosen for the LTC.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ltc_edge.logs import LOG_TASKS
from ltc_edge.training.defaults import log_defaults, task_defaults
from ltc_edge.training.options import ImitationOptions, ModelOptions, PredictionOptions
from ltc_edge.training.sources import ClosedLoopSource, DataSource, LogTaskSource, TaskSource

CONTROL = ("cartpole", "dc-motor", "inverted-double-pendulum")
RECORDINGS = ("emps", "occupancy", "half-cheetah")
SUBJECTS = (*CONTROL, *RECORDINGS)

SHORT = ImitationOptions(
    rounds=8,
    updates=100,
    batch=64,
    window=16,
    burn_in=6,
    episodes=24,
    validation_episodes=8,
    anneal_rounds=1,
)
IMITATION = {
    # Longer: it is learned well or hardly at all. The rest is its own default.
    "inverted-double-pendulum": dataclasses.replace(
        task_defaults("inverted-double-pendulum").imitation,
        rounds=12,
        updates=150,
        episodes=24,
        validation_episodes=4,
        anneal_rounds=2,
    ),
    # No return is enough here, so that all rounds are done.
    "dc-motor": dataclasses.replace(SHORT, validate_every=8),
    "cartpole": SHORT,
}
EPOCHS = {"emps": 16, "occupancy": 1, "half-cheetah": 2}


@dataclass(frozen=True)
class Subject:
    """A task or a set of recordings, and how every cell is trained on it.

    Attributes:
        name: as on the command line.
        source: what is learned from.
        options: of the training, the same for all cells.
        model: the product's default network, an LTC, whose size the others match.
    """

    name: str
    source: ClosedLoopSource | DataSource
    options: ImitationOptions | PredictionOptions
    model: ModelOptions

    @property
    def in_closed_loop(self) -> bool:
        """Whether it is a control task."""
        return isinstance(self.source, ClosedLoopSource)


Effort = Literal["quick", "short", "full"]
"""How long is trained: a moment, to see that everything runs; as above; as the product does."""


def subject(name: str, data_dir: Path, effort: Effort = "short") -> Subject:
    """The subject of that name."""
    if name in LOG_TASKS:
        defaults = log_defaults(name)
        prediction = defaults.prediction
        if effort != "full":
            prediction = dataclasses.replace(prediction, epochs=1 if effort == "quick" else EPOCHS[name])
        return Subject(name, LogTaskSource(name, str(data_dir)), prediction, defaults.model)
    imitation = task_defaults(name).imitation if effort == "full" else IMITATION[name]
    if effort == "quick":
        imitation = dataclasses.replace(imitation, rounds=2, updates=4, episodes=4, validation_episodes=2)
    return Subject(name, TaskSource(name), imitation, task_defaults(name).model)
