"""Reading a hub: an equal controller comes back; of anything else, one line."""

import contextlib
import importlib.util
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from ltc_edge import Controller, LtcEdgeError, ReferenceStepper
from ltc_edge.controller_file import controller_bytes
from ltc_edge.errors import ControllerFileError
from ltc_edge.export.hub import file as hub_file
from ltc_edge.export.hub.check import check_hub_means_what_it_says
from ltc_edge.export.hub.functions import function as parsed
from ltc_edge.export.hub.reader import controller_from_bytes, controller_from_hub, read_hub
from ltc_edge.export.hub.stages import hub_controller
from ltc_edge.export.hub.writer import NO_DIGEST, hub_bytes, hub_model

_SPEC = importlib.util.spec_from_file_location(
    "stepper_cases", Path(__file__).parents[2] / "runtimes" / "test_steppers.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
CELLS, controller = cases.CELLS, cases.controller


@cache
def valid(kind):
    return hub_bytes(controller(kind))


def model_of(kind="ltc"):
    return onnx.ModelProto.FromString(valid(kind))


def document_of(model):
    (entry,) = (entry for entry in model.metadata_props if entry.key == "ltc_edge")
    return json.loads(entry.value)


def set_document(model, **changes):
    (entry,) = (entry for entry in model.metadata_props if entry.key == "ltc_edge")
    document = json.loads(entry.value) | changes
    entry.value = json.dumps({k: v for k, v in document.items() if v is not ...})


def unsigned(model):
    """The file of a foreign framework, which may leave the sha256 out."""
    with contextlib.suppress(ValueError, RecursionError):
        set_document(model, sha256=...)
    return model.SerializeToString()


def tensor(model, name):
    (found,) = (t for t in model.graph.initializer if t.name == name)
    return found


def replace_tensor(model, name, change):
    found = tensor(model, name)
    array = numpy_helper.to_array(found).copy()
    found.CopyFrom(numpy_helper.from_array(change(array), name))


def stage(model, kind):
    return next(node for node in model.graph.node if node.op_type == kind)


@pytest.mark.parametrize("kind", CELLS)
def test_what_is_read_is_what_was_written(kind, tmp_path):
    built = controller(kind, provenance={"by": "hand — π"})
    path = tmp_path / "controller.onnx"
    path.write_bytes(hub_bytes(built))
    read = read_hub(path)
    assert controller_bytes(read) == controller_bytes(hub_controller(built))
    assert hub_bytes(read) == path.read_bytes()
    assert controller_bytes(controller_from_hub(hub_model(built), "here")) == controller_bytes(read)
    observations, spans = cases.irregular(100)
    expected = cases.run(ReferenceStepper(built), observations, spans)
    got = cases.run(ReferenceStepper(read), observations, spans)
    assert (np.abs(got - expected) <= 1e-5 * built.denormalizer.scale).all()
    check_hub_means_what_it_says(path, read)


def test_a_foreign_file_may_say_less():
    """No digest, wiring, provenance or names of constants; numbers in the typed fields."""
    model = model_of()
    set_document(model, wiring=..., provenance=..., library=...)
    renamed = {t.name: f"c{i}" for i, t in enumerate(model.graph.initializer)}
    for t in model.graph.initializer:
        t.name = renamed[t.name]
        array = numpy_helper.to_array(t)
        if array.dtype == np.float32:
            t.ClearField("raw_data")
            t.float_data.extend(array.ravel().tolist())
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
        node.name = node.doc_string = ""
    read = controller_from_bytes(unsigned(model), "foreign")
    expected = hub_controller(controller("ltc"))
    for name, array in expected.parameters.items():
        np.testing.assert_array_equal(read.parameters[name], array)
    assert read.cell.wiring.kind == "custom"
    assert read.provenance == {}


def test_a_foreign_wired_cfc_may_leave_the_wiring_out():
    model = model_of("cfc wired")
    set_document(model, wiring=...)
    read = controller_from_bytes(unsigned(model), "foreign")
    np.testing.assert_array_equal(read.cell.wiring.sensory.any(axis=0), [0] * 4 + [1] * 5)
    assert read.cell.wiring.units == 9


def no_stage(model):
    node = stage(model, "Normalize")
    model.graph.node.remove(node)


def extra_node(model):
    model.graph.node.append(helper.make_node("Identity", ["action"], ["again"]))


def unknown_stage(model):
    stage(model, "LTC").op_type = "LiquidS4"


def cyclic(model):
    stage(model, "Normalize").input[0] = "action"


def crossed(model):
    node = stage(model, "Elapsed")
    node.output[0], node.output[1] = node.output[1], node.output[0]


def missing_initializer(model):
    model.graph.initializer.remove(tensor(model, "sigma"))


def external(model):
    found = tensor(model, "sigma")
    found.data_location = onnx.TensorProto.EXTERNAL
    found.external_data.add(key="location", value="/etc/passwd")


def huge_claim(model):
    found = tensor(model, "sigma")
    del found.dims[:]
    found.dims.extend([1 << 40, 1 << 40])


def second_name(model):
    model.graph.initializer.add().CopyFrom(tensor(model, "sigma"))


def double(model):
    replace_tensor(model, "sigma", lambda a: a.astype(np.float64))


def sizes_swapped(model):
    replace_tensor(model, "state_sizes", lambda a: a[::-1].copy())


def version(number):
    def change(model):
        for entry in model.opset_import:
            if entry.domain == "ltc_edge":
                entry.version = number

    return change


def opset(model):
    for entry in model.opset_import:
        if entry.domain == "":
            entry.version = 21


def filled(name, value):
    def change(model):
        def put(array):
            array[...] = value
            return array

        replace_tensor(model, name, put)

    return change


def beyond(model):
    def put(array):
        array[-1] = 9
        return array

    replace_tensor(model, "target", put)


def says(**changes):
    return lambda model: set_document(model, **changes)


def attribute(name, value):
    def change(model):
        node = stage(model, "LTC")
        (old,) = (a for a in node.attribute if a.name == name)
        old.CopyFrom(helper.make_attribute(name, value))

    return change


def no_metadata(model):
    del model.metadata_props[:]


def deep_json(model):
    (entry,) = (entry for entry in model.metadata_props if entry.key == "ltc_edge")
    entry.value = "[" * 200_000


def wide_output(model):
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 7


def loop(model):
    graph = helper.make_graph([], "body", [], [])
    model.functions[0].node[0].attribute.append(helper.make_attribute("body", graph))


def foreign_operator(model):
    model.functions[0].node[0].domain = "com.microsoft"


def second_function(model):
    model.functions.add().CopyFrom(model.functions[0])


def recursive(model):
    call = helper.make_node("Denormalize", ["u", "offset", "scale"], ["again"], domain="ltc_edge")
    next(f for f in model.functions if f.name == "Denormalize").node.append(call)


def exponential(model):
    for k in range(40):
        calls = [helper.make_node(f"F{k + 1}", ["x"], [name], domain="ltc_edge") for name in ("a", "b")]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ltc_edge", 1)]
        made = helper.make_function("ltc_edge", f"F{k}", ["x"], ["a", "b"], calls, opsets)
        model.functions.append(made)


def unused_constant(model):
    model.graph.initializer.add().CopyFrom(numpy_helper.from_array(np.zeros(3, np.float32), "spare"))


REFUSED = [
    (no_stage, "no stage Normalize"),
    (extra_node, "node 'Identity' .* no place"),
    (unknown_stage, "stage 'LiquidS4' is unknown; this version knows"),
    (cyclic, r"node 0 \(Normalize\) is not what follows"),
    (crossed, r"node 3 \(LTC\) is not what follows"),
    (missing_initializer, "sigma .* is not an initializer"),
    (external, "lies in another file"),
    (huge_claim, "shape"),
    (second_name, "two constants are called 'sigma'"),
    (double, "data type 11; use float32"),
    (sizes_swapped, r"node 2 \(Split\)"),
    (version(2), "version 2 of the domain ltc_edge is unknown here .*; upgrade"),
    (opset, "a hub imports opset 17"),
    (filled("sigma", np.nan), "constant 'sigma' holds a NaN"),
    (filled("sigma", np.inf), "parameter sigma is not finite"),
    (filled("w", -1.0), "parameter w is negative"),
    (filled("target", 1), "listed by source, then by target"),
    (beyond, "synapse 8 → 9 leaves the circuit"),
    (filled("normalize_scale", 0.0), "scale"),
    (filled("normalize_limit", -1.0), "clip -1.0 must be positive"),
    (filled("action_low", 9.0), "low 9.0 must be below"),
    (filled("action_slew", 0.0), "slew 0.0 must be positive"),
    (filled("dt_min", 5.0), "period"),
    (filled("time_unit", 1e-30), "timing"),
    (attribute("unfolds", 0), "unfolds must be a whole number"),
    (attribute("unfolds", 10**9), "unfolds must be a whole number"),
    (attribute("unfolds", "six"), "unfolds must be of type int"),
    (attribute("solver", "magic"), "solver must be one of"),
    (no_metadata, "0 metadata entries"),
    (deep_json, "unreadable"),
    (says(schema=2), "schema version 2 is unknown here .* upgrade"),
    (says(format="model"), "not of a hub"),
    (says(period_s=...), "missing or unknown fields: 'period_s'"),
    (says(period_s="soon"), "period_s must be a number"),
    (says(period_s=10**400), "unreadable field|must be a number"),
    (says(colour="red"), "missing or unknown fields: 'colour'"),
    (says(fallback=[9.0, 9.0]), "fallback"),
    (says(initial_state=[0.0]), r"initial_state has shape \(1,\)"),
    (says(initial_state=[None] * 9), "initial_state must be a number"),
    (says(actions=[]), "at least one action|shape"),
    (says(actions=[{"name": "a", "unit": "b"}] * 2), "names must be present and differ"),
    (says(wiring=7), "wiring must be an object"),
    (says(wiring={"kind": "x", "roles": ["motor"] * 3}), "a role to each of the 9"),
    (says(wiring={"kind": "x", "roles": ["motor"] * 9}), "shape|motor"),
    (says(affine=False), "but the cell is not affine"),
    (says(name="\ud800"), "not valid text"),
    (wide_output, "the graph's outputs must be"),
    (loop, "is no plain standard operator"),
    (foreign_operator, "is no plain standard operator"),
    (second_function, "different names"),
    (recursive, "call themselves"),
    (exponential, "once its calls are written out"),
    (unused_constant, "constants that no stage uses"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_a_changed_hub_is_refused_with_one_line(change, message):
    model = model_of()
    change(model)
    with pytest.raises(ControllerFileError, match=message) as caught:
        controller_from_bytes(unsigned(model), "controller.onnx")
    text = str(caught.value)
    assert text.startswith("controller.onnx: ")
    assert "\n" not in text
    assert len(text) < 400


def test_a_synapse_of_a_wired_cfc_must_be_in_its_wiring():
    model = model_of("cfc wired")
    replace_tensor(model, "inter_ff1_weight", np.ones_like)
    with pytest.raises(ControllerFileError, match="is not zero where the wiring has no synapse"):
        controller_from_bytes(unsigned(model), "x")


def test_what_is_no_onnx_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "controller.onnx"
    content = valid("ltc")
    for bad in (b"", b"\x00" * 100, b"not a protobuf", content[:-1], content[: len(content) // 2]):
        path.write_bytes(bad)
        with pytest.raises(ControllerFileError, match=re.escape(str(path))):
            read_hub(path)
    with pytest.raises(ControllerFileError, match="is a folder"):
        read_hub(tmp_path)
    with pytest.raises(ControllerFileError, match="cannot be read"):
        read_hub(tmp_path / "none.onnx")
    path.write_bytes(content)
    monkeypatch.setattr(hub_file, "MAX_HUB_BYTES", 1000)
    with pytest.raises(ControllerFileError, match="larger than any controller"):
        read_hub(path)


def test_an_edit_is_noticed():
    model = model_of()
    replace_tensor(model, "sigma", lambda a: a * 1.5)
    with pytest.raises(ControllerFileError, match="do not match their sha256"):
        controller_from_bytes(model.SerializeToString(), "x")
    for odd in ("", "é" * 64, 5, NO_DIGEST[:-1]):
        model = model_of()
        set_document(model, sha256=odd)
        with pytest.raises(ControllerFileError, match="do not match their sha256"):
            controller_from_bytes(model.SerializeToString(), "x")


def test_zeros_in_a_name_are_not_taken_for_the_digest():
    built = controller("ltc", name=NO_DIGEST, provenance={"run": NO_DIGEST})
    assert controller_from_bytes(hub_bytes(built), "x").name == NO_DIGEST


def test_a_body_that_computes_something_else_is_refused():
    model = model_of()
    for function in model.functions:
        if function.name == "LTCUnfold":
            function.node[1].op_type = "Tanh"
    content = unsigned(model)
    read = controller_from_bytes(content, "x")
    with pytest.raises(ControllerFileError, match="compute another controller than its stages say"):
        check_hub_means_what_it_says(content, read)
    model.functions[0].node[0].op_type = "NoSuchOperator"
    with pytest.raises(ControllerFileError, match="ONNX Runtime cannot load it"):
        check_hub_means_what_it_says(model.SerializeToString(), read)


def test_a_body_that_fails_at_a_step_is_refused():
    model = model_of()
    (elapsed,) = (f for f in model.functions if f.name == "Elapsed")
    body = """Elapsed (dt, dt_min, dt_max, time_unit) => (dt_s, timespan) {
      dt_s = Clip(dt, dt_min, dt_max)
      one = Div(dt, dt)
      index = Cast <to = 7> (one)
      absent = Gather <axis = 0> (dt, index)
      shape = Constant <value_ints = [1, 1]> ()
      timespan = Reshape(absent, shape)
    }"""
    elapsed.CopyFrom(parsed(body, ""))
    content = unsigned(model)
    with pytest.raises(ControllerFileError, match="ONNX Runtime cannot run it"):
        check_hub_means_what_it_says(content, controller_from_bytes(content, "x"))


FUZZED = ["ltc", "cfc wired", "lstm", "mixed memory, ctrnn"]


def survives(content):
    """A Controller, or an error of this package; nothing else."""
    try:
        read = controller_from_bytes(content, "fuzzed")
    except LtcEdgeError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
    if message:
        return None
    assert isinstance(read, Controller)
    return read


def fuzz(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@fuzz(500)
@given(st.sampled_from(FUZZED), st.integers(0, 1 << 30), st.integers(0, 7))
def test_any_flipped_bit_is_noticed(kind, position, bit):
    content = bytearray(valid(kind))
    content[position % len(content)] ^= 1 << bit
    assert survives(bytes(content)) is None


@fuzz(500)
@given(
    st.sampled_from(FUZZED),
    st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 40), st.binary(max_size=24)), max_size=4),
)
def test_no_bytes_crash_the_reader(kind, cuts):
    """Without a digest, so that the damage gets as far as it can."""
    content = unsigned(model_of(kind))
    for position, length, inserted in cuts:
        start = position % (len(content) + 1)
        content = content[:start] + inserted + content[start + length :]
    survives(content)


@fuzz(400)
@given(st.sampled_from(FUZZED), st.data())
def test_no_edit_of_fields_crashes_the_reader(kind, data):
    """Fields removed, doubled, swapped or set to something else."""
    model = model_of(kind)
    for _ in range(data.draw(st.integers(1, 3))):
        graph = model.graph
        where = data.draw(st.sampled_from(["node", "initializer", "input", "output", "metadata", "json"]))
        if where == "json":
            document = document_of(model)
            key = data.draw(st.sampled_from(sorted(document)))
            odd = st.sampled_from([..., None, -1, 1e400, [], {}, "x", [[]], [1] * 9, True])
            set_document(model, **{key: data.draw(odd)})
            continue
        fields = model.metadata_props if where == "metadata" else getattr(graph, where)
        if not fields or (where == "metadata" and len(fields) < 2):
            continue
        one, other = (data.draw(st.integers(0, len(fields) - 1)) for _ in range(2))
        action = data.draw(st.sampled_from(["remove", "double", "swap", "edit"]))
        if where == "metadata" and "ltc_edge" in (fields[one].key, fields[other].key):
            continue
        if action == "remove":
            del fields[one]
        elif action == "double":
            fields.add().CopyFrom(fields[other])
        elif action == "swap":
            held = type(fields[one])()
            held.CopyFrom(fields[one])
            fields[one].CopyFrom(fields[other])
            fields[other].CopyFrom(held)
        elif where == "node" and fields[one].input:
            fields[one].input[0] = data.draw(st.sampled_from(["", "action", "z", "sigma", "state_in"]))
        elif where == "initializer":
            del fields[one].dims[:]
            fields[one].dims.extend(data.draw(st.lists(st.integers(-2, 99), max_size=3)))
    try:
        content = unsigned(model)
    except ValueError:  # a value that JSON has no word for
        return
    survives(content)
