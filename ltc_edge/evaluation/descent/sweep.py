"""A sweep: every width, with every share of wrong labels, from every seed; done, or read from before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ltc_edge.evaluation.descent.outcome import Outcome, Point, Settings
from ltc_edge.evaluation.descent.store import Store
from ltc_edge.evaluation.descent.subject import Subject, check_enough
from ltc_edge.evaluation.descent.widths import parameters
from ltc_edge.evaluation.descent.workers import run_all

SMALL = 200
"""Parameters below which a model takes as long whatever its size."""


@dataclass(frozen=True)
class Grid:
    """Which models are made: all combinations.

    Attributes:
        widths: ascending.
        noises: shares of wrong labels, ascending.
        seeds: of windows, wrong labels and weights.
    """

    widths: tuple[int, ...]
    noises: tuple[float, ...]
    seeds: tuple[int, ...]

    @property
    def points(self) -> list[Point]:
        """Seed by seed, so that what is interrupted has whole curves."""
        return [
            Point(width, noise, seed) for seed in self.seeds for noise in self.noises for width in self.widths
        ]


def fit(subject: Subject, settings: Settings, point: Point) -> Outcome:
    """Make one model, and test it."""
    if settings.cell == "random-features":
        from ltc_edge.evaluation.descent.random_features import fit_random_features

        return fit_random_features(subject, settings, point)
    from ltc_edge.evaluation.descent.network_fit import fit_network

    return fit_network(subject, settings, point)


def run_sweep(
    subject: Subject,
    settings: Settings,
    grid: Grid,
    store: Store,
    *,
    jobs: int = 1,
    on_share: Callable[[float], None] = lambda _: None,
) -> dict[Point, Outcome]:
    """Make what ``store`` has not; results are kept as they come, and do not depend on ``jobs``.

    Raises:
        InputError: there are too few windows, or a network would be too wide.
        OutputError: a result cannot be kept.
        WorkerDiedError: a process was killed.
    """
    check_enough(subject, settings.windows)
    costs = _costs(subject, settings, grid.points)
    outcomes = {point: known for point in grid.points if (known := store.read(point)) is not None}
    missing = [point for point in grid.points if point not in outcomes]
    done = sum(costs[point] for point in outcomes)
    on_share(done / sum(costs.values()))
    for point, outcome in run_all(partial(fit, subject, settings), missing, jobs):
        store.write(point, outcome)
        outcomes[point] = outcome
        done += costs[point]
        on_share(done / sum(costs.values()))
    return outcomes


def _costs(subject: Subject, settings: Settings, points: Sequence[Point]) -> Mapping[Point, float]:
    """What each point takes, roughly, for the progress bar."""
    return {point: max(SMALL, parameters(subject, settings, point.width)) for point in points}
