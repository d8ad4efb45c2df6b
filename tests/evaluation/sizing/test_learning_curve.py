"""Networks trained side by side are those trained alone; curves are repeatable and see what there is."""

import dataclasses

import numpy as np
import pytest
import torch

from ltc_edge.errors import TrainingDivergedError
from ltc_edge.evaluation.sizing.folds import make_folds
from ltc_edge.evaluation.sizing.learning_curve import Work, learning_curve, model_options, synapses_of
from ltc_edge.evaluation.sizing.members import Separate, Stacked, make_members
from ltc_edge.evaluation.sizing.subject import Subject, load_subject
from ltc_edge.logs import load_dataset
from ltc_edge.logs.dataset import Split
from ltc_edge.training.initial import controller_for_data
from ltc_edge.training.model import cell_spec
from ltc_edge.training.options import ModelOptions, PredictionOptions
from ltc_edge.training.session import Plan
from ltc_edge.training.sources import RecordingsSource


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    """A first-order lag of a random drive, in three recordings; and whether it is above zero."""
    folder = tmp_path_factory.mktemp("lag")
    rng = np.random.default_rng(0)
    for number in range(3):
        drive = np.repeat(rng.standard_normal(60), 5)
        lag = np.zeros(300)
        for row in range(1, 300):
            lag[row] = 0.8 * lag[row - 1] + 0.2 * drive[row]
        columns = np.column_stack([drive, rng.standard_normal(300), lag, lag > 0])
        header = "u,noise,y,label"
        np.savetxt(folder / f"{number}.csv", columns, delimiter=",", header=header, comments="")

    def load(targets, kind):
        files = [folder / f"{number}.csv" for number in range(3)]
        data = load_dataset(files, "u,noise", targets, kind=kind, period_s=0.1, window_length=10)
        every = data.train.segments + data.validation.segments + data.test.segments
        return Subject("lag", False, dataclasses.replace(data, train=Split(every)), ModelOptions(unfolds=2))

    return load


def curve_of(subject, cells, widths, **work):
    folds = make_folds(subject.segments, 3, subject.data.window_length, 10)
    return learning_curve(subject, folds.folds, cells, widths, Work(**work))


def test_stacked_networks_learn_what_separate_ones_do(subject):
    data = subject("y", "regression").data
    options = model_options(ModelOptions(), "gru", 4)
    controllers = [controller_for_data(data, options, "lag", seed) for seed in range(3)]
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(5, 3, 8, 6, 2, generator=generator)
    targets = 3.0 * torch.randn(5, 3, 8, 6, 1, generator=generator)  # large, so that gradients are clipped
    parameters = []
    for members in (Separate(controllers), Stacked(controllers)):
        for update in range(5):
            members.update(
                inputs[update],
                torch.full((3, 8, 6), 0.1),
                lambda member, readout, update=update: ((readout - targets[update, member]) ** 2).mean(),
                0.05,
            )
        parameters.append([network.controller().parameters for network in members.networks()])
    for alone, stacked in zip(*parameters, strict=True):
        for name, value in alone.items():
            np.testing.assert_allclose(stacked[name], value, rtol=1e-3, atol=1e-4)
    assert not np.allclose(parameters[0][0]["weight_hh"], parameters[0][1]["weight_hh"])


def test_gated_cells_are_stacked_and_others_keep_their_kernels(subject):
    data = subject("y", "regression").data
    for cell, kind in (("ltc", Separate), ("cfc", Separate), ("gru", Stacked), ("lstm", Stacked)):
        controller = controller_for_data(data, model_options(ModelOptions(), cell, 4), "lag", 0)
        assert type(make_members([controller, controller])) is kind


def test_a_loss_that_is_not_finite_stops_stacked_networks(subject):
    data = subject("y", "regression").data
    controller = controller_for_data(data, model_options(ModelOptions(), "gru", 4), "lag", 0)
    with pytest.raises(TrainingDivergedError, match="look at the data for outliers"):
        Stacked([controller]).update(
            torch.zeros(1, 2, 3, 2), torch.ones(1, 2, 3), lambda _, readout: readout.sum() * np.inf, 0.1
        )


@pytest.mark.parametrize(("targets", "kind"), [("y", "regression"), ("label", "classification")])
def test_a_curve_is_better_than_a_guess_and_the_same_again(subject, targets, kind):
    recordings = subject(targets, kind)
    first, again = (curve_of(recordings, ("cfc",), (2, 4), effort=0.15) for _ in range(2))
    assert [each.options.units for each in first.of("cfc")] == [2, 4]
    assert first.cells == ("cfc",)
    for one, other in zip(first.candidates, again.candidates, strict=True):
        np.testing.assert_array_equal(one.held_out, other.held_out)
        assert one.parameters == other.parameters > one.synapses > 0
        assert np.all(one.held_out < first.guess)
        assert 0 < one.largest_weight < 100
    assert first.guess.shape == (3,)


def test_the_guess_is_the_mean_of_what_is_trained_on(subject):
    recordings = subject("y", "regression")
    curve = curve_of(recordings, ("cfc",), (2,), effort=0.01)
    folds = make_folds(recordings.segments, 3, 10, 10).folds
    scale = np.concatenate([segment.targets for segment in recordings.segments]).std()
    for fold, found in zip(folds, curve.guess, strict=True):
        mean = np.concatenate([segment.targets for segment in fold.train]).mean()
        held_out = np.concatenate([segment.targets for segment in fold.held_out])
        assert found == pytest.approx(np.mean((held_out - mean) ** 2) / scale**2, rel=0.15)


def test_synapses_are_connections_or_weights():
    dense = cell_spec(model_options(ModelOptions(), "ltc", 5), 3, 1)
    assert synapses_of(dense) == 5 * 5 + 3 * 5
    gru = cell_spec(model_options(ModelOptions(), "gru", 5), 3, 1)
    assert synapses_of(gru) == 3 * 5 * (3 + 5)
    cfc = cell_spec(model_options(ModelOptions(), "cfc", 5), 3, 1)
    assert synapses_of(cfc) == 10 * (3 + 5) + 4 * 5 * 10


def test_rows_to_validate_with_are_sized_too_and_count_in_the_variance(tmp_path):
    rng = np.random.default_rng(0)
    for number, spread in enumerate((1.0, 1.0, 1.0, 5.0, 1.0)):  # the fourth validates, the fifth tests
        rows = rng.standard_normal((50, 2)) * [1.0, spread]
        np.savetxt(tmp_path / f"{number}.csv", rows, delimiter=",", header="u,y", comments="")
    source = RecordingsSource((str(tmp_path / "*.csv"),), "u", "y", period_s=1.0, window_length=5)
    found = load_subject(Plan(source, PredictionOptions(), ModelOptions()), 0)
    assert len(found.data.train.sources) == 4
    everything = np.concatenate([segment.targets for segment in found.segments])
    assert found.data.target_normalizer.scale[0] == pytest.approx(everything.std())
    assert found.signal_names == ("u", "y")
