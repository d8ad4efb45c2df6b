"""Programs that are kept: found only where nothing changed and nobody else could have put them there."""

import multiprocessing
import os

import pytest

from ltc_edge.deploy.linux.build import PROGRAM
from ltc_edge.deploy.run import program_cache
from ltc_edge.deploy.run.program_cache import DIGEST, digest_of, kept
from ltc_edge.errors import CacheError, InputError
from ltc_edge.kernels.compile import Compiler

COMPILER = Compiler(("cc",), "cc 1.0", "x86_64-linux-gnu")
TREE = {"a/b.c": b"int b;", "a/c.h": b""}


class Builder:
    """Counts what it builds."""

    def __init__(self, content=b"#!program"):
        self.content, self.built = content, 0

    def __call__(self):
        self.built += 1
        return self.content


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in program_cache.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "ltc-edge" / "loops"


def found(build, tree=None, variables=("A=1",), compiler=COMPILER):
    return kept(TREE if tree is None else tree, variables, compiler, build)


def test_it_is_built_once(cache):
    build = Builder()
    paths = {found(build) for _ in range(3)}
    assert build.built == 1
    (path,) = paths
    assert path.read_bytes() == b"#!program"
    assert path.stat().st_mode & 0o777 == 0o700
    assert [each.stat().st_mode & 0o777 for each in (cache, path.parent)] == [0o700, 0o700]


def test_whatever_it_depends_on_makes_another(monkeypatch):
    digests = [digest_of(TREE, ("A=1",), COMPILER)]
    digests.append(digest_of(TREE | {"a/b.c": b"int  b;"}, ("A=1",), COMPILER))
    digests.append(digest_of(TREE | {"a/d.h": b""}, ("A=1",), COMPILER))
    digests.append(digest_of({"a/b.c": b"int b;", "a/e.h": b""}, ("A=1",), COMPILER))
    digests.append(digest_of(TREE, ("A=2",), COMPILER))
    digests.append(digest_of(TREE, ("A=1",), Compiler(("gcc",), "cc 1.0", "x86_64-linux-gnu")))
    digests.append(digest_of(TREE, ("A=1",), Compiler(("cc",), "cc 1.1", "x86_64-linux-gnu")))
    monkeypatch.setenv("OPTIMISATION", "-O0")
    digests.append(digest_of(TREE, ("A=1",), COMPILER))
    assert len(set(digests)) == len(digests)


def test_processes_at_once_build_once(tmp_path):
    def build():
        with (tmp_path / "built").open("a") as file:
            file.write("x")
        return b"#!program"

    context = multiprocessing.get_context("fork")
    several = [context.Process(target=found, args=(build,)) for _ in range(4)]
    for process in several:
        process.start()
    for process in several:
        process.join()
    assert [process.exitcode for process in several] == [0] * 4
    assert (tmp_path / "built").read_text() == "x"


@pytest.mark.parametrize("name", [PROGRAM, DIGEST])
@pytest.mark.parametrize("content", [b"", b"#!programme", None])
def test_one_that_is_damaged_is_built_again(name, content):
    build = Builder()
    place = found(build).parent / name
    if content is None:
        place.unlink()
    else:
        place.write_bytes(content)
    assert found(build).read_bytes() == b"#!program"
    assert build.built == 2


@pytest.mark.parametrize("name", [PROGRAM, DIGEST, ".", "..", "../.."])
def test_nothing_is_run_that_others_can_write(name):
    build = Builder()
    (found(build).parent / name).chmod(0o777)
    with pytest.raises(CacheError, match="somebody else can write it"):
        found(build)
    assert build.built == 1


def test_a_link_is_not_followed(tmp_path):
    build = Builder()
    path = found(build)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CacheError, match="somebody else can write it"):
        found(build)


def test_a_place_that_cannot_be_used(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    build = Builder()
    with pytest.raises(CacheError, match="cannot be"):
        found(build)
    assert build.built == 0


def test_what_cannot_be_built_is_not_kept(cache):
    def build():
        raise InputError("no")

    with pytest.raises(InputError):
        found(build)
    assert not list(cache.glob(f"*/{PROGRAM}"))


def test_those_used_longest_ago_go(monkeypatch, cache):
    monkeypatch.setattr(program_cache, "MOST_KEPT", 2)
    build = Builder()
    places = [found(build, variables=(f"A={number}",)).parent for number in range(3)]
    assert all(place.exists() for place in places), "what was used just now stays"
    for age, place in zip((3, 1, 2), places, strict=True):
        os.utime(place / DIGEST, (age, age))
    latest = found(build, variables=("A=3",)).parent
    assert sorted(cache.iterdir()) == sorted([places[0], latest])
