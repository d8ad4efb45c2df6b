"""Fine-tuning does not lead where integers are refused."""

import dataclasses

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.calibration import excitation, measure
from ltc_edge.export.quantize import quantize
from ltc_edge.network import Network
from ltc_edge.training.representable import Representable


@pytest.fixture(params=["softplus", "clamp"])
def network(request, tiny_controller):
    controller = tiny_controller()
    positive = {name: abs(array) + 0.1 for name, array in controller.parameters.items()}
    kept = {name: array for name, array in controller.parameters.items() if name.startswith("readout")}
    spec = dataclasses.replace(controller.cell, solver="exponential", positivity=request.param)
    return Network(dataclasses.replace(controller, cell=spec, parameters=positive | kept))


def integers(network):
    controller = network.controller()
    return quantize(controller, measure(controller, (excitation(controller, sequences=4, steps=20, seed=0),)))


@pytest.mark.parametrize("name", ["gleak", "cm"])
def test_what_integers_could_not_hold_is_raised_until_they_can(network, name):
    representable = Representable(network)
    getattr(network.cell, name).data.fill_(1e-7 if network.cell.spec.positivity == "clamp" else -16.0)
    with pytest.raises(FormatRefusedError, match="bits"):
        integers(network)
    representable.project()
    integers(network)


def test_what_starts_below_stays_where_it_was(network):
    least = 1e-4 if network.cell.spec.positivity == "clamp" else -9.0
    network.cell.gleak.data.fill_(least)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    Representable(network).project()
    for name, parameter in network.named_parameters():
        assert (parameter - before[name]).abs().max() <= 1e-4 * before[name].abs().max()
