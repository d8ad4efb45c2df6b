"""Taking an entry: what is written is what was measured, or nothing is."""

import dataclasses
import errno
import hashlib
import json
import shutil

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.bundle.trusted import trusted_sources
from ltc_edge.errors import BundleError, InputError, OutputError
from ltc_edge.zoo import take
from ltc_edge.zoo.archive import archive_bytes, archive_path, read_archive
from ltc_edge.zoo.index import load_index
from ltc_edge.zoo.take import take_bundle, take_controller, zoo_bundle

ENTRIES = list(load_index().entries.values())
CHEAP = {cell: next(entry for entry in ENTRIES if entry.cell == cell) for cell in ("ltc", "cfc")}


@pytest.fixture(params=["ltc", "cfc"])
def entry(request):
    return CHEAP[request.param]


@pytest.fixture
def shelf(tmp_path):
    """A copy of one entry's place in the package, to be damaged."""
    entry = CHEAP["ltc"]
    (tmp_path / "entries").mkdir()
    shutil.copy(archive_path(entry), tmp_path / "entries")
    return tmp_path


def test_a_bundle_is_the_one_that_was_measured(entry, tmp_path):
    take_bundle(entry, tmp_path / "bundle")
    content = (tmp_path / "bundle" / MANIFEST).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry.digests.manifest
    bundle = load_bundle(tmp_path / "bundle")  # which compares every file with the manifest
    assert set(bundle.formats) == {"onnx", "c-float32", "c-int16"}
    for form in ("c-float32", "c-int16"):
        trusted_sources(bundle, form)  # which refuses C that its controller does not give


def test_fewer_formats_leave_the_others_as_they_are(entry, tmp_path):
    whole = take_bundle(entry, tmp_path / "whole")
    part = take_bundle(entry, tmp_path / "part", ["c-int16"])
    assert sorted(part.formats()) == ["c-int16", "onnx"]
    assert not [name for name in part.contents if name.startswith("c-float32")]
    assert json.loads(part.contents["verification.json"])["formats"].keys() == {"onnx", "c-int16"}
    for name in part.contents.keys() - {"verification.json"}:
        assert part.contents[name] == whole.contents[name]
    assert set(load_bundle(tmp_path / "part").formats) == {"onnx", "c-int16"}


def test_a_format_that_the_zoo_lacks_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(InputError, match="no tflite of it"):
        take_bundle(CHEAP["ltc"], tmp_path / "bundle", ["tflite"])
    assert not list(tmp_path.iterdir())


def test_the_controller_is_the_one_that_was_trained(entry, tmp_path):
    take_controller(entry, tmp_path / "start.safetensors")
    content = (tmp_path / "start.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry.digests.controller
    with pytest.raises(OutputError, match="exists already"):
        take_controller(entry, tmp_path / "start.safetensors")
    take_controller(entry, tmp_path / "start.safetensors", force=True)
    with pytest.raises(OutputError, match="is a folder"):
        take_controller(entry, tmp_path)


def test_a_changed_byte_of_the_package_is_refused(shelf):
    entry = CHEAP["ltc"]
    path = archive_path(entry, shelf)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not the file that the zoo's index pins"):
        zoo_bundle(entry, shelf)
    path.unlink()
    with pytest.raises(BundleError, match=r"cannot be read \(No such file or directory\); install"):
        zoo_bundle(entry, shelf)


@pytest.mark.parametrize("name", ["controller.onnx", "golden.safetensors", "model_card.md"])
def test_a_file_that_is_not_what_was_measured_is_refused_by_its_name(name, shelf):
    """Also where the archive is pinned: the index pins what comes of it too."""
    entry = CHEAP["ltc"]
    files = read_archive(entry, shelf)
    other = read_archive(CHEAP["cfc"])[name]
    archive_path(entry, shelf).write_bytes(content := archive_bytes(files | {name: other}))
    digests = dataclasses.replace(entry.digests, archive=hashlib.sha256(content).hexdigest())
    with pytest.raises(BundleError, match="not what was measured") as refused:
        zoo_bundle(dataclasses.replace(entry, digests=digests), shelf)
    assert name in str(refused.value)


def test_c_that_comes_out_otherwise_is_refused(monkeypatch):
    """Another version of what writes C gives another program than the one that was measured."""
    make = take.make_artifact

    def other(form, *arguments):
        made = make(form, *arguments)
        files = {name: content.replace(b"static", b"static ", 1) for name, content in made.files.items()}
        return dataclasses.replace(made, files=files)

    monkeypatch.setattr(take, "make_artifact", other)
    with pytest.raises(BundleError, match=r"c-float32/.* that is made here is not what was measured"):
        zoo_bundle(CHEAP["ltc"])


def test_a_place_that_is_taken_is_left_alone(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(OutputError):
            take_bundle(CHEAP["ltc"], folder, force=force)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ltc_edge.bundle.folder._write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        take_bundle(CHEAP["ltc"], tmp_path / "bundle")
    assert not list(tmp_path.iterdir())


def test_an_archive_depends_on_its_files_alone():
    files = {"b": b"2" * 1000, "a": b"1"}
    assert archive_bytes(files) == archive_bytes(dict(reversed(files.items())))
