"""Fine-tuning: what is trained is what is exported, and nothing gets worse."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.cells import LTCSpec  # noqa: E402
from ltc_edge.export.calibration import excitation, measure, unit_steps  # noqa: E402
from ltc_edge.export.integer_rollout import IntegerRollout  # noqa: E402
from ltc_edge.export.quantize import quantize  # noqa: E402
from ltc_edge.export.simulate import simulate16  # noqa: E402
from ltc_edge.network import Network  # noqa: E402
from ltc_edge.training.finetuning import FinetuneOptions, Judge, finetune_phase  # noqa: E402
from ltc_edge.training.judgement import Judgement  # noqa: E402
from ltc_edge.training.learner import Learner  # noqa: E402
from ltc_edge.training.practice import WINDOW, Teacher  # noqa: E402
from ltc_edge.training.quantization_aware import IntegerStudent  # noqa: E402
from ltc_edge.training.student import FloatStudent, straight_through  # noqa: E402

SHORT = FinetuneOptions(rounds=1, updates=12, batch=6)


def sequences(controller, seed=1, steps=WINDOW):
    return excitation(controller, sequences=6, steps=steps, seed=seed)


def shaken(controller, scale=0.05):
    rng = np.random.default_rng(4)
    moved = {
        n: (a * (1 + scale * rng.normal(size=a.shape))).astype(a.dtype)
        for n, a in controller.parameters.items()
    }
    return dataclasses.replace(controller, parameters=moved)


def tuned(goal, teacher, start, options=SHORT, seed=0):
    lessons = (teacher.lesson("excitation", sequences(teacher.controller)),)
    judge = Judge(teacher, (teacher.lesson("excitation", sequences(teacher.controller, seed=2)),), None)
    return finetune_phase(goal, start, teacher, lessons, judge, None, seed, options=options)


def test_the_integers_that_are_trained_are_those_of_the_plan(tiny_controller):
    """To the bit, also after the parameters have moved."""
    network = Network(shaken(tiny_controller()))
    student = IntegerStudent(network, (sequences(tiny_controller()),))
    with torch.no_grad():
        network.cell.erev.mul_(1.01)
    seen = sequences(tiny_controller(), seed=3)
    actions = student.actions(seen.observation, seen.dt_s, np.zeros((6, 8)))
    step, controller = student.quantized(), network.controller()
    simulated = simulate16(step.program, step.tensors, step.dense)
    held = np.zeros((6, 8)) + step.coordinates.state.to_fraction(controller.reset_state)
    inputs = unit_steps(controller, step.coordinates, seen)
    for index, (observation, dt) in enumerate(zip(inputs.observation, inputs.dt, strict=True)):
        action, held = simulated.step(observation, dt, held)
        expected = np.clip(step.coordinates.action.to_raw(action), *controller.limits).astype(np.float32)
        np.testing.assert_array_equal(actions[:, index].detach().numpy(), expected)


def test_the_gradient_is_that_of_the_network_along_the_integers(tiny_controller):
    network = Network(tiny_controller())
    student = IntegerStudent(network, (sequences(tiny_controller()),))
    seen = sequences(tiny_controller(), seed=3, steps=5)
    start = np.zeros((6, 8))
    student.actions(seen.observation, seen.dt_s, start).sum().backward()
    found = {name: p.grad.clone() for name, p in network.named_parameters()}
    network.zero_grad()
    _, states = student.integers().run(seen.observation, seen.dt_s, start)
    inputs = [
        torch.from_numpy(np.asarray(values, dtype=np.float32))
        for values in (seen.observation, seen.dt_s, start, states)
    ]
    readout, _ = network(*inputs)
    network.actions(readout).sum().backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, rtol=1e-5, atol=1e-6)
    assert found["cell.sigma"].abs().max() > 0


def test_straight_through_has_one_s_value_and_the_other_s_gradient():
    x = torch.tensor([0.1, 2.0], requires_grad=True)
    result = straight_through(3.0 * x, torch.tensor([7.0, 8.0]))
    result.sum().backward()
    assert result.tolist() == [7.0, 8.0]
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_float_student_replays_what_its_gradients_see(tiny_controller):
    student = FloatStudent(Network(tiny_controller()))
    seen = sequences(tiny_controller(), steps=2 * WINDOW)
    actions, states = student.replay(seen.observation, seen.dt_s)
    later = student.actions(seen.observation[:, WINDOW:], seen.dt_s[:, WINDOW:], states[:, WINDOW])
    np.testing.assert_allclose(later.detach().numpy(), actions[:, WINDOW:], rtol=0, atol=1e-6)
    assert (np.abs(actions) <= 1.0).all()


@pytest.mark.parametrize("goal", ["solver", "integers"])
def test_what_was_shaken_comes_nearer_to_its_teacher_and_the_same_way_twice(tiny_controller, goal):
    teacher = Teacher(tiny_controller())
    first, again = (tuned(goal, teacher, shaken(tiny_controller())) for _ in range(2))
    assert first.after.errors["excitation"] < 0.8 * first.before.errors["excitation"]
    assert first.updates == 12
    for name, array in first.controller.parameters.items():
        np.testing.assert_array_equal(array, again.controller.parameters[name])


def test_integers_whose_error_is_noise_are_left_as_they_were(tiny_controller, monkeypatch):
    monkeypatch.setattr("ltc_edge.training.finetuning.MOST_NOISE", 0.5)
    start = tiny_controller()
    result = tuned("integers", Teacher(start), start)
    assert result.noise["excitation"] >= 0.5 * result.before.errors["excitation"]
    assert (result.updates, result.after) == (0, result.before)
    for name, array in start.parameters.items():
        np.testing.assert_array_equal(result.controller.parameters[name], array)


def test_the_integers_that_are_judged_are_those_of_the_calibration(tiny_controller):
    teacher, held = Teacher(tiny_controller()), sequences(tiny_controller(), seed=2)
    lesson, calibration = teacher.lesson("excitation", held), (sequences(tiny_controller(), seed=7),)
    practised = (teacher.lesson("excitation", sequences(tiny_controller())),)
    options = dataclasses.replace(SHORT, updates=2)
    judge, start = Judge(teacher, (lesson,), None), shaken(tiny_controller())
    result = finetune_phase(
        "integers", start, teacher, practised, judge, None, 0, options=options, calibration=calibration
    )
    exported = quantize(result.controller, measure(result.controller, calibration))
    actions, _ = IntegerRollout(result.controller, exported).run(held.observation, held.dt_s)
    error = float((lesson.error(actions) / lesson.sigma).max())
    assert error == pytest.approx(result.after.errors["excitation"], rel=1e-12)


def test_another_solver_is_learnt(tiny_controller):
    teacher = Teacher(tiny_controller())
    spec = dataclasses.replace(teacher.controller.cell, solver="exponential", unfolds=4)
    assert isinstance(spec, LTCSpec)
    options = dataclasses.replace(SHORT, rounds=2, updates=40)
    result = tuned("solver", teacher, dataclasses.replace(teacher.controller, cell=spec), options)
    assert result.controller.cell.solver == "exponential"
    assert result.after.errors["excitation"] < 0.7 * result.before.errors["excitation"]


def test_what_got_no_better_is_left_as_it_was(tiny_controller):
    start = tiny_controller()
    result = tuned("solver", Teacher(start), start, dataclasses.replace(SHORT, updates=2))
    assert result.after == result.before
    for name, array in start.parameters.items():
        np.testing.assert_array_equal(result.controller.parameters[name], array)


def test_of_two_judgements_lost_return_counts_first_and_chance_does_not():
    before = Judgement(3.0, {"loop": 0.2, "excitation": 0.4})
    better = Judgement(0.1, {"loop": 0.4, "excitation": 0.8})
    assert better.key(before) < before.key(before)
    assert before.key(before) == (3.0, 1.0)
    gained, equal = (Judgement(lost, {"loop": 0.1, "excitation": 0.2}) for lost in (-5.0, 0.004))
    assert gained.key(before) == equal.key(before) == (0.0, 0.5)


def test_where_little_can_be_won_no_error_may_grow_for_a_return():
    before = Judgement(0.5, {"loop": 0.2, "excitation": 0.4})
    lucky = Judgement(0.0, {"loop": 0.1, "excitation": 0.5})
    assert lucky.cautious_key(before) > before.cautious_key(before) == (False, 1.0)
    better = Judgement(0.5, {"loop": 0.1, "excitation": 0.3})
    assert better.cautious_key(before) == (False, pytest.approx(0.75))
    assert Judgement(0.6, better.errors).cautious_key(before) > before.cautious_key(before)


def test_a_loss_well_within_its_standard_error_is_none():
    errors = {"loop": 0.2}
    before = Judgement(5.0, errors, 1.0)
    assert Judgement(0.2, errors, 0.5).key(before) == (0.0, 1.0)
    assert Judgement(0.3, errors, 0.5).key(before) == (0.3, 1.0)


def test_padding_is_neither_practised_nor_judged(tiny_controller):
    teacher = Teacher(tiny_controller())
    whole = sequences(tiny_controller(), steps=WINDOW + 5)
    lesson = teacher.lesson("excitation", whole)
    assert lesson.action.shape[1] == 2 * WINDOW
    wrong = lesson.action.copy()
    wrong[:, WINDOW + 5 :] += 100.0
    assert (lesson.error(wrong) == 0.0).all()


def test_learners_hold_the_network_of_their_student(tiny_controller):
    learner = Learner(tiny_controller())
    student = IntegerStudent(learner.network, (sequences(tiny_controller()),))
    before = student.integers().run(
        sequences(tiny_controller()).observation, sequences(tiny_controller()).dt_s
    )[0]
    with torch.no_grad():
        learner.network.readout.bias.add_(0.05)
    after = student.integers().run(
        sequences(tiny_controller()).observation, sequences(tiny_controller()).dt_s
    )[0]
    assert (after != before).any()
