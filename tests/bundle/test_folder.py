"""The folder of a bundle: whole or not there, whatever happens, and nothing but what was exported is read."""

import contextlib
import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_edge.bundle import folder
from ltc_edge.bundle.folder import MANIFEST, manifest_bytes, read_bundle_files, refuse_existing, write_bundle
from ltc_edge.errors import BundleError, OutputError

DOCUMENT = {"name": "x", "formats": {}, "weight": 0.1}
CONTENTS = {
    "controller.onnx": b"hub" * 100,
    "model_card.md": "# σ\n".encode(),
    "c-int16/src/demo.c": b"int x;\n",
    "c-int16/CMakeLists.txt": b"project(demo C)\n",
}


@pytest.fixture
def bundle(tmp_path):
    write_bundle(tmp_path / "bundle", DOCUMENT, CONTENTS)
    return tmp_path / "bundle"


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def signed(document):
    """A manifest whose digest is right, whatever it says."""
    digest = hashlib.sha256(folder._canonical(document)).hexdigest()
    return folder._canonical(document | {"sha256": digest})


def test_round_trip_and_equal_bytes(bundle, tmp_path):
    files = read_bundle_files(bundle)
    assert dict(files.contents) == CONTENTS
    assert files.manifest["weight"] == 0.1
    write_bundle(tmp_path / "again", DOCUMENT, dict(reversed(CONTENTS.items())))
    for name in (*CONTENTS, MANIFEST):
        assert (tmp_path / "again" / name).read_bytes() == (bundle / name).read_bytes()


def test_a_bundle_is_as_readable_as_its_folder(bundle, tmp_path):
    (tmp_path / "plain").mkdir()
    assert bundle.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_every_flipped_byte_of_the_manifest_is_refused(bundle):
    content = (bundle / MANIFEST).read_bytes()
    for index in range(len(content)):
        damaged = bytearray(content)
        damaged[index] ^= 1 << (5 * (index % 2))
        (bundle / MANIFEST).write_bytes(damaged)
        with pytest.raises(BundleError):
            read_bundle_files(bundle)


@pytest.mark.parametrize("name", CONTENTS)
def test_every_flipped_byte_of_a_file_is_refused(bundle, name):
    content = CONTENTS[name]
    for index in range(len(content)):
        damaged = bytearray(content)
        damaged[index] ^= 1 << (index % 8)
        (bundle / name).write_bytes(damaged)
        with pytest.raises(BundleError, match=name):
            read_bundle_files(bundle)


def test_flipped_bytes_of_a_real_bundle_are_refused(exported, tmp_path):
    copy, rng = tmp_path / "copy", random.Random(0)
    shutil.copytree(exported, copy)
    for path in copy.iterdir():
        content = path.read_bytes()
        for index in rng.sample(range(len(content)), 25):
            damaged = bytearray(content)
            damaged[index] ^= 1 << rng.randrange(8)
            path.write_bytes(damaged)
            with pytest.raises(BundleError):
                read_bundle_files(copy)
        path.write_bytes(content)
    read_bundle_files(copy)


@pytest.mark.parametrize("name", [*CONTENTS, MANIFEST])
def test_cut_longer_and_missing_files_are_refused(bundle, name):
    content = (bundle / name).read_bytes()
    for other in (b"", content[:1], content[:-1], content + b"\n", content * 2):
        (bundle / name).write_bytes(other)
        with pytest.raises(BundleError):
            read_bundle_files(bundle)
    (bundle / name).unlink()
    with pytest.raises(BundleError):
        read_bundle_files(bundle)


@pytest.mark.parametrize("name", [*CONTENTS, MANIFEST])
def test_what_is_no_regular_file_is_refused(bundle, name, tmp_path):
    content = (bundle / name).read_bytes()
    (tmp_path / "elsewhere").write_bytes(content)
    (bundle / name).unlink()
    (bundle / name).symlink_to("../elsewhere")
    with pytest.raises(BundleError, match="regular"):
        read_bundle_files(bundle)
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BundleError, match="regular"):
        read_bundle_files(bundle)
    (bundle / name).unlink()
    (bundle / name).mkdir()
    with pytest.raises(BundleError, match="regular"):
        read_bundle_files(bundle)


def test_a_file_of_a_gigabyte_is_refused_unread(bundle):
    with (bundle / "controller.onnx").open("wb") as file:
        file.truncate(1 << 30)
    started = time.monotonic()
    with pytest.raises(BundleError, match="larger"):
        read_bundle_files(bundle)
    assert time.monotonic() - started < 1


