"""Every kind of controller under sanitizers; and what the harness says of controllers that were broken."""

import dataclasses
import re

import pytest
from assurance import sanitize, subjects
from assurance.building import runtime_objects

SOME = (
    "ltc",
    "ltc exponential",
    "ltc rk4",
    "cfc wired pure",
    "lstm",
    "mixed memory, cfc wired",
    *subjects.STEEP,
)
"""All kernels are in these; `tools/assure_c.py sanitize` runs every kind with every instrument."""


def chosen():
    for made in subjects.subjects(SOME):
        for instruments in sanitize.INSTRUMENTS if made.kind == "ltc" else ("clang",):
            yield pytest.param(instruments, made, id=f"{instruments}-{made.label}")


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """The runtime with instruments, compiled once."""
    made = {}

    def of(instruments):
        if instruments not in made:
            folder = tmp_path_factory.mktemp("runtime")
            compiler = sanitize.INSTRUMENTS[instruments][0]
            made[instruments] = runtime_objects(compiler, sanitize.flags_of(instruments), folder)
        return made[instruments]

    return of


@pytest.mark.parametrize(("instruments", "subject"), list(chosen()))
def test_sanitizers_find_nothing(instruments, subject, objects, installed, tmp_path):
    installed(sanitize.INSTRUMENTS[instruments][0])
    assert sanitize.run_harness(subject, instruments, objects(instruments), tmp_path) == "clean"


# What is broken, in which kind: a pattern in its source, what it becomes, and what must be said of it.
BREAKS = {
    "no check of the inputs": ("ltc", r"!ltc_finite_f32\(observation, \d+U\)", "0", "nasty input"),
    "no check of the seal": ("ltc", r"context->seal != READY", "context->seal == 1U", "seal or checksum"),
    "no check of the state": ("ltc", r"!is_within\(context->state\)", "0", "nasty state|division by zero"),
    "an upper limit that is not applied": (
        "cfc",
        r"ltc_limit_f32\(parameters.action_low, parameters.action_high, (\w+), 2U\)",
        r"ltc_limit_f32(parameters.action_low, parameters.action_high, \1, 0U)",
        "selftest",
    ),
    "no checksum": (
        "ltc",
        r"context->checksum != checksum_of\(context\)",
        "0",
        "invariant with a nasty state",
    ),
    "a scratch array that is too short": (
        "ltc",
        r"float scratch\[\d+\]",
        "float scratch[SHORTER]",
        "program ended with",
    ),
    "memory that contexts share": (
        "ltc",
        r"uint32_t status = SUBJECT_OK;",
        "uint32_t status = SUBJECT_OK; static uint32_t calls; dt += (++calls % 999U == 0U) ? 0.001F : 0.0F;",
        "re-entrancy|between steps",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_controller_is_found(name, objects, installed, tmp_path):
    installed("clang")
    kind, pattern, replacement, said = BREAKS[name]
    good = subjects.subject(kind)
    text = good.sources.files["subject.c"].decode()
    broken, count = re.subn(pattern, replacement, text, count=1)
    assert count == 1
    broken = broken.replace("SHORTER", str(subjects.scratch_size(good) - 1))
    files = {**good.sources.files, "subject.c": broken.encode()}
    subject = dataclasses.replace(good, sources=dataclasses.replace(good.sources, files=files))
    assert re.search(said, sanitize.run_harness(subject, "clang", objects("clang"), tmp_path))
