"""Specs as data; none of this needs torch."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge import InputError, wiring
from ltc_edge.cells import (
    CfCSpec,
    CTRNNSpec,
    GatedSpec,
    LTCSpec,
    MixedMemorySpec,
    spec_from_json,
    spec_to_json,
)
from ltc_edge.cells.spec import MAX_UNFOLDS, MAX_UNITS, SOLVERS

counts = st.integers(1, 20)


@st.composite
def circuits(draw):
    inputs, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    units = outputs + draw(st.integers(3, 7))
    return wiring.auto_ncp(inputs, units, outputs, seed=draw(st.integers(0, 2**32 - 1)))


@st.composite
def ltcs(draw):
    return LTCSpec(
        draw(circuits()),
        solver=draw(st.sampled_from(SOLVERS)),
        unfolds=draw(st.integers(1, MAX_UNFOLDS)),
        positivity=draw(st.sampled_from(["softplus", "clamp"])),
        affine=draw(st.booleans()),
    )


@st.composite
def cfcs(draw):
    mode = draw(st.sampled_from(["default", "no_gate", "pure"]))
    if draw(st.booleans()):
        circuit = draw(circuits())
        return CfCSpec(circuit.inputs, circuit.units, circuit, mode)
    return CfCSpec(
        draw(counts),
        draw(counts),
        mode=mode,
        backbone_units=draw(counts),
        backbone_layers=draw(st.integers(0, 3)),
        activation=draw(st.sampled_from(["lecun_tanh", "tanh", "relu", "silu", "gelu"])),
    )


liquids = ltcs() | cfcs() | st.builds(CTRNNSpec, counts, counts, st.integers(1, MAX_UNFOLDS))
gated = st.builds(GatedSpec, st.sampled_from(["lstm", "gru"]), counts, counts)
specs = liquids | gated | st.builds(MixedMemorySpec, liquids)


@settings(max_examples=150, deadline=None)
@given(specs)
def test_json_round_trip(spec):
    document = json.loads(json.dumps(spec_to_json(spec), allow_nan=False))
    copy = spec_from_json(document)
    assert copy == spec
    assert type(copy) is type(spec)
    assert copy.parameter_shapes() == spec.parameter_shapes()
    assert spec_to_json(copy) == document


@settings(max_examples=100, deadline=None)
@given(specs)
def test_sizes_fit_together(spec):
    assert 1 <= spec.outputs <= spec.units <= spec.state_size
    assert spec.inputs >= 1
    assert 0 < spec.parameters_effective() <= spec.parameters_dense()


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(specs, st.data())
def test_mutated_documents_are_refused_with_an_input_error(spec, data):
    document = spec_to_json(spec)
    target = data.draw(st.sampled_from([document, document["cell"]])) if "cell" in document else document
    field = data.draw(st.sampled_from(sorted(target)))
    if data.draw(st.booleans()):
        target[field] = data.draw(json_values)
    elif data.draw(st.booleans()):
        del target[field]
    else:
        target[data.draw(st.text(max_size=8))] = data.draw(json_values)
    try:
        accepted = spec_from_json(document)
    except InputError:
        return
    # What is accepted means something: it can be counted, written and read again.
    assert accepted.parameters_dense() > 0
    assert spec_from_json(spec_to_json(accepted)) == accepted


@settings(max_examples=100, deadline=None)
@given(json_values)
def test_what_is_no_document_is_refused(value):
    with pytest.raises(InputError, match="cell"):
        spec_from_json(value)


LTC = spec_to_json(LTCSpec(wiring.auto_ncp(2, 6, 1)))
CFC = spec_to_json(CfCSpec(2, 6))
WIRED = spec_to_json(CfCSpec(2, 6, wiring.auto_ncp(2, 6, 1)))
CTRNN = spec_to_json(CTRNNSpec(2, 6))
LSTM = spec_to_json(GatedSpec("lstm", 2, 6))
MIXED = spec_to_json(MixedMemorySpec(CTRNNSpec(2, 6)))
DENSE = wiring.dense(2, 6, 1).to_json()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "unknown kind None"),
        ({"kind": "transformer"}, "unknown kind 'transformer'; known are ltc"),
        ({"kind": ["ltc"]}, "unknown kind"),
        ([], "must be an object, not list"),
        (LTC | {"extra": 1}, "unknown fields: extra"),
        ({"kind": "ctrnn", "inputs": 2}, "missing or unknown fields: unfolds, units"),
        (LTC | {"wiring": None}, "an ltc needs a wiring"),
        (
            LTC | {"solver": "midpoint"},
            "solver must be one of fused, exponential, euler, rk4, not 'midpoint'",
        ),
        (LTC | {"solver": []}, "solver must be one of"),
        (LTC | {"positivity": "relu"}, "positivity must be one of"),
        (LTC | {"unfolds": 0}, "unfolds must be a whole number from 1 to"),
        (LTC | {"unfolds": 2.0}, "unfolds must be a whole number"),
        (LTC | {"unfolds": MAX_UNFOLDS + 1}, "unfolds must be a whole number"),
        (LTC | {"affine": "yes"}, "affine must be true or false"),
        (CFC | {"mode": "closed"}, "mode must be one of"),
        (CFC | {"activation": "sigmoid"}, "activation must be one of"),
        (CFC | {"units": MAX_UNITS + 1}, "units must be a whole number"),
        (CFC | {"inputs": True}, "inputs must be a whole number"),
        (CFC | {"backbone_layers": None}, "backbone_layers must be a whole number from 0"),
        (CFC | {"backbone_layers": -1}, "backbone_layers must be a whole number from 0"),
        (CFC | {"backbone_units": 0}, "backbone_units must be a whole number"),
        (WIRED | {"units": 7}, "the wiring is for 2 inputs and 6 units, not 2 and 7"),
        (WIRED | {"wiring": DENSE}, "use an NCP wiring"),
        (CTRNN | {"units": 0}, "units must be a whole number"),
        (LSTM | {"units": "6"}, "units must be a whole number"),
        (MIXED | {"cell": LSTM}, "mixed memory goes before a liquid cell, not before lstm"),
        (MIXED | {"cell": MIXED}, "not before mixed_memory"),
        (MIXED | {"cell": None}, "must be an object"),
        (MIXED | {"units": 3}, "unknown fields: units"),
    ],
)
def test_messages_say_what_is_wrong(document, message):
    with pytest.raises(InputError, match=message):
        spec_from_json(document)


def test_a_document_nested_without_end_is_refused():
    document = {"kind": "ctrnn", "inputs": 1, "units": 1, "unfolds": 1}
    for _ in range(100_000):
        document = {"kind": "mixed_memory", "cell": document}
    with pytest.raises(InputError, match="not before mixed_memory"):
        spec_from_json(document)
