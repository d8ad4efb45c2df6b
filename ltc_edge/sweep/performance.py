"""How well an exported controller does its task, on episodes and recordings that are the search's own.

What is searched on flatters: the best of many trials is partly the luckiest. So the figures that are
reported at the end, of test recordings and of episodes from seed 0 on, must not be those of the search: it
plays episodes of its own, and scores the recordings that also choose the checkpoint.
"""

from __future__ import annotations

import dataclasses

from ltc_edge.controller import Controller
from ltc_edge.evaluation.closed_loop import check_fit
from ltc_edge.evaluation.recordings import evaluate_recordings
from ltc_edge.evaluation.rollout import Policy, open_plants, rollout
from ltc_edge.logs import Dataset
from ltc_edge.verification.task_trial import Loaded

SEARCH_SEED = 450_000
"""Of the first episode: above evaluation's and calibration's, below scaling's and training's."""


def performance(loaded: Loaded, controller: Controller, policy: Policy, episodes: int) -> float:
    """The mean return of the closed loop, or the metric on the validation recordings.

    Args:
        loaded: the task, or the recordings.
        controller: whose signals must be those of ``loaded``.
        policy: what executes it.
        episodes: of a closed loop.

    Raises:
        InputError: the controller does not fit.
        TaskError: the plant misbehaves.
        ControllerFileError: the controller gave its fallback.
    """
    if isinstance(loaded, Dataset):
        searched = dataclasses.replace(loaded, test=loaded.validation)
        return evaluate_recordings(searched, controller, policy=policy).value
    check_fit(loaded, controller)
    with open_plants(loaded) as plants:
        played = rollout(loaded, plants, policy, range(SEARCH_SEED, SEARCH_SEED + episodes))
    return float(played.returns.mean())
