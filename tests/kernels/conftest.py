"""Tiny sources that keep the contract of the kernels and compile in a moment, and odd compilers."""

import os
import select
import shutil

import pytest

from ltc_edge.kernels import compile as kernels
from ltc_edge.kernels import library, mode

TABLE = "typedef struct { const char *isa; } table;\n"
DISPATCH = """
#include <stdint.h>
#include <string.h>
#include "table.h"
#define EXPORT __attribute__((visibility("default")))
#define TABLE(isa) extern const table table_##isa __attribute__((weak, visibility("hidden")))
TABLE(avx512); TABLE(avx2); TABLE(sse2); TABLE(neon); TABLE(generic);

static const table *in_use;

static const table *find(const char *isa)
{
    const table *const all[] = {&table_sse2, &table_avx2, &table_avx512, &table_neon, &table_generic};
    for (int i = 0; i < 5; i++) {
        if (all[i] != 0 && (isa == 0 || strcmp(all[i]->isa, isa) == 0)) return all[i];
    }
    return 0;
}

EXPORT int32_t ltc_edge_kernels_abi(void) { return ABI; }
EXPORT const char *ltc_edge_kernels_isas(void)
{
    static char names[64];
    names[0] = 0;
    if (&table_avx512 != 0) strcat(names, "avx512,");
    if (&table_avx2 != 0) strcat(names, "avx2,");
    return strcat(names, find(0)->isa);
}
EXPORT const char *ltc_edge_kernels_isa(void) { return in_use ? in_use->isa : find(0)->isa; }
EXPORT int32_t ltc_edge_kernels_use(const char *isa)
{
    const table *found = find(isa);
    if (found == 0) return -1;
    in_use = found;
    return 0;
}
"""
KERNEL = """
#include "table.h"
#define TEXT(name) #name
#define EXPANDED(name) TEXT(name)
#define PASTE(a, b) a##b
#define NAME(isa) PASTE(table_, isa)
const table NAME(LTC_EDGE_ISA) = {EXPANDED(LTC_EDGE_ISA)};
"""


def tiny_sources():
    dispatch = DISPATCH.replace("ABI;", f"{library.ABI};")
    return {"table.h": TABLE.encode(), "dispatch.c": dispatch.encode(), "tiny.kernel.c": KERNEL.encode()}


@pytest.fixture
def sources():
    """The tiny sources by name."""
    return tiny_sources()


@pytest.fixture(scope="session")
def tiny_build():
    """The library of the tiny sources."""
    return kernels.build(tiny_sources(), kernels.ask_compiler())


@pytest.fixture
def package(sources, tmp_path, monkeypatch):
    """A package of the tiny sources; nothing was loaded yet, and the cache is empty."""
    folder = tmp_path / "package"
    (folder / "source").mkdir(parents=True)
    for name, content in sources.items():
        (folder / "source" / name).write_bytes(content)
    monkeypatch.setattr(library, "PACKAGE", folder)
    monkeypatch.setattr(library, "_outcome", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv(mode.VARIABLE, raising=False)
    mode._of_environment.cache_clear()
    yield folder
    mode._of_environment.cache_clear()


@pytest.fixture
def no_compiler(tmp_path, monkeypatch):
    """A machine without any."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def odd_compiler(tmp_path):
    """Makes a compiler that answers questions, and otherwise does what a line of shell says."""
    real = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if real is None:
        pytest.skip("no C compiler is installed")

    def make(line, *, answers=True):
        path = tmp_path / "odd-cc"
        questions = f'case "$1" in --version|-dumpmachine) exec {real} "$@";; esac\n' if answers else ""
        path.write_text(f"#!/bin/sh\n{questions}{line}\n".replace("REAL", real))
        path.chmod(0o755)
        return (str(path),)

    return make


@pytest.fixture
def is_alive():
    """Tells whether a process runs on; one that ended and was not waited for does not.

    A killed process that is not ours to wait for takes a moment to end.
    """

    def alive(pid):
        try:
            handle = os.pidfd_open(int(pid))
        except ProcessLookupError:
            return False
        with os.fdopen(handle) as file:
            return not select.select([file], [], [], 10.0)[0]

    return alive
