"""One model of a sweep: what it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CellChoice = Literal["random-features", "ltc", "cfc", "ctrnn", "lstm", "gru"]
Stopped = Literal["closed-form", "fitted", "updates", "diverged"]
"""What ended training: there was none, the loss was as low as asked, the updates were used up, or the loss
was no longer finite."""


@dataclass(frozen=True)
class Settings:
    """What all models of a sweep have in common.

    Attributes:
        cell: kind of model.
        windows: training windows ``n`` of a seed.
        updates: of Adam at most, each on all windows; closed forms have none.
        learning_rate: at the start; it falls to a fiftieth by the last update (cosine).
        unfolds: solver sub-steps of LTC and CT-RNN.
    """

    cell: CellChoice
    windows: int
    updates: int
    learning_rate: float
    unfolds: int


@dataclass(frozen=True, order=True)
class Point:
    """A model of a sweep: how wide, with what share of wrong labels, from which seed."""

    width: int
    noise: float
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of a point.

    Attributes:
        parameters: of the model, effective.
        train_error, test_error: in units of `Subject.error`; training's against the labels learned.
        label_noise: error of these labels themselves.
        stopped: what ended training.
        updates: made.
        ridge_error: test error of the same features with a ridge penalty; None for networks.
        lipschitz: lower and upper bound of the Lipschitz constant, normalised: of random features from the
            whole window, over all windows, see `RandomFeatures.lipschitz`; of networks see
            `last_step_lipschitz`; None where nothing bounds it above.
    """

    parameters: int
    train_error: float
    test_error: float
    label_noise: float
    stopped: Stopped
    updates: int
    ridge_error: float | None
    lipschitz: tuple[float, float] | None
