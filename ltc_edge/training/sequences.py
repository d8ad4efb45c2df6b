"""The aggregated data of imitation: episodes, and windows drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.rollout import Episodes
from ltc_edge.training.options import ImitationOptions

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Batch:
    """``B`` windows of ``L`` steps.

    Attributes:
        observation: ``(B, L, I)``.
        dt_s: ``(B, L)``.
        expert_action: ``(B, L, M)``.
        advantage: what each action of the task's grid gains over the expert's, at most 0, ``(B, L, K)``;
            ``K`` is 0 where the task has no action values.
        weight: 1 for steps that are scored, 0 for burn-in and padding, ``(B, L)``.
    """

    observation: Float32
    dt_s: Float32
    expert_action: Float32
    advantage: Float32
    weight: Float32


def episode_arrays(episodes: Episodes, advantage: FloatArray) -> dict[str, FloatArray]:
    """What is kept of episodes, as named float32 arrays; ``advantage`` is ``(E, T, K)``."""
    return {
        "observation": episodes.observation.astype(np.float32),
        "dt_s": episodes.dt_s.astype(np.float32),
        "expert_action": episodes.expert_action.astype(np.float32),
        "advantage": advantage.astype(np.float32),
        "length": episodes.length.astype(np.float32),
    }


class SequenceStore:
    """All episodes so far, padded to one length so that a batch is one indexing operation."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._parts: list[dict[str, FloatArray]] = []
        self._joined: dict[str, FloatArray] = {}

    def add(self, arrays: Mapping[str, FloatArray]) -> None:
        """Add what `episode_arrays` gave."""
        padded = {}
        for name, array in arrays.items():
            missing = self._steps - array.shape[1] if array.ndim > 1 else 0
            width = [(0, 0), (0, missing)] + [(0, 0)] * (array.ndim - 2) if array.ndim > 1 else 0
            # The last step is repeated, since dt must stay positive. Contiguous, because the order of sums in
            # later products follows the memory layout, and a resumed run must repeat every bit.
            padded[name] = np.ascontiguousarray(np.pad(array, width, mode="edge"))
        self._parts.append(padded)
        self._joined = {}

    def observations(self) -> FloatArray:
        """Every observation that belongs to an episode, ``(any, I)``."""
        joined = self._join()
        valid = np.arange(self._steps)[None, :] < joined["length"][:, None]
        selected: FloatArray = joined["observation"][valid]
        return selected

    def sample(self, rng: np.random.Generator, options: ImitationOptions) -> Batch:
        """Draw windows: some from the start of an episode, the rest wherever there is room for one."""
        joined = self._join()
        length = joined["length"].astype(np.int64)
        window, batch = min(options.window, self._steps), options.batch
        # Episodes in proportion to their steps, so that every step is equally likely.
        episode = rng.choice(len(length), size=batch, p=length / length.sum())
        latest = np.maximum(length[episode] - window, 0)
        start = np.where(rng.random(batch) < options.fresh_share, 0, rng.integers(0, latest + 1))
        step = start[:, None] + np.arange(window)[None, :]
        inside = step < length[episode][:, None]
        burned = (start[:, None] == 0) | (np.arange(window)[None, :] >= min(options.burn_in, window - 1))
        index = (episode[:, None], np.minimum(step, self._steps - 1))
        return Batch(
            observation=joined["observation"][index],
            dt_s=joined["dt_s"][index],
            expert_action=joined["expert_action"][index],
            advantage=joined["advantage"][index],
            weight=(inside & burned).astype(np.float32),
        )

    def _join(self) -> dict[str, FloatArray]:
        if not self._joined:
            names = self._parts[0].keys()
            self._joined = {name: np.concatenate([part[name] for part in self._parts]) for name in names}
        return self._joined
