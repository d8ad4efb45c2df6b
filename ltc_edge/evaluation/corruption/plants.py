"""Plants that are not quite those the controller was trained for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray, IntArray
from ltc_edge.evaluation.corruption.draws import generators
from ltc_edge.tasks.protocol import PlantBatch, Readings


class VariedPlants:
    """Each episode with its own plant, of which each parameter is off by the same factor up or down.

    Which are up and which are down is a row of an orthogonal array, drawn for each episode: each parameter is
    up in half of the rows, whatever any other one is. Episodes of the same row share a batch of plants, so
    that there are few: 8 for up to 7 parameters. Itself a ``PlantBatch``.
    Source: Plackett & Burman, *Biometrika* 33 (1946), 305–325, for powers of two.

    Args:
        make: plants with each parameter named times its factor.
        parameters: their names.
        factor: at least 1.
    """

    def __init__(
        self, make: Callable[[Mapping[str, float]], PlantBatch], parameters: Sequence[str], factor: float
    ) -> None:
        self._make, self._parameters, self._factor = make, tuple(parameters), factor
        self._batches: dict[tuple[float, ...], PlantBatch] = {}
        self._groups: list[tuple[PlantBatch, IntArray]] = []
        self._readings: list[Readings] = []

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes."""
        rows_of_array = 1 << len(self._parameters).bit_length()
        drawn = [
            self._factors(int(rng.integers(rows_of_array))) for rng in generators("plant-parameters", seeds)
        ]
        self._groups, self._readings = [], []
        for factors in sorted(set(drawn)):
            if factors not in self._batches:
                self._batches[factors] = self._make(dict(zip(self._parameters, factors, strict=True)))
            rows = np.array([row for row, own in enumerate(drawn) if own == factors])
            self._groups.append((self._batches[factors], rows))
            self._readings.append(self._batches[factors].reset([seeds[row] for row in rows.tolist()]))
        return self._together()

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows."""
        for index, (plants, rows) in enumerate(self._groups):
            if active[rows].any():
                self._readings[index] = plants.step(action[rows], active[rows])
            else:
                resting = np.zeros(len(rows))
                self._readings[index] = dataclasses.replace(self._readings[index], reward=resting)
        return self._together()

    def close(self) -> None:
        """Close all plants."""
        for plants in self._batches.values():
            plants.close()
        self._batches.clear()

    def _factors(self, row: int) -> tuple[float, ...]:
        """Of each parameter: a row of a Hadamard matrix in Sylvester's order, without its constant column."""
        down = [(row & column).bit_count() % 2 for column in range(1, len(self._parameters) + 1)]
        return tuple(1.0 / self._factor if each else self._factor for each in down)

    def _together(self) -> Readings:
        """The groups' readings in the order of the episodes."""
        order = np.argsort(np.concatenate([rows for _, rows in self._groups]))
        return Readings(
            **{
                field.name: np.concatenate([getattr(own, field.name) for own in self._readings])[order]
                for field in dataclasses.fields(Readings)
            }
        )
