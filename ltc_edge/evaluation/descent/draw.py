"""What one seed of a sweep learns: a few windows, some of them with wrong labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.evaluation.descent.subject import Examples, Subject, check_enough

_WINDOWS, _NOISE = 1, 2  # separates the draws of a seed


@dataclass(frozen=True, eq=False)
class Drawn:
    """A seed's training windows.

    Attributes:
        train: with the labels that are learned.
        label_noise: error of these labels against the true ones, in units of `Subject.error`: a model
            whose training error is lower has learned wrong labels by heart.
    """

    train: Examples
    label_noise: float


def draw(subject: Subject, windows: int, noise: float, seed: int) -> Drawn:
    """Draw ``windows`` training windows, and replace the labels of a share ``noise`` of them.

    The windows, which of them get wrong labels, and these labels depend on the seed alone: they are the same
    for every width and every kind of model. A greater share adds to the wrong labels of a smaller one.

    Raises:
        InputError: there are not so many windows.
    """
    check_enough(subject, windows)
    chosen = np.random.default_rng([seed, _WINDOWS]).permutation(len(subject.train))[:windows]
    true = subject.train.choose(chosen)
    labels = corrupt_labels(true.labels, noise, subject.outputs if subject.is_classes else None, seed)
    if subject.is_classes:
        label_noise = float(np.mean(labels != true.labels))
    else:
        label_noise = subject.error(subject.targets(labels), true.labels)
    return Drawn(Examples(true.inputs, true.dt_s, labels), label_noise)


def corrupt_labels(
    labels: FloatArray | IntArray, share: float, classes: int | None, seed: int
) -> FloatArray | IntArray:
    """Labels of which a share, rounded to whole ones, is wrong.

    A wrong label of a regression is the whole label of another window, drawn from all the others: the
    distribution of labels stays, what they say of the inputs goes. A wrong class is drawn from the other
    classes.

    Args:
        labels: ``[n, M]``, or ``[n]`` classes.
        share: from 0 to 1.
        classes: how many there are; None for a regression.
        seed: the same for every share.
    """
    count = len(labels)
    rng = np.random.default_rng([seed, _NOISE])
    order = rng.permutation(count)
    # Drawn for all, so that the wrong labels of one share are among those of a greater one.
    shift = rng.integers(1, count if classes is None else classes, size=count)
    wrong = order[: math.floor(share * count + 0.5)]
    corrupted = labels.copy()
    if classes is None:
        corrupted[wrong] = labels[(wrong + shift[wrong]) % count]
    else:
        corrupted[wrong] = (labels[wrong] + shift[wrong]) % classes
    return corrupted
