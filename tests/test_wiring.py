import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge import InputError, Wiring, wiring
from ltc_edge.wiring import MAX_NEURONS, Role

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def ncps_wirings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("torch", reason="torch is not installed (extra: train)")
        return pytest.importorskip("ncps.wirings", reason="ncps is not installed (extra: dev)")


@st.composite
def ncp_arguments(draw):
    inputs, inter, command, motor = (draw(st.integers(1, 9)) for _ in range(4))
    return {
        "inputs": inputs,
        "inter": inter,
        "command": command,
        "motor": motor,
        "sensory_fanout": draw(st.integers(1, inter)),
        "inter_fanout": draw(st.integers(1, command)),
        "recurrent_command_synapses": draw(st.integers(0, 12)),
        "motor_fanin": draw(st.integers(1, command)),
        "seed": draw(seeds),
    }


@st.composite
def wirings(draw):
    kind = draw(st.sampled_from(["dense", "random", "ncp"]))
    if kind == "ncp":
        return wiring.ncp(**draw(ncp_arguments()))
    inputs, outputs, hidden = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(0, 6))
    if kind == "dense":
        return wiring.dense(inputs, outputs + hidden, outputs, seed=draw(seeds))
    sparsity = draw(st.floats(0.0, 1.0, exclude_max=True))
    return wiring.random(inputs, outputs + hidden, outputs, sparsity=sparsity, seed=draw(seeds))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_auto_ncp_equals_ncps(ncps_wirings, data):
    units = data.draw(st.integers(4, 40))
    outputs = data.draw(st.integers(1, units - 3))
    inputs = data.draw(st.integers(1, 12))
    sparsity = data.draw(st.floats(0.1, 0.9))
    seed = data.draw(seeds)
    theirs = ncps_wirings.AutoNCP(units, outputs, sparsity_level=sparsity, seed=seed)
    theirs.build(inputs)
    ours = wiring.auto_ncp(inputs, units, outputs, sparsity=sparsity, seed=seed)
    np.testing.assert_array_equal(ours.recurrent, theirs.adjacency_matrix)
    np.testing.assert_array_equal(ours.sensory, theirs.sensory_adjacency_matrix)
    assert [str(role) for role in ours.roles] == [theirs.get_type_of_neuron(i) for i in range(units)]


@settings(max_examples=60, deadline=None)
@given(ncp_arguments())
def test_ncp_equals_ncps(ncps_wirings, arguments):
    ours = wiring.ncp(**arguments)
    renamed = dict(arguments)
    inputs = renamed.pop("inputs")
    for layer in ("inter", "command", "motor"):
        renamed[f"{layer}_neurons"] = renamed.pop(layer)
    theirs = ncps_wirings.NCP(**renamed)
    theirs.build(inputs)
    np.testing.assert_array_equal(ours.recurrent, theirs.adjacency_matrix)
    np.testing.assert_array_equal(ours.sensory, theirs.sensory_adjacency_matrix)


@settings(max_examples=100, deadline=None)
@given(ncp_arguments())
def test_an_ncp_is_layered_and_reaches_every_neuron(arguments):
    ncp = wiring.ncp(**arguments)
    inter, command, motor = (ncp.neurons(role) for role in (Role.INTER, Role.COMMAND, Role.MOTOR))
    sizes = (len(inter), len(command), len(motor))
    assert sizes == (arguments["inter"], arguments["command"], arguments["motor"])
    assert ncp.outputs == len(motor)
    assert ncp.units == sum(sizes)
    assert not ncp.sensory[:, np.concatenate([command, motor])].any()
    for source, target in ((inter, inter), (inter, motor), (command, inter), (motor, inter)):
        assert not ncp.recurrent[np.ix_(source, target)].any()
    assert not ncp.recurrent[motor].any()
    assert ncp.sensory[:, inter].any(axis=0).all()
    assert ncp.recurrent[np.ix_(inter, command)].any(axis=0).all()
    to_motor = ncp.recurrent[np.ix_(command, motor)]
    assert to_motor.any(axis=0).all()
    assert to_motor.any(axis=1).all()
    assert (np.abs(ncp.sensory).sum(axis=1) >= arguments["sensory_fanout"]).all()
    loops = ncp.recurrent[np.ix_(command, command)]
    assert np.count_nonzero(loops) <= arguments["recurrent_command_synapses"]


