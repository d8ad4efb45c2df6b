"""A bundle whose digests are right and whose documents are not: one line, or the same meaning."""

import copy
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_edge.bundle.bundle import Bundle, load_bundle
from ltc_edge.bundle.contents import GOLDEN, PLAN
from ltc_edge.bundle.folder import BundleFiles, read_bundle_files
from ltc_edge.bundle.pipeline import ExportOptions
from ltc_edge.bundle.recheck import verify_bundle
from ltc_edge.errors import InputError, LtcEdgeError
from ltc_edge.export.plan_file import plan_bytes, plan_from_bytes
from ltc_edge.files import safetensors_bytes, safetensors_from_bytes
from ltc_edge.verification import trials

OPTIONS = ExportOptions(episodes=2)


@pytest.fixture(scope="module")
def files(exported):
    return read_bundle_files(exported)


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    short = trials.free_run
    monkeypatch.setattr(
        "ltc_edge.verification.verify.free_run", lambda c, about=None: short(c, about, steps=150)
    )


def changed(files, contents=None, **manifest):
    """The bundle with other files and documents, as `read_bundle_files` gives it once the digests fit."""
    whole = dict(files.contents) | (contents or {})
    document = copy.deepcopy(dict(files.manifest)) | manifest
    return Bundle(BundleFiles(files.path, document, {k: v for k, v in whole.items() if v is not None}))


def check(bundle, formats=("onnx", "onnx-int16")):
    return verify_bundle(bundle, formats, OPTIONS)


def refused(bundle, formats=("onnx", "onnx-int16")):
    with pytest.raises(InputError) as caught:
        check(bundle, formats)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_was_exported_is_verified(exported):
    reports, note = verify_bundle(load_bundle(exported), (), OPTIONS)
    assert {name: report.status for name, report in reports.items()} == dict.fromkeys(
        ("onnx", "onnx-int8", "onnx-int16"), "ok"
    )
    assert note is not None


@pytest.mark.parametrize("formats", [5, [], {}, None, {"onnx": 5}, {"onnx": {}}, {"hub": {"status": "ok"}}])
def test_formats_that_are_none(files, formats):
    refused(changed(files, formats=formats), ("onnx",))


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "good"), ("status", None), ("file", "controller.onnx"), ("file", "../x"), ("file", ["x"]),
     ("file", 5), ("interface", None), ("interface", {}), ("interface", [])],
)  # fmt: skip
def test_a_format_with_a_wrong_field(files, field, value):
    formats = copy.deepcopy(files.manifest["formats"])
    formats["onnx-int16"][field] = value
    refused(changed(files, formats=formats))


def test_a_bundle_without_the_hub_or_with_an_unknown_format(files):
    formats = copy.deepcopy(files.manifest["formats"])
    refused(changed(files, formats={k: v for k, v in formats.items() if k != "onnx"}), ("onnx-int16",))
    refused(changed(files, formats=formats | {"onnx-int4": formats["onnx"]}))
    refused(changed(files), ("tflite",))
    refused(changed(files, {"controller.onnx": None}))


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**30), 10**30), st.none(), st.booleans(),
    st.text(max_size=3), st.just([]), st.just({}), st.just(10**400),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tensor=st.sampled_from(["observation", "dt", "state", "action"]),
    field=st.sampled_from(["dtype", "center", "span", "scale", "zero_point"]),
    value=NUMBERS,
)
def test_an_interface_may_say_anything(files, tensor, field, value):
    formats = copy.deepcopy(files.manifest["formats"])
    interface = formats["onnx-int16"]["interface"]
    original = interface[tensor][field]
    interface[tensor][field] = [value] * len(original) if isinstance(original, list) else value
    try:
        reports, _ = check(changed(files, formats=formats), ("onnx-int16",))
    except LtcEdgeError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    report = reports["onnx-int16"]
    same = interface[tensor][field] == original
    assert report.failures or same or report.verdict.free_run.rms_over_sigma < 0.02
    json.dumps(report.summary(), allow_nan=False)


SOURCE = {"kind": "task", "name": "cartpole", "sensors": "positions"}


@pytest.mark.parametrize(
    "source",
    [5, [], {}, "task", {"kind": "x"}, {"kind": ["task"]}, {"kind": {}}, SOURCE | {"name": 5},
     SOURCE | {"sensors": None}, SOURCE | {"more": 1}, SOURCE],
)  # fmt: skip
def test_a_source_that_is_none_or_another_controllers(files, source):
    refused(changed(files, source=source))


