"""What to change where recordings ask for a longer memory than the network that was trained on them has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.cells.spec import GatedSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.memory.decay import Decay
from ltc_edge.evaluation.memory.dependency import Dependency, find_dependency, told_within
from ltc_edge.evaluation.memory.gradient import gradients_by_lag
from ltc_edge.evaluation.memory.histories import history_of, sequences_of
from ltc_edge.logs import METRICS, Dataset, Segment
from ltc_edge.network import Network

SEQUENCES = 64
DIRECTIONS = 12
"""Sequences, and directions of the state, of the gradient: enough for its order of magnitude."""

LEARNED = 0.1
"""Of what a constant guess leaves: a network that takes off less has learned next to nothing."""

LEARNABLE = 0.05
"""Of the variance that is left: what inputs within reach must tell linearly to blame training, not memory."""

CHANCE = 3.0
"""Standard errors of an accuracy: less above a constant guess is chance."""


@dataclass(frozen=True)
class MemoryAdvice:
    """What was found of a network's memory on its data.

    Attributes:
        horizon: last lag at which the gradient of the state has not fallen to 1 % of its peak; None where it
            has not within a window.
        dependency: of the target on inputs beyond that, or beyond the window; None where none is found.
        share: of the peak, the gradient at the dependency's lag; None without one, and past the window.
        advice: one line for the user, or None where there is nothing to say.
    """

    horizon: int | None
    dependency: Dependency | None
    share: float | None
    advice: str | None

    def to_json(self, data: Dataset) -> dict[str, Any]:
        """For ``summary.json``."""
        found = self.dependency
        return {
            "horizon": self.horizon,
            "dependency": None
            if found is None
            else {
                "lag": found.lag,
                "input": data.input_names[found.channel],
                "squared": found.squared,
                "gain": found.gain,
                "p_value": found.p_value,
                "gradient_share": self.share,
            },
            "advice": self.advice,
        }


def advise(data: Dataset, controller: Controller, value: float) -> MemoryAdvice:
    """Measure the network's reach and the data's dependency beyond it; a second or two.

    Only the training and validation splits are looked at.

    Args:
        data: the recordings.
        controller: trained on them.
        value: its validation figure, ``data.metric``.
    """
    segments = (*data.train.segments, *data.validation.segments)
    decay = gradients_by_lag(
        controller, sequences_of(segments, data.window_length, SEQUENCES), directions=DIRECTIONS
    ).state
    reach = data.window_length - 1 if decay.horizon is None else decay.horizon
    history = history_of(data, Network(controller), segments)
    found = None if history is None else find_dependency(history, reach)
    if found is not None:
        share = float(decay.share[found.lag]) if found.lag < data.window_length else None
        return MemoryAdvice(decay.horizon, found, share, _on_dependency(data, controller, found, share))
    if history is None or decay.horizon is None or _has_memory(controller) or _has_learned(data, value):
        return MemoryAdvice(decay.horizon, None, None, None)
    # Where inputs within reach tell the target, the network has only not been trained for long enough.
    learnable = told_within(history, reach) > LEARNABLE
    return MemoryAdvice(
        decay.horizon, None, None, None if learnable else _on_nothing_learned(data, decay, value)
    )


def _has_memory(controller: Controller) -> bool:
    return isinstance(controller.cell, GatedSpec | MixedMemorySpec)


def _on_dependency(
    data: Dataset, controller: Controller, found: Dependency, share: float | None
) -> str | None:
    target = data.target_names[0] if len(data.target_names) == 1 else "targets"
    what = f"{data.input_names[found.channel]!r}{' squared' if found.squared else ''} {found.lag} steps back"
    saying = f"{target} depends on {what} ({found.gain:.0%} of its variance)"
    memory = "" if _has_memory(controller) else " --mixed-memory"
    if share is None:
        window = 2 ** math.ceil(math.log2(found.lag + 2))
        shown = f"further than a window of {data.window_length} rows shows"
        return f"{saying}, {shown}: try --window {window}{memory}"
    if not memory:
        return None
    return f"{saying}, which this network cannot carry (gradient {share:.0e} there): try{memory}"


def _on_nothing_learned(data: Dataset, decay: Decay, value: float) -> str:
    return (
        f"{data.metric} {value:.3g} is hardly better than a constant guess, and inputs more than "
        f"{decay.horizon} of {data.window_length} steps back do not reach this network's state: "
        "if the target depends on them, try --mixed-memory"
    )


def _has_learned(data: Dataset, value: float) -> bool:
    """Whether the validation figure is better than a constant guess by more than chance and a trifle."""
    guess, error = _constant_guess(data)
    if METRICS[data.metric].lower_is_better:
        return value < (1.0 - LEARNED) * guess
    return value > guess + max(CHANCE * error, LEARNED * (1.0 - guess))


def _constant_guess(data: Dataset) -> tuple[float, float]:
    """The metric on the validation split of the commonest class or the mean in training, and its error."""
    train, validation = (_counted(split.segments) for split in (data.train, data.validation))
    if data.kind == "classification":
        guess: Any = np.bincount(train.astype(np.int64)).argmax()
    else:
        guess = train.mean(axis=0)
    value = METRICS[data.metric].compute(np.broadcast_to(guess, validation.shape), validation)
    return value, math.sqrt(max(value * (1.0 - value), 0.0) / len(validation)) if value <= 1.0 else 0.0


def _counted(segments: tuple[Segment, ...]) -> Any:
    """Targets of all rows that count."""
    parts = [s.targets if s.scored is None else s.targets[s.scored] for s in segments]
    return np.concatenate(parts)
