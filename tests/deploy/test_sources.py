"""C of a bundle is compiled only where it is what the bundle's controller gives."""

import copy

import pytest

from ltc_edge.bundle.bundle import Bundle, load_bundle
from ltc_edge.bundle.folder import BundleFiles
from ltc_edge.deploy.sources import choose_c_format, trusted_sources
from ltc_edge.errors import BundleError, InputError


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return load_bundle(unverified_bundle("onnx", "c-float32", "c-int16"))


def changed(bundle, contents, **manifest):
    """The bundle as somebody would hand it over who has made its digests fit."""
    whole = dict(bundle.files.contents) | contents
    kept = {name: content for name, content in whole.items() if content is not None}
    document = copy.deepcopy(dict(bundle.files.manifest)) | manifest
    return Bundle(BundleFiles(bundle.path, document, kept))


@pytest.mark.parametrize("form", ["c-float32", "c-int16"])
def test_what_is_written_anew_is_what_was_exported(bundle, form):
    ours = trusted_sources(bundle, form)
    assert ours.files == bundle.artifacts[form].files
    assert f"{ours.c_name}.c" in ours.c_sources().files


def sources_of(bundle, form="c-float32"):
    return [name for name in bundle.files.contents if name.startswith(f"{form}/src/")]


@pytest.mark.parametrize("form", ["c-float32", "c-int16"])
def test_every_file_for_a_compiler_is_compared(bundle, form):
    for name in sources_of(bundle, form)[::5]:
        evil = changed(bundle, {name: bundle.content(name) + b"\n"})
        with pytest.raises(
            BundleError, match=r"is not what its controller\.onnx gives .*--trust-c"
        ) as refused:
            trusted_sources(evil, form)
        assert name in str(refused.value)


def test_a_file_more_and_a_file_less(bundle):
    for name, content in (("c-float32/src/more.c", b"int x;\n"), (sources_of(bundle)[0], None)):
        with pytest.raises(BundleError, match="differs"):
            trusted_sources(changed(bundle, {name: content}), "c-float32")


def test_another_version_may_write_other_c(bundle):
    name = sources_of(bundle)[0]
    evil = changed(bundle, {name: bundle.content(name) + b"\n"}, ltc_edge="0.0.1")
    with pytest.raises(BundleError, match=r"written by ltc-edge 0\.0\.1, and .* may write other C"):
        trusted_sources(evil, "c-float32")
    assert trusted_sources(evil, "c-float32", trust_c=True).files[name] == evil.content(name)


def test_the_format_that_is_taken(bundle):
    assert choose_c_format(bundle, None) == "c-float32"
    assert choose_c_format(bundle, "c-int16") == "c-int16"
    formats = dict(bundle.files.manifest["formats"])
    integer = changed(bundle, {}, formats={name: formats[name] for name in ("onnx", "c-int16")})
    assert choose_c_format(integer, None) == "c-int16"
    with pytest.raises(InputError, match="has no c-float32; of C it has c-int16"):
        choose_c_format(integer, "c-float32")
    with pytest.raises(InputError, match="has no C; export it again"):
        choose_c_format(changed(bundle, {}, formats={"onnx": formats["onnx"]}), None)
    with pytest.raises(InputError, match="is not C"):
        trusted_sources(bundle, "onnx")
