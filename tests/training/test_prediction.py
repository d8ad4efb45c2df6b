"""Training on recordings of which only some rows count."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

import torch

from ltc_edge.evaluation.recordings import evaluate_recordings
from ltc_edge.logs import SEQUENCE_TASKS, Split
from ltc_edge.training.initial import controller_for_data
from ltc_edge.training.prediction import Prediction, score

SMALL = dataclasses.replace(SEQUENCE_TASKS["copy-first-bit"], rows=6, train=96, validation=40, test=40)


def with_other_targets_where_none_counts(data):
    def garbled(split):
        (segment,) = split.segments
        targets = np.where(segment.scored, segment.targets, 1 - segment.targets)
        return Split((dataclasses.replace(segment, targets=targets),))

    return dataclasses.replace(
        data,
        train=garbled(data.train),
        validation=garbled(data.validation),
        test=garbled(data.test),
    )


@pytest.fixture
def data():
    return SMALL.load()


def test_rows_that_do_not_count_neither_train_nor_score(data, small_prediction, small_model):
    controller = controller_for_data(data, small_model, "bits", seed=0)
    other = with_other_targets_where_none_counts(data)
    rounds = [
        Prediction(each, controller, small_prediction, seed=0).round(0, lambda _: None)
        for each in (data, other)
    ]
    assert rounds[0].metrics["loss"] == rounds[1].metrics["loss"]
    assert rounds[0].value == rounds[1].value
    reports = [evaluate_recordings(each, controller) for each in (data, other)]
    assert reports[0].value == reports[1].value
    assert reports[0].samples == SMALL.test
    assert reports[0].baseline == reports[1].baseline


def test_torch_and_the_reference_score_alike(data, small_model):
    controller = controller_for_data(data, small_model, "bits", seed=1)
    from ltc_edge.network import Network

    value = score(Network(controller), data, data.test.segments)
    assert value == pytest.approx(evaluate_recordings(data, controller).value, abs=1e-9)


def test_the_score_is_the_share_of_labels_told_at_the_last_row(data, small_model):
    from ltc_edge.network import Network

    controller = controller_for_data(data, small_model, "bits", seed=2)
    network = Network(controller)
    (segment,) = data.test.segments
    bits = torch.from_numpy(segment.inputs.reshape(-1, SMALL.rows, 1)).float()
    readout, _ = network(bits, torch.ones(bits.shape[:2]))
    told = readout[:, -1].argmax(dim=1).numpy() == segment.inputs.reshape(-1, SMALL.rows)[:, 0]
    assert score(network, data, data.test.segments) == pytest.approx(told.mean())


def test_an_epoch_has_every_window_once_and_those_together_that_end_alike(small_prediction, small_model):
    task = dataclasses.replace(SEQUENCE_TASKS["irregular-xor"], train=1001, validation=40, test=40)
    data = task.load()
    method = Prediction(data, controller_for_data(data, small_model, "bits", 0), small_prediction, seed=0)
    batches = method._batches(np.random.default_rng(0))
    assert torch.equal(torch.cat(batches).sort().values, torch.arange(1001))
    assert max(len(batch) for batch in batches) == small_prediction.batch
    ends = method._scored.int().argmax(dim=1)
    spread = np.mean([(ends[batch].max() - ends[batch].min()).item() for batch in batches])
    assert spread < 0.2 * (ends.max() - ends.min()).item()
