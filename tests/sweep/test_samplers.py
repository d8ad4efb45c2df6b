"""Samplers draw from their seed alone, and evolution hands on what only some networks have."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna")
import optuna

from ltc_edge.sweep.samplers import make_sampler


def suggest(trial):
    kind = trial.suggest_categorical("cell", ["ltc", "cfc"])
    return trial.suggest_int("unfolds", 1, 1000) if kind == "ltc" else None


@pytest.mark.parametrize("kind", ["nsga2", "tpe", "random"])
def test_the_same_seed_draws_the_same(kind):
    drawn = []
    for seed in ((0, 1), (0, 1), (0, 2)):
        study = optuna.create_study(sampler=make_sampler(kind, 4, seed))
        drawn.append([study.ask().suggest_float("x", 0.0, 1.0) for _ in range(3)])
    assert drawn[0] == drawn[1] != drawn[2]


def test_conditional_variables_are_inherited():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=["minimize", "minimize"])
    first = set()
    inherited = 0
    for number in range(60):
        study.sampler = make_sampler("nsga2", 6, (0, number))
        trial = study.ask()
        unfolds = suggest(trial)
        cost = float(unfolds or 500)
        study.tell(trial, [cost, -cost])  # nothing is better than anything else
        if unfolds is not None and number >= 12:
            inherited += unfolds in first
        first.add(unfolds)
    assert inherited >= 4  # of a thousand values, chance repeats hardly any: 0 of 25 without heredity
