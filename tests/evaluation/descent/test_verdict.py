"""What is said of a curve."""

import numpy as np
import pytest

from ltc_edge.evaluation.descent.curve import Curve, over_seeds
from ltc_edge.evaluation.descent.verdict import judge

LABELS = 10
FITTED = (1, 0.5, 0.001, 0, 0)


def _curve(train, test, *, logarithmic=True):
    spread = 1.0 + 0.01 * np.arange(5)
    widths = tuple(range(1, len(test) + 1))
    return Curve(
        noise=0.2,
        label_noise=0.4,
        widths=widths,
        parameters=tuple(5 * width for width in widths),
        train_error=np.outer(train, spread),
        test_error=np.outer(test, spread),
        ridge_error=None,
        lipschitz=None,
        stopped=({"updates": 5},) * len(test),
        logarithmic=logarithmic,
    )


@pytest.mark.parametrize(
    ("train", "test", "premise", "descent", "words"),
    [
        (FITTED, (1, 2, 9, 1, 0.5), True, True, "Double descent: the test error peaks there, at width 3 "
         "(p = 15, 1.5 × n·outputs), 9 times its lowest before and 18 times its lowest after."),
        (FITTED, (1, 2, 9, 1, 0.5), True, True, "the wide side is better"),
        (FITTED, (0.3, 2, 9, 1, 0.5), True, True, "the narrow side is better"),
        (FITTED, (1, 0.9, 0.8, 0.7, 0.6), True, False, "No peak of the test error is seen."),
        ((1, 0.5, 0.4, 0.3, 0.2), (1, 2, 9, 1, 0.5), False, False, "No interpolation reached: at width 5 "
         "(p = 25, 2.5 × n·outputs) the training error is still 0.2; no double descent can show (premise "
         "not met)."),
        ((0, 0, 0, 0, 0), (1, 0.9, 0.8, 0.7, 0.6), False, False, "Every width interpolates"),
        ((1, 1, 1, 1, 0), (1, 2, 3, 4, 9), False, False, "Labels are known by heart at width 5 "
         "(p = 25, 2.5 × n·outputs) alone, the widest"),
        ((1, 1, 1, 0, 0), (1, 9, 2, 1, 1), True, False, "which is not where labels begin"),
    ],
)  # fmt: skip
def test_words(train, test, premise, descent, words):
    verdict = judge(_curve(train, test), LABELS)
    assert verdict.premise_met is premise
    assert verdict.is_double_descent is descent
    assert words in verdict.words


def test_of_classes_none_may_be_wrong():
    verdict = judge(_curve((0.5, 0.004, 0.0, 0.0), (0.4, 0.45, 0.2, 0.2), logarithmic=False), LABELS)
    assert verdict.interpolates_from == 2


def test_intervals_are_students(monkeypatch):
    from scipy import stats

    values = np.array([0.1, 0.4, 0.2, 0.3])
    plain = over_seeds(values, logarithmic=False)
    assert plain.ci95 == pytest.approx(stats.t.interval(0.95, 3, values.mean(), stats.sem(values)))
    geometric = over_seeds(values, logarithmic=True)
    assert geometric.mean == pytest.approx(stats.gmean(values))
    assert geometric.ci95[0] < geometric.mean < geometric.ci95[1]
