import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_edge.errors import InputError
from ltc_edge.report.page import report_page
from ltc_edge.report.profile_file import read_profile


def leaves(document, path=()):
    """Paths to everything in a document, objects and lists included."""
    if path:
        yield path
    children = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in children:
        yield from leaves(value, (*path, key)) if isinstance(value, dict | list) else [(*path, key)]


def put(document, path, value):
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


def test_figures_are_read(profile_file, documents):
    profile = read_profile(profile_file())
    document = documents("linux")
    assert (profile.target, profile.kind, profile.valid) == ("ssh://pi@robot.local", "linux", True)
    assert [figures.name for figures in profile.formats] == list(document["formats"])
    onnx, stated = profile.formats[0], document["formats"]["onnx"]
    assert onnx.latency.p999 == stated["latency_us"]["p999"]
    assert sum(onnx.histogram.counts) == stated["latency_us"]["samples"]
    assert [run.misses for run in onnx.paced] == [run["misses"] for run in stated["paced"]]
    assert [comparison.regression for comparison in profile.baseline] == [False, True]
    assert ("Model", "Raspberry Pi 4 Model B Rev 1.4") in profile.device.facts
    assert ("Highest temperature", "48.2 °C", "55.0 °C") in profile.device.state


def test_counts_of_an_emulator_are_read(profile_file):
    figures = read_profile(profile_file("emulated")).formats[0]
    assert figures.emulated.instructions == 5128
    assert figures.emulated.cycle_model == "Cortex-M4, flash without wait states"
    assert figures.firmware.flash_bytes == 5912
    assert figures.latency.p50 is None
    assert figures.histogram is None


NEEDED = {("format",), ("schema",), ("kind",), ("valid",)}


@pytest.mark.parametrize("name", ["linux", "emulated"])
def test_whatever_was_not_measured_may_be_null(name, documents, tmp_path):
    """Every figure by itself; of lists one entry, since the others are alike."""
    path = tmp_path / "profile.json"
    for leaf in leaves(documents(name)):
        within_list = any(isinstance(key, int) for key in leaf)
        if leaf in NEEDED or leaf[-1] == "status" or within_list or (leaf[0] == "formats" and len(leaf) == 2):
            continue
        if leaf[-1] in ("edges_us", "counts"):
            continue  # one without the other is no histogram
        document = documents(name)
        put(document, leaf, None)
        path.write_text(json.dumps(document))
        read_profile(path)


DAMAGE = {
    "another format": (("format",), "ltc-edge bundle"),
    "another version": (("schema",), 2),
    "an unknown kind": (("kind",), "toaster"),
    "a silent one": (("valid",), None),
    "valid, in words": (("valid",), "yes"),
    "an unknown status": (("formats", "onnx", "status"), "splendid"),
    "text for a number": (("formats", "onnx", "latency_us", "p50"), "fast"),
    "not a number": (("formats", "onnx", "latency_us", "p99"), float("nan")),
    "no finite number": (("formats", "onnx", "latency_us", "max"), float("inf")),
    "a number beyond all numbers": (("formats", "onnx", "step_us"), 10**400),
    "a negative count": (("formats", "onnx", "rss_bytes"), -1),
    "true for a number": (("formats", "onnx", "step_us"), True),
    "a list for an object": (("formats", "onnx", "latency_us"), [1, 2]),
    "a number for a format": (("formats", "onnx"), 7),
    "an object for a list": (("formats", "onnx", "paced"), {"load": "idle"}),
    "an edge too few": (("formats", "onnx", "histogram", "edges_us"), [1.0]),
    "an edge at zero": (("formats", "onnx", "histogram"), {"edges_us": [0.0, 1.0], "counts": [1]}),
    "an edge beyond all time": (("formats", "onnx", "histogram"), {"edges_us": [1.0, 1e308], "counts": [1]}),
    "a count beyond all counts": (("formats", "onnx", "histogram"), {"edges_us": [1, 2], "counts": [1e300]}),
    "falling edges": (("formats", "onnx", "histogram"), {"edges_us": [2.0, 1.0], "counts": [1]}),
    "half a count": (("formats", "onnx", "histogram"), {"edges_us": [1.0, 2.0], "counts": [0.5]}),
    "too many bins": (
        ("formats", "onnx", "histogram"),
        {"edges_us": list(range(1, 5002)), "counts": [1] * 5000},
    ),
    "problems that are none": (("problems",), [["hot"]]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_line_that_names_the_file(damage, documents, tmp_path):
    document, path = documents("linux"), tmp_path / "profile.json"
    put(document, *DAMAGE[damage])
    path.write_text(json.dumps(document))
    with pytest.raises(InputError) as caught:
        read_profile(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[]", b'"text"', b"[" * 100_000, b'{"format": "ltc-edge profile"}']
)
def test_what_is_no_profile_is_refused(content, tmp_path):
    path = tmp_path / "profile.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"profile\.json: "):
        read_profile(path)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no such file"):
        read_profile(tmp_path / "none.json")
    with pytest.raises(InputError, match="is a folder; name the profile"):
        read_profile(tmp_path)
    (tmp_path / "large.json").write_text("{" + " " * 100)
    monkeypatch.setattr("ltc_edge.report.fields.MAX_BYTES", 100)
    with pytest.raises(InputError, match="is larger than any profile"):
        read_profile(tmp_path / "large.json")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_anything_anywhere_is_shown_or_refused(data, bundle, documents, tmp_path):
    document = documents(data.draw(st.sampled_from(["linux", "emulated"])))
    path = tmp_path / "profile.json"
    put(document, data.draw(st.sampled_from(list(leaves(document)))), data.draw(ANYTHING))
    path.write_text(json.dumps(document))
    with contextlib.suppress(InputError):
        report_page(bundle, [path])


def test_text_cannot_leave_its_line(profile_file):
    hostile = "local\n\x1b[31mred\u202e"
    assert read_profile(profile_file(target=hostile)).target == "local ?[31mred?"