@pytest.mark.parametrize(
    "source",
    [SOURCE | {"name": "no-such-task"}, SOURCE | {"sensors": "eyes"},
     {"kind": "log_task", "name": "no-such-log", "data_dir": "nowhere"},
     {"kind": "log_task", "name": "emps", "data_dir": "nowhere"}],
)  # fmt: skip
def test_a_task_that_is_not_here_is_not_run(files, source):
    reports, note = check(changed(files, source=source), ("onnx",))
    assert note is not None
    assert reports["onnx"].verdict.task is None


def test_code_that_a_bundle_names_is_not_run_unless_trusted(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil_task_for_tests.py").write_text("open('was_here', 'w').close()\n")
    environment = {"kind": "environment", "env": "evil_task_for_tests:X-v0", "expert": "a:b"}
    environment |= dict.fromkeys(["period_s", "observe", "max_steps"])
    for source in (SOURCE | {"name": "evil_task_for_tests:task"}, environment):
        bundle = changed(files, source=source)
        _, note = check(bundle, ("onnx",))
        assert "--trust-task" in note
        assert not (tmp_path / "was_here").exists()
    _, note = verify_bundle(
        changed(files, source=SOURCE | {"name": "evil_task_for_tests:task"}),
        ("onnx",),
        OPTIONS,
        trust_task=True,
    )
    assert "--trust-task" not in note
    assert (tmp_path / "was_here").exists()


def golden_with(files, **tensors):
    golden = safetensors_from_bytes(files.contents[GOLDEN], GOLDEN) | tensors
    return {GOLDEN: safetensors_bytes({k: v for k, v in golden.items() if v is not None})}


def test_golden_vectors_catch_what_was_changed(files):
    golden = safetensors_from_bytes(files.contents[GOLDEN], GOLDEN)
    off = golden["action"].copy()
    off[7, 0] += 1e-3
    assert "drive" in refused(changed(files, golden_with(files, action=off)))
    codes = golden["int16.state"].copy()
    codes[7, 0] += 300
    assert "int16." in refused(changed(files, golden_with(files, **{"int16.state": codes})))
    for name in golden:
        if name == "state":  # of the reference: for other implementations to look into
            continue
        refused(changed(files, golden_with(files, **{name: None})))
        refused(changed(files, golden_with(files, **{name: golden[name][:3]})))
        refused(changed(files, golden_with(files, **{name: np.zeros((200, 9, 9))})))
        refused(changed(files, golden_with(files, **{name: np.array(1.0)})))
    nothing = {name: values[:0] for name, values in golden.items()}
    refused(changed(files, golden_with(files, **nothing)))
    refused(changed(files, golden_with(files, action=np.full_like(off, np.nan))))
    refused(changed(files, {GOLDEN: b"junk"}))
    refused(changed(files, {GOLDEN: None}))


def test_golden_vectors_catch_another_hub(files, tiny_controller):
    from ltc_edge.export.hub.writer import hub_bytes

    weights = dict(tiny_controller().parameters)
    weights["readout_weight"] = weights["readout_weight"] * np.float32(1.001)
    other = hub_bytes(tiny_controller(parameters=weights))
    assert "golden" in refused(changed(files, {"controller.onnx": other}))


@pytest.mark.parametrize("name", ["controller.onnx", "controller-int16.onnx", PLAN])
@pytest.mark.parametrize("content", [b"", b"junk", b"[" * 100_000])
def test_a_file_that_is_none(files, name, content):
    assert name in refused(changed(files, {name: content}))


def test_the_plan_of_another_controller_is_refused(files):
    plan = json.loads(files.contents[PLAN])
    for change in (
        {"tensors": {}},
        {"dense": []},
        {"coordinates": plan["coordinates"] | {"state": {"center": [0.0], "span": [1.0]}}},
    ):
        refused(changed(files, {PLAN: json.dumps(plan | change).encode()}))
    refused(changed(files, {PLAN: None}))


def places(document, path=()):
    """Every place in a JSON document."""
    yield path
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from places(value, (*path, key))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fields_of_the_plan_changed_by_the_hundred(files, data):
    document = json.loads(files.contents[PLAN])
    path, value = data.draw(st.sampled_from(list(places(document))[1:])), data.draw(NUMBERS)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    if data.draw(st.booleans()):
        parent[path[-1]] = value
    else:
        del parent[path[-1]]
    try:
        plan = plan_from_bytes(json.dumps(document).encode(), PLAN)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert PLAN in str(error)  # noqa: PT017
        return
    # What is accepted is a plan, and can be written again.
    again = plan_from_bytes(plan_bytes(plan), PLAN)
    assert plan_bytes(again) == plan_bytes(plan)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_of_the_plan_changed_by_the_hundred(files, data):
    content = files.contents[PLAN]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    try:
        plan = plan_from_bytes(content[:start] + data.draw(st.binary(max_size=8)) + content[end:], PLAN)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        plan_bytes(plan)
