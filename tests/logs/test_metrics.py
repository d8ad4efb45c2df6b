from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import InputError
from ltc_edge.logs import METRICS


def test_values_by_hand():
    predicted, target = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [3.0, 8.0]])
    assert METRICS["mse"].compute(predicted, target) == 5.0
    assert METRICS["rmse"].compute(predicted, target) == pytest.approx(5.0**0.5)
    assert METRICS["accuracy"].compute(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == 0.75


def test_direction():
    assert {name for name, metric in METRICS.items() if metric.lower_is_better} == {"mse", "rmse"}


@pytest.mark.parametrize("shape", [(4,), (1, 4)])
@pytest.mark.parametrize("name", METRICS)
def test_shapes_must_agree(name, shape):
    with pytest.raises(InputError, match="cannot score"):
        METRICS[name].compute(np.zeros((4, 1)), np.zeros(shape))
