import numpy as np
import pytest

from ltc_edge import Scaling, wiring
from ltc_edge.cells import CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.report.circuit import circuit_of
from ltc_edge.runtimes.reference import softplus


@pytest.fixture
def make(tiny_controller):
    """Makes a controller around a cell, with parameters that are nowhere zero."""

    def make(cell, *, readout):
        rng = np.random.default_rng(5)
        shapes = cell.parameter_shapes()
        if readout:
            shapes |= {"readout_weight": (1, cell.outputs), "readout_bias": (1,)}
        parameters = {name: rng.choice([-1, 1], s) * rng.uniform(0.1, 1, s) for name, s in shapes.items()}
        if isinstance(cell, CfCSpec) and cell.wiring is not None:
            for index, layer in enumerate(cell.layers()):
                for head in ("ff1", "ff2"):
                    parameters[f"layer_{index}_{head}_weight"] *= layer.mask.T
        return tiny_controller(
            cell=cell,
            parameters=parameters,
            initial_state=np.zeros(cell.state_size),
            normalizer=Scaling.identity(2),
        )

    return make


def test_synapses_of_an_ltc_are_those_of_its_wiring(make):
    controller = make(LTCSpec(wiring.auto_ncp(2, 12, 1, seed=4)), readout=False)
    own, parameters = controller.cell.wiring, controller.parameters
    circuit = circuit_of(controller)
    found = {(s.source, s.target): s for s in circuit.synapses}
    assert len(found) == len(own.synapses) + len(own.sensory_synapses)
    for (source, target), w, erev in zip(own.synapses, parameters["w"], parameters["erev"], strict=True):
        synapse = found[source + 2, target + 2]
        assert synapse.polarity == np.sign(erev)
        assert synapse.strength == pytest.approx(softplus(w) * abs(erev))
    assert {(s, t + 2) for s, t in own.sensory_synapses} <= found.keys()


def test_neurons_are_called_after_signals_where_they_are_some(make):
    named = circuit_of(make(LTCSpec(wiring.auto_ncp(2, 8, 1)), readout=False)).neurons
    assert [neuron.name for neuron in named if neuron.layer in ("sensory", "motor")] == [
        "target",
        "level",
        "drive",
    ]
    through_readout = circuit_of(make(LTCSpec(wiring.auto_ncp(2, 8, 2)), readout=True)).neurons
    assert [n.name for n in through_readout if n.layer in ("motor", "action")] == [
        "motor 0",
        "motor 1",
        "drive",
    ]


def test_an_ncp_is_layered_and_a_dense_wiring_is_not(make):
    assert circuit_of(make(LTCSpec(wiring.auto_ncp(2, 16, 1)), readout=False)).is_layered
    assert not circuit_of(make(LTCSpec(wiring.dense(2, 8, 1)), readout=False)).is_layered
    assert not circuit_of(make(CTRNNSpec(2, 5), readout=True)).is_layered


def test_weights_of_a_ctrnn_have_their_sign(make):
    controller = make(CTRNNSpec(2, 5), readout=True)
    circuit = circuit_of(controller)
    assert len(circuit.synapses) == 5 * 2 + 5 * 5 + 5
    found = {(s.source, s.target): s for s in circuit.synapses}
    assert found[1, 2 + 3].polarity == np.sign(controller.parameters["input_weight"][3, 1])
    assert found[2 + 4, 2 + 5].strength == abs(controller.parameters["readout_weight"][0, 4])


def test_a_wired_cfc_shows_what_its_masks_let_through_and_no_sign(make):
    cell = CfCSpec(2, 12, wiring.auto_ncp(2, 12, 1, seed=4))
    circuit = circuit_of(make(cell, readout=False))
    through = sum(int(layer.mask[: layer.inputs].sum()) for layer in cell.layers())
    assert len(circuit.synapses) == through
    assert {synapse.polarity for synapse in circuit.synapses} == {0}
    assert circuit.is_layered


@pytest.mark.parametrize("cell", [GatedSpec("gru", 2, 6), GatedSpec("lstm", 2, 6), CfCSpec(2, 6)])
def test_cells_without_synapses_say_so(make, cell):
    circuit = circuit_of(make(cell, readout=True))
    assert circuit.synapses == ()
    assert "no synapses" in circuit.note


def test_mixed_memory_shows_its_cell_and_names_what_is_before_it(make):
    inner = LTCSpec(wiring.auto_ncp(2, 8, 1))
    circuit = circuit_of(make(MixedMemorySpec(inner), readout=False))
    assert len(circuit.synapses) == len(inner.wiring.synapses) + len(inner.wiring.sensory_synapses)
    assert "LSTM" in circuit.note
