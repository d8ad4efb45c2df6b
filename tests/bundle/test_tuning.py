"""What may be changed of a controller before it is exported, and what is refused."""

import dataclasses

import numpy as np
import pytest

from ltc_edge import InputError, wiring
from ltc_edge.bundle.change_wording import phase_done, solver_changed
from ltc_edge.bundle.subject import subject_of
from ltc_edge.bundle.tuning import Change, Phase, TuningOptions, tune
from ltc_edge.cells import CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.training.judgement import Judgement
from ltc_edge.verification.change import ChangeResult


def changed(controller, **options):
    return tune(subject_of(controller, None), None, None, TuningOptions(**options), integers=False)


def of_cell(tiny_controller, cell):
    rng = np.random.default_rng(1)
    shapes = cell.parameter_shapes()
    parameters = {
        name: rng.uniform(0.1, 0.9, size=shape).astype(np.float32) for name, shape in shapes.items()
    }
    parameters |= {
        "readout_weight": np.ones((1, cell.outputs), dtype=np.float32),
        "readout_bias": np.zeros(1, dtype=np.float32),
    }
    return tiny_controller(cell=cell, parameters=parameters, initial_state=np.zeros(cell.state_size))


def test_nothing_asked_for_is_nothing_changed(tiny_controller):
    subject, change = changed(tiny_controller())
    assert change is None
    assert subject.trained.cell == tiny_controller().cell
    same, change = changed(tiny_controller(), solver="fused", unfolds=4)
    assert change is None
    assert same.trained.provenance == tiny_controller().provenance


def test_another_solver_leaves_every_parameter(tiny_controller):
    subject, change = changed(tiny_controller(), solver="exponential", unfolds=3)
    spec = subject.trained.cell
    assert (spec.solver, spec.unfolds) == ("exponential", 3)
    for name, array in tiny_controller().parameters.items():
        np.testing.assert_array_equal(subject.trained.parameters[name], array)
    # What the hub holds tells it too.
    assert subject.controller.provenance["solver_changed"].startswith("from fused with 4 sub-steps")
    assert change.to_json() == {
        "solver": {"before": "fused", "after": "exponential"},
        "unfolds": {"before": 4, "after": 3},
        "finetuned": [],
    }
    assert (
        solver_changed(change)
        == "Solver: fused with 4 sub-steps in training, exponential with 3 sub-steps here."
    )


def test_within_a_mixed_memory_and_in_a_ctrnn(tiny_controller):
    mixed = of_cell(tiny_controller, MixedMemorySpec(LTCSpec(wiring.auto_ncp(2, 8, 1, seed=3), unfolds=4)))
    assert changed(mixed, unfolds=2)[0].trained.cell.cell.unfolds == 2
    plain = of_cell(tiny_controller, CTRNNSpec(2, 3, unfolds=3))
    subject, change = changed(plain, unfolds=1)
    assert subject.trained.cell.unfolds == 1
    assert solver_changed(change) == "Solver: 3 sub-steps in training, 1 sub-step here."


def test_what_a_cell_has_not_cannot_be_changed(tiny_controller):
    for cell, options, message in (
        (GatedSpec("gru", 2, 3), {"solver": "fused"}, "--solver is for an LTC; a gru has no solver"),
        (CTRNNSpec(2, 3), {"solver": "fused"}, "--solver is for an LTC; a ctrnn has no solver"),
        (GatedSpec("lstm", 2, 3), {"unfolds": 2}, "--unfolds is for an LTC or a CT-RNN; a lstm has no"),
    ):
        with pytest.raises(InputError, match=message):
            changed(of_cell(tiny_controller, cell), **options)


def test_fine_tuning_needs_an_aim_and_something_to_see(tiny_controller):
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    with pytest.raises(InputError, match="--finetune has nothing to win back"):
        changed(tiny_controller(), finetune=True)
    with pytest.raises(InputError, match="name its run, or --task, or a recording with --calibration"):
        changed(tiny_controller(), finetune=True, unfolds=3)


def test_a_change_may_cost_little_and_what_chance_may_explain():
    def result(lost, interval):
        return ChangeResult("return", -100.0, -100.0 - lost, lost, interval)

    assert result(0.9, (0.5, 1.4)).failure is None
    assert result(40.0, (-1.0, 90.0)).failure is None
    assert (
        "loses 1.5 % of the trained controller's return (-100 to -101.5)" in result(1.5, (0.2, 2.8)).failure
    )
    assert result(float("nan"), None).failure is not None
    assert dataclasses.replace(result(0.0, None), metric="mse", trained=2.0).lost(2.1) == pytest.approx(5.0)
    assert result(0.0, None).lost(-110.0) == pytest.approx(10.0)


def test_integers_that_were_trained_are_calibrated_by_the_trained_controller(tiny_controller):
    judged = Judgement(None, {"excitation": 0.001})
    trained = tiny_controller()
    learnt, noisy = (
        Change(trained, None, None, (Phase("integers", 1.0, updates, judged, judged, {"excitation": 0.001}),))
        for updates in (360, 0)
    )
    assert learnt.played_by is trained
    assert learnt.provenance() == {"finetuned": "for integers, 360 updates"}
    assert noisy.played_by is None
    assert noisy.provenance() == {}
    assert "noise of 16-bit rounding" in phase_done(noisy.phases[0])
