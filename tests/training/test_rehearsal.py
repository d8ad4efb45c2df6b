"""Windows of lessons: where they start, how often they are drawn, what is left out."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.export.calibration import excitation
from ltc_edge.network import Network
from ltc_edge.training.practice import WINDOW, Teacher
from ltc_edge.training.rehearsal import Practice
from ltc_edge.training.student import FloatStudent


def lesson(teacher, steps, emphasis=None):
    sequences = excitation(teacher.controller, sequences=4, steps=steps, seed=steps)
    return teacher.lesson("excitation", sequences, emphasis)


def test_lessons_of_two_lengths_join(tiny_controller):
    teacher = Teacher(tiny_controller())
    long, short = lesson(teacher, 2 * WINDOW), lesson(teacher, WINDOW - 3)
    for first, second in ((long, short), (short, long)):
        joined = first.joined(second)
        assert joined.action.shape == (8, 2 * WINDOW, 1)
        assert joined.sequences.valid.sum() == 4 * 2 * WINDOW + 4 * (WINDOW - 3)
        assert (joined.sequences.dt_s > 0).all()
        wrong = joined.action + np.where(np.arange(8) < 4, 1.0, 3.0)[:, None, None]
        assert joined.error(wrong, 4) == pytest.approx(1.0)
        assert joined.error(wrong) > 1.5


def test_windows_are_drawn_by_emphasis_and_start_from_the_student_s_states(tiny_controller):
    teacher = Teacher(tiny_controller())
    taught = lesson(teacher, 2 * WINDOW, np.array([0.0, 1.0, 0.0, 3.0]))
    student = FloatStudent(Network(tiny_controller()))
    practice = Practice((taught,), {})
    practice.prepare(student)
    seen: list[np.ndarray] = []
    student.actions, inner = (lambda *batch: (seen.extend(batch), inner(*batch))[1]), student.actions
    practice.loss(student, np.random.default_rng(0), 400)
    observation, _, state = seen
    _, states = student.replay(taught.sequences.observation, taught.sequences.dt_s)
    counts = np.zeros(4)
    for row, start in zip(observation, state, strict=True):
        index, window = next(
            (e, w)
            for e in range(4)
            for w in range(2)
            if np.array_equal(taught.sequences.observation[e, w * WINDOW : (w + 1) * WINDOW], row)
        )
        np.testing.assert_array_equal(start, states[index, window * WINDOW])
        counts[index] += 1
    assert counts[0] == counts[2] == 0
    assert counts[3] / counts[1] == pytest.approx(3.0, abs=1.0)


def test_the_loss_is_one_for_the_error_it_is_weighed_by(tiny_controller):
    """Also where windows hold padding."""
    teacher = Teacher(tiny_controller())
    practice = Practice((lesson(teacher, WINDOW - 4),), {})
    student = FloatStudent(Network(tiny_controller()))
    student.network.readout.bias.data += 0.01
    practice.prepare(student)
    loss = practice.loss(student, np.random.default_rng(0), 400)
    assert loss.item() == pytest.approx(1.0, rel=0.2)