def test_the_published_ncp_has_its_published_size():
    ncp = wiring.auto_ncp(4, 19, 2)
    assert ncp.describe() == (
        f"ncp: 4 sensory, 11 inter, 6 command, 2 motor; "
        f"{np.count_nonzero(ncp.sensory) + np.count_nonzero(ncp.recurrent)} synapses"
    )
    assert len(ncp.synapses) == np.count_nonzero(ncp.recurrent)
    assert len(ncp.sensory_synapses) == np.count_nonzero(ncp.sensory)


@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.5, 0.9, 0.999])
def test_the_share_of_absent_synapses_is_the_sparsity(sparsity):
    random = wiring.random(7, 20, 3, sparsity=sparsity, seed=5)
    assert len(random.synapses) == max(round(400 * (1.0 - sparsity)), 1)
    assert len(random.sensory_synapses) == max(round(140 * (1.0 - sparsity)), 1)


def test_a_dense_wiring_is_dense_and_two_thirds_excite():
    dense = wiring.dense(50, 60, 2)
    assert (dense.kind, dense.inputs, dense.units, dense.outputs) == ("dense", 50, 60, 2)
    assert len(dense.synapses) == 3600
    assert len(dense.sensory_synapses) == 3000
    assert (dense.recurrent > 0).mean() == pytest.approx(2 / 3, abs=0.03)


@settings(max_examples=60, deadline=None)
@given(wirings())
def test_json_round_trip(original):
    copy = Wiring.from_json(json.loads(json.dumps(original.to_json())))
    assert copy == original
    assert hash(copy) == hash(original)
    np.testing.assert_array_equal(copy.recurrent, original.recurrent)
    np.testing.assert_array_equal(copy.sensory, original.sensory)
    assert (copy.kind, copy.roles, copy.seed) == (original.kind, original.roles, original.seed)


def test_the_seed_decides():
    assert wiring.auto_ncp(3, 12, 2, seed=1) == wiring.auto_ncp(3, 12, 2, seed=1)
    assert wiring.auto_ncp(3, 12, 2, seed=1) != wiring.auto_ncp(3, 12, 2, seed=2)
    assert wiring.auto_ncp(3, 12, 2) != "a wiring"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(
    scalars,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4)
    ),
    max_leaves=8,
)
synapse_rows = st.lists(
    st.lists(st.one_of(st.integers(-2, 12), scalars), min_size=2, max_size=4) | json_values, max_size=4
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_hostile_documents_are_refused_with_an_input_error(data):
    document = wiring.auto_ncp(3, 9, 2).to_json()
    field = data.draw(st.sampled_from(sorted(document)))
    kind = data.draw(st.sampled_from(["value", "rows", "drop", "append", "roles"]))
    if kind == "drop":
        del document[field]
    elif kind == "append" and isinstance(document[field], list):
        document[field].append(data.draw(json_values))
    elif kind == "rows":
        document[data.draw(st.sampled_from(["sensory", "recurrent"]))] = data.draw(synapse_rows)
    elif kind == "roles":
        document["roles"] = data.draw(st.lists(st.sampled_from(["inter", "command", "motor"]), max_size=12))
    else:
        document[field] = data.draw(json_values)
    try:
        accepted = Wiring.from_json(document)
    except InputError:
        return
    assert Wiring.from_json(accepted.to_json()) == accepted


@settings(max_examples=60, deadline=None)
@given(json_values)
def test_what_is_no_document_is_refused(value):
    with pytest.raises(InputError, match="wiring"):
        Wiring.from_json(value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("inputs", 0, "inputs must be a whole number"),
        ("inputs", 2.5, "inputs must be a whole number"),
        ("inputs", True, "inputs must be a whole number"),
        ("inputs", float("inf"), "inputs must be a whole number"),
        ("inputs", MAX_NEURONS + 1, "inputs must be a whole number"),
        ("roles", ["motor"] * (MAX_NEURONS + 1), "units must be a whole number"),
        ("roles", [], "units must be a whole number"),
        ("roles", ["inter"] * 9, "motor neurons must come first"),
        ("roles", ["inter", "motor"] + ["inter"] * 7, "motor neurons must come first"),
        ("roles", ["boss"] * 9, "boss"),
        ("recurrent", [[0, 99, 1]], "0 → 99 leaves the circuit"),
        ("recurrent", [[-1, 0, 1]], "leaves the circuit"),
        ("recurrent", [[0.0, 0, 1]], "whole numbers"),
        ("recurrent", [[True, 0, 1]], "whole numbers"),
        ("recurrent", [[0, 1, 2]], "polarity 2"),
        ("recurrent", [[0, 1, 0]], "polarity 0"),
        ("recurrent", [[0, 1, 1], [0, 1, -1]], "0 → 1 appears twice"),
        ("recurrent", [[0, 1]], "unreadable field"),
        ("kind", 3, "kind must be text"),
        ("seed", "today", "seed must be a whole number"),
    ],
)
def test_messages_say_what_is_wrong(field, value, message):
    document = wiring.auto_ncp(3, 9, 2).to_json() | {field: value}
    with pytest.raises(InputError, match=message):
        Wiring.from_json(document)


