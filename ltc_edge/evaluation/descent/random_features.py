"""Random features: the model whose double descent is known, and which must show it.

A layer of ``N`` random tanh neurons that are never trained, and a linear readout of them in closed form
(Rahimi and Recht 2007; double descent: Belkin et al. 2019, Mei and Montanari 2022). With ``n`` windows it
interpolates from ``N = n`` on, whatever the labels.
"""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.descent.draw import draw
from ltc_edge.evaluation.descent.least_squares import minimum_norm, ridge
from ltc_edge.evaluation.descent.outcome import Outcome, Point, Settings
from ltc_edge.evaluation.descent.subject import Subject

GAIN = 2.0
"""Standard deviation of a neuron's input for white windows of unit variance: well into the bend of tanh."""

_FEATURES = 3  # separates this draw of a seed


class RandomFeatures:
    """``N`` neurons ``tanh(W x + b)`` over ``D`` values of a window.

    Those of a narrow layer are the first of a wide one of the same seed.
    """

    def __init__(self, count: int, inputs: int, seed: int) -> None:
        drawn = np.random.default_rng([seed, _FEATURES]).standard_normal((count, inputs + 1))
        self.weight: FloatArray = drawn[:, :-1] * GAIN / np.sqrt(inputs)
        self.bias: FloatArray = drawn[:, -1]

    def __call__(self, inputs: FloatArray) -> FloatArray:
        """Features ``[n, N]`` of windows ``[n, D]``."""
        return np.tanh(inputs @ self.weight.T + self.bias)

    def lipschitz(self, readout: FloatArray, inputs: FloatArray) -> tuple[float, float]:
        """Bounds of the Lipschitz constant of ``readout``, ``[N, M]``, over these features.

        The lower one is the largest spectral norm of the Jacobian at ``inputs``, ``[n, D]``; the upper one,
        over all windows there are, the product of the spectral norms, for no slope of tanh is above 1.
        """
        slopes = 1.0 - self(inputs) ** 2
        norms = [np.linalg.norm((readout.T * slope) @ self.weight, 2) for slope in slopes]
        return float(max(norms)), float(np.linalg.norm(readout, 2) * np.linalg.norm(self.weight, 2))


def fit_random_features(subject: Subject, settings: Settings, point: Point) -> Outcome:
    """Fit the readout of ``point.width`` random features: with the smallest norm, and with a ridge.

    Raises:
        InputError: there are too few windows.
    """
    drawn = draw(subject, settings.windows, point.noise, point.seed)
    inputs, test_inputs = subject.normal_inputs(drawn.train), subject.normal_inputs(subject.test)
    features = RandomFeatures(point.width, inputs.shape[1], point.seed)
    seen, unseen = features(inputs), features(test_inputs)
    targets = subject.targets(drawn.train.labels)
    readout = minimum_norm(seen, targets)
    return Outcome(
        parameters=point.width * subject.outputs,
        train_error=subject.error(seen @ readout, drawn.train.labels),
        test_error=subject.error(unseen @ readout, subject.test.labels),
        label_noise=drawn.label_noise,
        stopped="closed-form",
        updates=0,
        ridge_error=subject.error(unseen @ ridge(seen, targets), subject.test.labels),
        lipschitz=features.lipschitz(readout, np.concatenate([inputs, test_inputs])),
    )
