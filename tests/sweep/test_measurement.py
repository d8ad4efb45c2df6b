"""What is to be measured, as data."""

import json

import pytest

from ltc_edge.errors import ControllerFileError, InputError, MissingToolError
from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.measurement import MeasurementPlan, default_objectives, metric_of
from ltc_edge.sweep.tools import check_tools
from ltc_edge.training.sources import LogTaskSource, RecordingsSource, TaskSource

CARTPOLE = TaskSource("cartpole")
CHEETAH = LogTaskSource("half-cheetah", "/nowhere")


@pytest.mark.parametrize(
    "plan",
    [
        MeasurementPlan(CARTPOLE),
        MeasurementPlan(CARTPOLE, budget=read_budget("flash<8192,return>=-1.5"), proxy=True, episodes=3),
        MeasurementPlan(CHEETAH, {"rounds": 3}, ("mse", "p99_us"), device="ssh://pi@host"),
        MeasurementPlan(TaskSource("my.module:task"), objectives=("return",), target="cortex-m0plus"),
    ],
)
def test_plans_survive_json(plan):
    assert MeasurementPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_recordings_keep_their_files_and_columns(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(f"{i},{i * i}" for i in range(400)))
    source = RecordingsSource((str(tmp_path / "a.csv"),), "x", "y", period_s=0.1)
    plan = MeasurementPlan(source, objectives=(metric_of(source),))
    assert MeasurementPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.metric.name in ("mse", "rmse")


def test_what_is_searched_for_and_budgeted_is_wanted():
    plan = MeasurementPlan(CARTPOLE, objectives=("return",), budget=read_budget("flash<8192"))
    assert plan.wanted == {"return", "flash"}
    assert plan.metric.name == "return"
    assert default_objectives(CHEETAH) == ("mse", "instructions", "error")


def test_common_options_and_settings_make_the_plan_of_training():
    plan = MeasurementPlan(CARTPOLE, {"rounds": 3})
    training = plan.training_plan({"cell": "cfc", "units": 7, "wiring": "ncp", "format": "c-int16"}, 5)
    assert (training.options.rounds, training.seed, training.threads) == (3, 5, 1)
    assert (training.model.cell, training.model.units, training.model.wiring) == ("cfc", 7, "ncp")


@pytest.mark.parametrize(
    ("source", "said", "why"),
    [
        (CARTPOLE, {"objectives": ("mse",)}, "cartpole has no mse; how well it is done is its return"),
        (CHEETAH, {"objectives": ("return",)}, "half-cheetah has no return"),
        (CHEETAH, {"objectives": ("mse", "corruption")}, "no closed loop, and so no corruption"),
        (CARTPOLE, {"training": {"units": 3}}, "units cannot be the same for all trials"),
        (CARTPOLE, {"objectives": ("retrun",)}, "did you mean return?"),
    ],
)
def test_figures_that_the_source_has_not_are_refused(source, said, why):
    with pytest.raises(InputError) as refusal:
        MeasurementPlan(source, **said)
    assert why in str(refusal.value)


@pytest.mark.parametrize("change", [{"budget": "flash"}, {"source": {"kind": "x"}}, {"episodes": "many"}])
def test_damage_is_refused(change):
    with pytest.raises(ControllerFileError):
        MeasurementPlan.from_json(MeasurementPlan(CARTPOLE).to_json() | change)


def test_tools_that_are_missing_are_said_before_the_first_trial(monkeypatch):
    plan = MeasurementPlan(CARTPOLE)
    check_tools(plan, ("c-int16",))
    with pytest.raises(InputError, match="tflite runs on no cortex-m4, so it has no instructions"):
        check_tools(plan, ("c-int16", "tflite"))
    with pytest.raises(InputError, match="there is no target 'cortex-x'"):
        check_tools(MeasurementPlan(CARTPOLE, target="cortex-x"), ("c-int16",))
    with pytest.raises(InputError, match="timed on local and ssh"):
        check_tools(MeasurementPlan(CARTPOLE, objectives=("p99_us",), device="cortex-m4"), ("c-int16",))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingToolError, match="a C compiler is needed"):
        check_tools(plan, ("c-int16",))