NCP = {
    "inputs": 2,
    "inter": 4,
    "command": 3,
    "motor": 1,
    "sensory_fanout": 2,
    "inter_fanout": 2,
    "recurrent_command_synapses": 2,
    "motor_fanin": 2,
}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: wiring.dense(2, 2, 3), "2 units cannot hold 3 outputs"),
        (lambda: wiring.dense(2, 2, 0), "cannot hold 0 outputs"),
        (lambda: wiring.dense(0, 2, 1), "inputs"),
        (lambda: wiring.dense(2, MAX_NEURONS + 1, 1), "units"),
        (lambda: wiring.dense(2, 2, 1, seed=-1), "seed -1"),
        (lambda: wiring.random(2, 4, 1, sparsity=1.0), r"sparsity 1.0 must be in \[0, 1\)"),
        (lambda: wiring.random(2, 4, 1, sparsity=float("nan")), "sparsity nan"),
        (lambda: wiring.auto_ncp(2, 5, 3), "ask for at least 6 units"),
        (lambda: wiring.auto_ncp(0, 9, 2), "inputs"),
        (lambda: wiring.auto_ncp(2, 9, 2, sparsity=0.95), r"sparsity 0.95 must be in \[0.1, 0.9\]"),
        (lambda: wiring.auto_ncp(2, 9, 2, seed=2**32), "seed 4294967296"),
        (lambda: wiring.ncp(**NCP | {"sensory_fanout": 5}), "sensory_fanout 5 .* the 4 inter"),
        (lambda: wiring.ncp(**NCP | {"inter_fanout": 0}), "inter_fanout 0"),
        (lambda: wiring.ncp(**NCP | {"motor_fanin": 4}), "motor_fanin 4 .* the 3 command"),
        (lambda: wiring.ncp(**NCP | {"motor": 0}), "motor"),
        (lambda: wiring.ncp(**NCP | {"recurrent_command_synapses": -1}), "recurrent_command_synapses -1"),
    ],
)
def test_impossible_sizes_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize(
    ("sensory", "recurrent", "roles", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2)), (Role.MOTOR,) * 2, "sensory adjacency"),
        (np.zeros((0, 2)), np.zeros((2, 2)), (Role.MOTOR,) * 2, "sensory adjacency"),
        (np.zeros((2, 2)), np.zeros((2, 3)), (Role.MOTOR,) * 2, "must be square"),
        (np.zeros((2, 2)), np.zeros(()), (Role.MOTOR,) * 2, "must be square"),
        (np.zeros((2, 2)), np.zeros((2, 2)), (Role.MOTOR,), "1 roles for 2 neurons"),
        (np.full((2, 2), 2), np.zeros((2, 2)), (Role.MOTOR,) * 2, "sensory polarities"),
        (np.zeros((2, 2)), np.full((2, 2), np.nan), (Role.MOTOR,) * 2, "recurrent polarities"),
    ],
)
def test_impossible_adjacencies_are_refused(sensory, recurrent, roles, message):
    with pytest.raises(InputError, match=message):
        Wiring("custom", sensory, recurrent, roles)


def test_adjacencies_of_another_type_are_converted():
    own = Wiring("custom", np.ones((1, 2)), np.eye(2, dtype=int), (Role.MOTOR, Role.INTER), np.int64(3))
    same = Wiring.from_json(json.loads(json.dumps(own.to_json())))
    assert own.recurrent.dtype == own.sensory.dtype == np.int8
    assert own == same
    assert hash(own) == hash(same)