def test_a_stranger_is_refused_and_a_hidden_file_is_not(bundle):
    (bundle / ".DS_Store").write_bytes(b"")
    read_bundle_files(bundle)
    (bundle / "notes.txt").write_bytes(b"")
    with pytest.raises(BundleError, match=r"notes\.txt"):
        read_bundle_files(bundle)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/hostname",
        "a/../x",
        "a//b",
        "a/",
        "a/.x",
        "..",
        ".",
        "",
        MANIFEST,
        "A",
        "x\n",
        "a\\b",
        ".x",
        "x" * 200,
        "a/b/c/d/e/f",
        "a/" + "x" * 200,
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(bundle, name):
    (bundle.parent / "x").write_bytes(b"")
    document = json.loads((bundle / MANIFEST).read_bytes())
    del document["sha256"]
    document["files"][name] = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    (bundle / MANIFEST).write_bytes(signed(document))
    with pytest.raises(BundleError, match="do not trust"):
        read_bundle_files(bundle)


def test_a_stranger_within_a_folder_is_refused(bundle):
    (bundle / "c-int16" / "src" / "other.c").write_bytes(b"")
    with pytest.raises(BundleError, match=r"c-int16/src/other\.c"):
        read_bundle_files(bundle)


def test_a_folder_that_leads_elsewhere_is_refused(bundle, tmp_path):
    (bundle / "c-int16" / "src").rename(tmp_path / "elsewhere")
    (bundle / "c-int16" / "src").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="do not trust"):
        read_bundle_files(bundle)


