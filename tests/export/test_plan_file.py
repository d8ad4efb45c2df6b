"""quantization.json: a round trip to the same bytes, and nothing but `InputError` from a hostile one."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge import InputError
from ltc_edge.export.coordinates import Coordinates
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.plan import QuantizationPlan, Sensitivity, TensorPlan
from ltc_edge.export.plan_file import MAX_WEIGHTS, plan_bytes, plan_from_bytes
from ltc_edge.export.program import Affine
from ltc_edge.export.rounding import QuantizedDense


def small_plan():
    """Every kind of field once: a sparse and a dense matrix, a shared one, one of no columns."""
    unit = Affine(np.zeros(1), np.ones(1))
    sparse, full = np.zeros((2, 4), dtype=np.int8), np.array([[127, -127]], dtype=np.int8)
    sparse[1, 2] = -5
    shared = QuantizedDense(sparse, np.array([0.5, 0.25]), np.array([-0.0, 1e-300]))
    return QuantizationPlan(
        Coordinates(unit, unit, Affine(np.array([0.1, -3.0]), np.array([1e-3, 7.0])), unit, np.array([2.5])),
        {
            "state_in": TensorPlan(-1.0, 1.0, (-0.5, 0.25), True, 2.0**-15, 1 / 255, -3),
            "z": TensorPlan(0.0, 3.0, (0.0, 2.4), False, 2.0**-13, 3 / 255, -128),
        },
        {
            "a": shared,
            "b": QuantizedDense(full, np.array([1e-5]), np.array([3.0])),
            "c": QuantizedDense(np.zeros((1, 0), dtype=np.int8), np.ones(1), np.zeros(1)),
            "d": shared,
        },
        {"sources": ["made up"], "steps": 9, "percentile": 100.0, "margin": 1.25},
        (Sensitivity("z", "tensor", 0.01, 2.5), Sensitivity("a", "weight", None, 0.3)),
    )


DOCUMENT = json.loads(plan_bytes(small_plan()))


def refused(document, match=None):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(InputError, match=match) as error:
        plan_from_bytes(content, "somewhere/quantization.json")
    assert str(error.value).startswith("somewhere/quantization.json: ")


def test_the_same_plan_gives_the_same_bytes_and_comes_back():
    plan = small_plan()
    content = plan_bytes(plan)
    assert content == plan_bytes(plan) == plan_bytes(small_plan())
    back = plan_from_bytes(content, "here")
    assert plan_bytes(back) == plan_bytes(plan_from_bytes(plan_bytes(back), "here"))
    assert back.tensors == plan.tensors
    assert back.sensitivity == plan.sensitivity
    assert dict(back.calibration) == plan.calibration
    assert back.dense["a"] is back.dense["d"]
    for name, dense in plan.dense.items():
        assert back.dense[name].values.dtype == np.int8
        np.testing.assert_array_equal(back.dense[name].values, dense.values)
        np.testing.assert_array_equal(back.dense[name].scale, dense.scale)
        np.testing.assert_array_equal(back.dense[name].bias, dense.bias)


def test_plans_of_every_kind_come_back_to_the_last_bit(zoo, integer_kind):
    built, plan = zoo.planned(integer_kind)
    content = plan_bytes(plan)
    back = plan_from_bytes(content, "here")
    assert plan_bytes(back) == content
    ours, theirs = lower_unit(built, plan.coordinates), lower_unit(built, back.coordinates)
    assert ours.operations[-1] == theirs.operations[-1]
    for mine, other in zip(ours.dense(), theirs.dense(), strict=True):
        np.testing.assert_array_equal(mine.weight, other.weight)
        np.testing.assert_array_equal(mine.bias, other.bias)


def changed(path, value):
    document = copy.deepcopy(DOCUMENT)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


A_MATRIX = DOCUMENT["dense"][0]
A_FULL_MATRIX = DOCUMENT["dense"][1]
HOSTILE = {
    "another format": (("format",), "safetensors", "not a quantisation plan"),
    "a newer schema": (("schema",), 2, "upgrade"),
    "an unknown field": (("more",), 1, "more"),
    "no tensors": (("tensors",), None, "tensors"),
    "tensors as a list": (("tensors",), [1], "tensors"),
    "matrices as an object": (("dense",), {"a": 1}, "dense"),
    "a span of zero": (("coordinates", "state", "span", 0), 0, "positive"),
    "spans of another length": (("coordinates", "dt", "span"), [1.0, 2.0], "one length"),
    "no coordinates": (("coordinates", "dt"), None, "dt"),
    "a center that is nested": (("coordinates", "dt", "center"), [[0.0]], "numbers"),
    "a center of text": (("coordinates", "dt", "center"), ["0.0"], "numbers"),
    "a center of truth": (("coordinates", "dt", "center"), [True], "numbers"),
    "a conductance of zero": (("coordinates", "conductance", 0), 0.0, "positive"),
    "a conductance that is a number": (("coordinates", "conductance"), 3.0, "numbers"),
    "a scale that is no power of two": (("tensors", "z", "scale16"), 3e-5, "power of two"),
    "a scale below zero": (("tensors", "z", "scale16"), -0.5, "power of two"),
    "an 8-bit scale of zero": (("tensors", "z", "scale8"), 0.0, "positive"),
    "a scale of text": (("tensors", "z", "scale8"), "0.1", "numbers"),
    "a zero point out of range": (("tensors", "z", "zero8"), 128, "zero8"),
    "a zero point between integers": (("tensors", "z", "zero8"), 0.5, "zero8"),
    "a zero point of truth": (("tensors", "z", "zero8"), True, "zero8"),
    "a range upside down": (("tensors", "z", "low"), 4.0, "order"),
    "observed once": (("tensors", "z", "observed"), [0.0], "order"),
    "proved by a number": (("tensors", "z", "proved"), 1, "order"),
    "a tensor with more": (("tensors", "z", "zero16"), 0, "zero16"),
    "a tensor that is a list": (("tensors", "z"), [], "object"),
    "outputs as text": (("dense", 0, "outputs"), "ad", "names"),
    "an output with two matrices": (("dense", 1, "outputs"), ["a"], "two matrices"),
    "an output twice": (("dense", 1, "outputs"), ["b", "b"], "two matrices"),
    "a negative shape": (("dense", 0, "shape"), [-2, -4], "shape"),
    "a shape of three": (("dense", 0, "shape"), [2, 4, 1], "shape"),
    "a shape of fractions": (("dense", 0, "shape"), [2.0, 4.0], "shape"),
    "a huge shape": (("dense", 0, "shape"), [1 << 20, 1 << 20], "weights"),
    "a shape beyond 64 bits": (("dense", 0, "shape"), [10**30, 0], "shape"),
    "a weight of 128": (("dense", 1, "value"), [128, 0], "between"),
    "a weight of −128": (("dense", 1, "value"), [-128, 0], "between"),
    "a weight of −2⁶³": (("dense", 1, "value"), [-(2**63), 0], "between"),
    "a weight between integers": (("dense", 1, "value"), [0.5, 0], "whole"),
    "a weight too few": (("dense", 1, "value"), [1], "whole"),
    "a place outside": (("dense", 0, "place"), [8], "between"),
    "a place before": (("dense", 0, "place"), [-1], "between"),
    "more places than weights": (("dense", 0, "place"), [0, 1], "whole"),
    "places that are a number": (("dense", 0, "place"), 6, "whole"),
    "a weight scale of zero": (("dense", 0, "scale"), [0.0, 1.0], "positive"),
    "a scale too few": (("dense", 0, "scale"), [1.0], "rows"),
    "a bias too many": (("dense", 0, "bias"), [1.0, 2.0, 3.0], "rows"),
    "a bias beyond float64": (("dense", 0, "bias"), [10**400, 0], "json|JSON|numbers"),
    "sensitivity of nothing": (("sensitivity", 0, "kind"), "bias", "sensitivity"),
    "sensitivity in words": (("sensitivity", 0, "percent8"), "much", "numbers"),
    "sensitivity without a name": (("sensitivity", 0, "name"), 5, "sensitivity"),
    "calibration in words": (("calibration",), "thorough", "calibration"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_field_is_refused(case):
    path, value, message = HOSTILE[case]
    refused(changed(path, value), message)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    "field",
    ['"center": [0.1', '"low": 0.0', '"percent8": 2.5', '"margin": 1.25', '"bias": [3.0', '"steps": 9'],
)
def test_what_is_no_finite_number_is_refused(field, number):
    content = plan_bytes(small_plan()).decode()
    assert field in content
    name, _, opened = field.partition(": ")
    refused(content.replace(field, f"{name}: {'[' if opened[0] == '[' else ''}{number}", 1).encode())


def test_every_field_is_needed():
    def missing(document, path=()):
        entries = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in list(entries):
            if path[:1] != ("calibration",) and path != ("tensors",) and isinstance(document, dict):
                yield (*path, key)
            if isinstance(value, dict | list):
                yield from missing(value, (*path, key))

    for path in missing(DOCUMENT):
        document = copy.deepcopy(DOCUMENT)
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        refused(document)


def test_many_large_matrices_in_few_bytes_are_refused():
    """Each within the limit, together not: a short file must not claim all memory."""
    rows = 8
    entry = {"shape": [rows, MAX_WEIGHTS // rows // 4], "scale": [1.0] * rows, "bias": [0.0] * rows}
    many = [entry | {"outputs": [f"m{i}"], "place": [], "value": []} for i in range(5)]
    refused(changed(("dense",), many), "weights")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"7",
        b'"plan"',
        b"{",
        b"[" * 100_000,
        b'{"format": ' * 50_000,
        b'{"format": "ltc-edge quantization plan", "schema": 1}',
        b'{"format": "ltc-edge quantization plan", "schema": ' + b"9" * 5000 + b"}",
        plan_bytes(small_plan())[:-4],
        plan_bytes(small_plan()) + b"{}",
    ],
    ids=range(13),
)
def test_what_is_no_plan_is_refused(content):
    refused(content)


def test_deep_nesting_inside_a_field_is_refused():
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    refused(plan_bytes(small_plan()).replace(b'"steps": 9', b'"steps": ' + deep))


PATHS = [
    ("format",), ("schema",), ("coordinates",), ("tensors",), ("dense",), ("calibration",), ("sensitivity",),
    ("coordinates", "state"), ("coordinates", "state", "span"), ("coordinates", "conductance"),
    *(("tensors", "z", key) for key in DOCUMENT["tensors"]["z"]), ("tensors", "z"),
    *(("dense", 0, key) for key in A_MATRIX), *(("dense", 1, key) for key in A_FULL_MATRIX), ("dense", 0),
    *(("sensitivity", 0, key) for key in DOCUMENT["sensitivity"][0]), ("sensitivity", 0),
]  # fmt: skip
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["a", "b", "z", "center", "span", "tensor"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(max_size=3), st.sampled_from(sorted(A_MATRIX))), inner, max_size=4),
    ),
    max_leaves=8,
)


def harmless(content):
    """Refused with `InputError`, or a plan that can be written and read again."""
    try:
        plan = plan_from_bytes(content, "there")
    except InputError:
        return
    written = plan_bytes(plan)
    assert plan_bytes(plan_from_bytes(written, "there")) == written


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PATHS), JSON)
def test_any_value_in_any_field_is_harmless(path, value):
    harmless(json.dumps(changed(path, value)).encode())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(plan_bytes(small_plan())) - 1), st.binary(max_size=6), st.integers(0, 8))
def test_damaged_bytes_are_harmless(place, inserted, removed):
    content = plan_bytes(small_plan())
    harmless(content[:place] + inserted + content[place + removed :])


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_document_is_harmless(document):
    harmless(json.dumps(document).encode())
