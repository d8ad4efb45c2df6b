"""The search space: all that it suggests can be built, and differs from all else."""

import json

import optuna
import pytest

from ltc_edge.errors import InputError
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.space import VARIABLES, Space, make_space
from ltc_edge.training.choose import reads
from ltc_edge.training.model import cell_spec
from ltc_edge.training.sources import LogTaskSource, TaskSource

CARTPOLE = TaskSource("cartpole")
CHEETAH = LogTaskSource("half-cheetah", "/nowhere")

EVERYTHING = {
    "cell": "ltc,cfc,ctrnn,lstm,gru",
    "wiring": "ncp,dense,random",
    "units": "1:20",
    "sparsity": "0.2:0.8",
    "wiring_seed": "0:9",
    "solver": "fused,exponential",
    "unfolds": "1:4",
    "backbone_units": "1:16",
    "mixed_memory": "true,false",
    "linear_readout": "true,false",
    "learning_rate": "1e-3:1e-1",
    "format": "c-int16,tflite",
}


def suggestions(space, count):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(count):
        trial = study.ask()
        yield space.suggest(trial), trial
        study.tell(trial, 0.0)


@pytest.mark.parametrize(
    ("source", "actions", "said"),
    [
        (CARTPOLE, 1, {}),
        (CARTPOLE, 1, EVERYTHING),
        (CARTPOLE, 2, {"units": "2,3,5,9"}),
        (CHEETAH, 17, {}),
        (CHEETAH, 17, EVERYTHING | {"units": "17:64"}),
    ],
)
def test_every_suggestion_is_a_network_that_can_be_built(source, actions, said):
    space = make_space(source, actions, said)
    metric = "return" if source is CARTPOLE else "mse"
    plan = MeasurementPlan(source, objectives=(metric, "error"))
    cells = set()
    for settings, trial in suggestions(space, 120):
        model = plan.training_plan(settings, 0).model
        cell_spec(model, 4, actions)
        cells.add(model.cell)
        assert settings.keys() <= VARIABLES.keys()
        assert all(reads(name, model.cell, model.wiring) for name in settings)
        for name, value in settings.items():
            if hasattr(model, name):
                assert getattr(model, name) == value
        # What was asked for is in the settings, though perhaps under a name of its own.
        assert len(trial.params) <= len(settings)
    assert len(cells) == len(said.get("cell", "ltc,cfc").split(","))


def test_the_space_of_a_task_survives_json():
    space = make_space(CARTPOLE, 1, EVERYTHING)
    document = json.loads(json.dumps(space.to_json()))
    assert Space.from_json(document, CARTPOLE, 1) == space


def test_settings_that_no_network_reads_are_left_out_of_the_defaults_and_refused_when_said():
    assert "unfolds" not in make_space(CARTPOLE, 1, {"cell": "cfc"}).ranges
    assert "backbone_units" not in make_space(CARTPOLE, 1, {"cell": "ltc"}).ranges
    with pytest.raises(InputError, match="--unfolds: no network of this sweep would read it"):
        make_space(CARTPOLE, 1, {"cell": "cfc", "unfolds": "1:4"})


@pytest.mark.parametrize(
    ("actions", "said", "why"),
    [
        (1, {"wiring": "random", "cell": "ltc,cfc"}, "--wiring random has none for --cell cfc"),
        (17, {"units": "4:19"}, "--wiring ncp this task needs at least 20 units"),
        (1, {"sparsity": "0:0.8"}, "of an NCP it is from 0.1 to 0.9"),
        (1, {"unit": "4"}, "did you mean units?"),
        (1, {"format": "c-int8"}, "--format: 'c-int8' is none of onnx"),
        (1, {"learning_rate": "0.1:2"}, "--learning-rate 0.1:2: 2 is not from"),
    ],
)
def test_spaces_that_hold_nothing_are_refused(actions, said, why):
    with pytest.raises(InputError) as refusal:
        make_space(CARTPOLE, actions, said)
    assert why in str(refusal.value)


def test_a_foreign_document_is_no_space():
    with pytest.raises(InputError, match="unknown variables colour"):
        Space.from_json({"colour": ["red"], "format": ["c-int16"]}, CARTPOLE, 1)
