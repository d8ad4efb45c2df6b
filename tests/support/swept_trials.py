"""Trials as a sweep leaves them; all figures are made up."""

import numpy as np

from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.front import Figure, TrialResult, broken_limits, figure_over_seeds
from ltc_edge.sweep.objectives import read_objectives
from ltc_edge.sweep.swept import Swept

GOALS = read_objectives("return,instructions,error")
HOSTILE = "</script><script>alert('x')</script> & \"co\""


def make_result(number, figures, *, state="complete", reason=None, budget="", seeds=(0, 1), **settings):
    """A trial; a figure is a number, of a single seed, or a list of one a seed."""
    read = {
        name: value if isinstance(value, Figure) else figure_over_seeds(np.atleast_1d(value).tolist())
        for name, value in figures.items()
    }
    is_complete = state == "complete"
    return TrialResult(
        number=number,
        settings={"cell": "ltc", "units": 8, "format": "c-int16"} | settings,
        state=state,
        reason=reason,
        figures=read,
        broken=broken_limits(read_budget(budget), read) if budget and is_complete else (),
        seconds=12.5 + number,
        seeds=seeds if is_complete else (),
        best_seed=seeds[-1] if is_complete else None,
        run_folder=f"trials/{number:04d}/seed-{seeds[-1]}" if is_complete else None,
    )


def make_swept(count, seed=0, *, task="inverted-double-pendulum", seeds=3):
    """A sweep of ``count`` trials: larger controllers return more and take longer; some end early."""
    rng = np.random.default_rng(seed)
    budget = read_budget("flash<8192,return>3000")
    results = []
    for number in range(count):
        units = int(rng.integers(4, 33))
        cell = "ltc" if rng.random() < 0.6 else "cfc"
        form = "c-int16" if rng.random() < 0.6 else "c-float32"
        settings = {"cell": cell, "units": units, "format": form, "wiring": "ncp"}
        settings |= {"unfolds": int(rng.integers(1, 5))} if cell == "ltc" else {"backbone_units": 16}
        ending = rng.random()
        if ending < 0.2 and count > 5:
            reason = f"round {number % 5}: {number} is less than {number + 40.5}"
            results.append(make_result(number, {}, state="pruned", reason=reason, **settings))
            continue
        if ending < 0.24 and count > 5:
            reason = "the loss became non-finite in round 2"
            results.append(make_result(number, {}, state="failed", reason=reason, **settings))
            continue
        load = units**2 * settings.get("unfolds", 2)
        middle = 9360 * (1 - np.exp(-load / 150)) * rng.uniform(0.9, 1.0)
        size = (1.0 if form == "c-int16" else 2.1) * rng.uniform(0.9, 1.1)
        figures = {
            "return": (middle + rng.normal(0, 120, seeds)).tolist(),
            "instructions": (900 + size * (6 * load + rng.integers(0, 40, seeds))).tolist(),
            "error": (rng.uniform(0.5, 1.5, seeds) * (0.02 if form == "c-int16" else 1e-5)).tolist(),
            "flash": [3000 + 4 * units**2 * size] * seeds,
            "parameters": [float(units * 14 + 3)] * seeds,
        }
        results.append(
            make_result(number, figures, budget=str(budget), seeds=tuple(range(seeds)), **settings)
        )
    return Swept(task, GOALS, budget, "cortex-m4", tuple(results))
