"""A bundle from a stranger runs nothing here: its C is compiled where it is what its controller gives."""

import shutil

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.bundle.folder import MANIFEST, manifest_bytes, read_bundle_files
from ltc_edge.bundle.pipeline import ExportOptions
from ltc_edge.bundle.recheck import verify_bundle
from ltc_edge.errors import BundleError
from ltc_edge.profiling.subject import read_profile_subject

# Runs as soon as the library is loaded.
EVIL = """
#include <stdio.h>
__attribute__((constructor)) static void evil(void)
{{
    FILE *mark = fopen("{mark}", "w");
    if (mark) fclose(mark);
}}
"""


@pytest.fixture(scope="module")
def good(unverified_bundle):
    return unverified_bundle("onnx", "c-float32")


@pytest.fixture
def evil(good, tmp_path):
    """A bundle whose digests fit, with C that does something else too; and what that leaves."""
    folder, mark = tmp_path / "bundle", tmp_path / "mark"
    shutil.copytree(good, folder)
    files = read_bundle_files(folder)
    name = "c-float32/src/tiny.c"
    contents = dict(files.contents)
    contents[name] += EVIL.format(mark=mark).encode()
    (folder / name).write_bytes(contents[name])
    about = {key: files.manifest[key] for key in files.manifest if key not in ("format", "schema", "files")}
    (folder / MANIFEST).write_bytes(manifest_bytes(about, contents))
    return folder, mark


@pytest.mark.parametrize(
    "use",
    [
        lambda path: load_bundle(path).stepper("c-float32"),
        lambda path: verify_bundle(load_bundle(path), (), ExportOptions(episodes=1)),
        lambda path: read_profile_subject(path, (), ()),
    ],
    ids=["stepper", "verify", "profile"],
)
def test_its_c_is_refused_before_a_compiler_sees_it(evil, use):
    path, mark = evil
    with pytest.raises(BundleError, match=r"tiny\.c differs.*--trust-c"):
        use(path)
    assert not mark.exists()


def test_what_would_have_happened(evil):
    path, mark = evil
    load_bundle(path, trust_c=True).stepper("c-float32")
    assert mark.exists()
    assert read_profile_subject(path, (), (), trust_c=True).artifacts


def test_its_other_formats_can_be_used(evil):
    path, mark = evil
    load_bundle(path).stepper("onnx")
    assert not mark.exists()