@pytest.mark.parametrize("schema", [2, 0, True, 1.0, "1", None, [], 10**4200])
def test_another_schema_is_refused(bundle, schema):
    document = json.loads((bundle / MANIFEST).read_bytes()) | {"schema": schema}
    del document["sha256"]
    (bundle / MANIFEST).write_bytes(signed(document))
    with pytest.raises(BundleError, match="upgrade"):
        read_bundle_files(bundle)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"5", b"\xff\xfe", b"[" * 200_000, b'{"format": "ltc-edge bundle"}',
        b'{"a":' * 50_000, b'{"format":"ltc-edge bundle","schema":' + b"9" * 5000 + b"}",
        b'{"format":"ltc-edge bundle","schema":1,"x":1e999,"files":{}}',
        b'{"format":"ltc-edge bundle","schema":1,"x":NaN,"files":{}}',
        b'{"format":"ltc-edge bundle","schema":1,"x":"\\ud800","files":{}}',
        b'{"format":"ltc-edge bundle","schema":1,"files":{},"files":{}}',
    ],
)  # fmt: skip
def test_a_manifest_that_is_none(bundle, content):
    (bundle / MANIFEST).write_bytes(content)
    with pytest.raises(BundleError) as caught:
        read_bundle_files(bundle)
    assert "\n" not in str(caught.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["format", "schema", "files", "formats", "name", "weight", "sha256", "new"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=FIELDS, value=VALUES)
def test_a_field_of_a_signed_manifest_may_be_anything(bundle, field, value):
    document = json.loads(manifest_bytes(DOCUMENT, CONTENTS))
    del document["sha256"]
    try:
        content = signed(document | {field: value})
    except UnicodeEncodeError:
        return
    (bundle / MANIFEST).write_bytes(content)
    with contextlib.suppress(BundleError):
        assert dict(read_bundle_files(bundle).contents) == CONTENTS


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_of_the_manifest_changed_by_the_hundred(bundle, data):
    content = manifest_bytes(DOCUMENT, CONTENTS)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    changed = content[:start] + data.draw(st.binary(max_size=12)) + content[end:]
    (bundle / MANIFEST).write_bytes(changed)
    if changed == content:
        read_bundle_files(bundle)
        return
    with pytest.raises(BundleError):
        read_bundle_files(bundle)


def test_where_a_bundle_does_not_go(tmp_path, bundle):
    file, other, link = tmp_path / "file", tmp_path / "other", tmp_path / "link"
    file.write_text("x")
    other.mkdir()
    (other / "mine").write_text("x")
    link.symlink_to(bundle)
    for path in (file, other, link, file / "below", Path("/proc/no/bundle")):
        with pytest.raises(OutputError):
            write_bundle(path, DOCUMENT, CONTENTS, force=True)
    with pytest.raises(OutputError, match="--force"):
        refuse_existing(bundle, force=False)
    assert (other / "mine").read_text() == "x"
    read_bundle_files(bundle)


def test_a_wrong_place_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        refuse_existing(tmp_path / "file" / "below", force=False)
    with pytest.raises(OutputError):
        refuse_existing(tmp_path / ("a" * 300), force=False)


def test_a_folder_without_permission_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(OutputError, match="permission"):
        refuse_existing(tmp_path / "bundle", force=False)


def test_an_empty_folder_is_taken_and_missing_parents_are_made(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "new" / "deep" / "bundle"):
        write_bundle(path, DOCUMENT, CONTENTS)
        read_bundle_files(path)


@pytest.mark.parametrize("failing", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_what_was_there(bundle, tmp_path, failing, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = {"write": (folder, "_write"), "fsync": (os, "fsync"), "rename": (folder, "_put_in_place")}
    everything = (*CONTENTS, MANIFEST)
    before = {name: (bundle / name).read_bytes() for name in everything}
    monkeypatch.setattr(*target[failing], full if failing != "rename" else lambda *_, **__: full())
    with pytest.raises(OutputError, match="No space"):
        write_bundle(bundle, DOCUMENT, CONTENTS | {"new.bin": b"new"}, force=True)
    with pytest.raises(OutputError, match="No space"):
        write_bundle(tmp_path / "other", DOCUMENT, CONTENTS)
    monkeypatch.undo()
    assert {name: (bundle / name).read_bytes() for name in everything} == before
    assert names(bundle) == sorted({name.split("/")[0] for name in everything})
    assert names(tmp_path) == ["bundle"]


def test_replacing(bundle, tmp_path):
    write_bundle(bundle, DOCUMENT, {"new.bin": b"new"}, force=True)
    assert dict(read_bundle_files(bundle).contents) == {"new.bin": b"new"}
    assert names(tmp_path) == ["bundle"]


def test_replacing_where_the_system_has_no_exchange(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "exchange", lambda *_: False)
    test_replacing(bundle, tmp_path)


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path):
    dead = tmp_path / ".bundle.dead.unfinished"
    dead.mkdir()
    with folder._scratch(tmp_path / "bundle") as living:
        write_bundle(tmp_path / "bundle", DOCUMENT, CONTENTS)
        assert living.is_dir()
    assert names(tmp_path) == ["bundle"]


def test_the_slower_of_two_exports_without_force_is_refused(tmp_path, monkeypatch):
    path, first = tmp_path / "bundle", folder._put_in_place

    def overtaken(scratch, place, *, force):
        place.mkdir()
        (place / MANIFEST).write_text("somebody else's")
        first(scratch, place, force=force)

    monkeypatch.setattr(folder, "_put_in_place", overtaken)
    with pytest.raises(OutputError, match="exists already"):
        write_bundle(path, DOCUMENT, CONTENTS)
    assert (path / MANIFEST).read_text() == "somebody else's"
    assert names(tmp_path) == ["bundle"]


WRITER = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a shell
from ltc_edge.bundle.folder import write_bundle
from ltc_edge.errors import OutputError
path, tag = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
for turn in range(int(sys.argv[3])):
    contents = {f"file{i}.bin": f"{tag} {turn}".encode() * 100 for i in range(8)}
    try:
        write_bundle(path, {"tag": f"{tag} {turn}"}, contents, force=True)
    except OutputError as error:
        print(error, flush=True)
"""


def whole(path):
    """The bundle's files are all of one export."""
    files = read_bundle_files(path)
    assert len(files.contents) == 8
    assert set(files.contents.values()) == {files.manifest["tag"].encode() * 100}


def start(path, tag, turns=100_000):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), tag, str(turns)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process):
    process.communicate()
    return process.returncode


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_bundle_being_replaced_survives_a_kill(tmp_path, how):
    path, rng = tmp_path / "bundle", random.Random(int(how))
    finish(start(path, "first", turns=1))
    for turn in range(6):
        process = start(path, str(turn))
        time.sleep(rng.uniform(0.0, 0.05))
        process.send_signal(how)
        finish(process)
        whole(path)
    finish(start(path, "last", turns=1))
    assert names(tmp_path) == ["bundle"]


def test_exports_to_one_place_at_once(tmp_path):
    path = tmp_path / "bundle"
    finish(start(path, "first", turns=1))
    writers = [start(path, tag, turns=40) for tag in "ab"]
    assert [finish(writer) for writer in writers] == [0, 0]
    whole(path)
    assert names(tmp_path) == ["bundle"]
