"""What can be profiled, and what cannot."""

import hashlib
import json
import shutil

import pytest

from ltc_edge.bundle import folder
from ltc_edge.errors import BundleError, InputError
from ltc_edge.profiling.subject import BundleSubject, ModelSubject, read_profile_subject


def test_a_bundle(bundle):
    subject = read_profile_subject(bundle, (), ())
    assert isinstance(subject, BundleSubject)
    assert set(subject.artifacts) == {"onnx", "c-float32"}
    assert subject.controller.name == "tiny"
    assert subject.sha256 == hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    assert tuple(read_profile_subject(bundle, ("c-float32",), ()).artifacts) == ("c-float32",)


def test_a_model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"anything: the device says whether it runs")
    subject = read_profile_subject(path, (), (("a", "b"),))
    assert isinstance(subject, ModelSubject)
    assert subject.content == path.read_bytes()
    assert subject.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert subject.states == (("a", "b"),)


def test_options_that_do_not_fit(bundle, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"x")
    for path, formats, states, said in (
        (tmp_path / "model.onnx", ("onnx",), (), "is one model; --format chooses"),
        (bundle, (), (("a", "b"),), "--state is for a model of yours"),
        (bundle, ("c-int16",), (), "has no c-int16; it has c-float32, onnx"),
    ):
        with pytest.raises(InputError, match=said):
            read_profile_subject(path, formats, states)


def test_what_is_neither(tmp_path):
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "folder.onnx").mkdir()
    for name, said in (
        ("none", "there is no such bundle"),
        ("none.onnx", "cannot be read"),
        ("file.txt", "is no bundle"),
        ("folder.onnx", "is no bundle"),
        ("", "is no bundle"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            read_profile_subject(tmp_path / name, (), ())
        assert "\n" not in str(caught.value)


def test_a_bundle_that_was_changed(bundle, tmp_path):
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "controller.onnx").write_bytes(b"garbage")
    with pytest.raises(BundleError):
        read_profile_subject(copy, (), ())


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"formats": []}', b'{"formats": {"onnx": 5}}', b"\xff"]
)
def test_a_verification_that_is_not_readable(bundle, tmp_path, content):
    """A bundle may be anybody's: its hashes can be right and its files nonsense."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    (copy / "verification.json").write_bytes(content)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["verification.json"] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    del manifest["sha256"]
    manifest["sha256"] = hashlib.sha256(folder._canonical(manifest)).hexdigest()
    (copy / "manifest.json").write_bytes(folder._canonical(manifest))
    with pytest.raises(BundleError, match=r"verification\.json is not readable; export it again"):
        read_profile_subject(copy, (), ())
