"""Training a network on few windows until it knows their labels by heart, or cannot."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import TrainingDivergedError
from ltc_edge.evaluation.descent.draw import Drawn, draw
from ltc_edge.evaluation.descent.outcome import CellChoice, Outcome, Point, Settings, Stopped
from ltc_edge.evaluation.descent.smoothness import last_step_lipschitz
from ltc_edge.evaluation.descent.subject import Examples, Subject
from ltc_edge.network import Network
from ltc_edge.training.initial import controller_for_data
from ltc_edge.training.learner import Learner, cosine_rate
from ltc_edge.training.options import ModelOptions

FITTED_LOSS = 1e-4
"""Training ends at this loss: a hundredth of what is called interpolated, for stopping as soon as labels are
fitted is a regulariser that hides the peak (Nakkiran et al. 2020, section 6)."""


def model_options(cell: CellChoice, width: int, unfolds: int) -> ModelOptions:
    """A network of ``width`` neurons that differs from others of its kind in its width alone.

    Synapses are dense, and the readout is linear over all neurons. A CfC's backbone is as wide as the cell.
    """
    assert cell != "random-features"
    return ModelOptions(
        cell=cell,
        units=width,
        wiring="dense",
        unfolds=unfolds,
        linear_readout=cell == "ltc",
        backbone_units=width,
    )


def untrained(subject: Subject, settings: Settings, width: int, seed: int) -> Controller:
    """The network of this width with the weights that ``seed`` draws.

    Raises:
        InputError: it would be too wide.
    """
    options = model_options(settings.cell, width, settings.unfolds)
    return controller_for_data(subject.data, options, subject.name, seed)


def fit_network(subject: Subject, settings: Settings, point: Point) -> Outcome:
    """Train on all windows at once, without regularisation, and test.

    Raises:
        InputError: there are too few windows, or the network would be too wide.
    """
    torch.set_num_threads(1)  # of many processes; and sums must not depend on how many
    drawn = draw(subject, settings.windows, point.noise, point.seed)
    learner = Learner(untrained(subject, settings, point.width, point.seed))
    stopped, updates = _train(learner, subject, settings, drawn)
    controller = learner.controller()
    return Outcome(
        parameters=controller.parameters_effective(),
        train_error=_error(learner.network, subject, drawn.train),
        test_error=_error(learner.network, subject, subject.test),
        label_noise=drawn.label_noise,
        stopped=stopped,
        updates=updates,
        ridge_error=None,
        lipschitz=last_step_lipschitz(subject, controller),
    )


def _train(learner: Learner, subject: Subject, settings: Settings, drawn: Drawn) -> tuple[Stopped, int]:
    """Full-batch Adam; what ended it, and after how many updates."""
    inputs, dt_s = _tensor(drawn.train.inputs), _tensor(drawn.train.dt_s)
    labels = torch.from_numpy(np.asarray(drawn.train.labels))
    if not subject.is_classes:
        labels = learner.network.scaled(labels.float())
    for update in range(settings.updates):
        readout = learner.network(inputs, dt_s)[0][:, -1]
        loss = (
            functional.cross_entropy(readout, labels)
            if subject.is_classes
            else torch.mean((readout - labels) ** 2)
        )
        try:
            value = learner.update(loss, cosine_rate(settings.learning_rate, update / settings.updates))
        except TrainingDivergedError:
            return "diverged", update
        if value <= FITTED_LOSS:
            return "fitted", update + 1
    return "updates", settings.updates


@torch.no_grad()
def _error(network: Network, subject: Subject, examples: Examples) -> float:
    readout = network(_tensor(examples.inputs), _tensor(examples.dt_s))[0][:, -1]
    return subject.error(readout.double().numpy(), examples.labels)


def _tensor(array: FloatArray) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float32))
