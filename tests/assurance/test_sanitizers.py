"""Every kind of controller under sanitizers; and what the harness says of controllers that were broken."""

import dataclasses
import re

import pytest
from assurance import sanitize, subjects
from assurance.building import runtime_objects

SOME = ("ltc", "ltc rk4", "cfc wired pure", "mixed memory, cfc wired", subjects.STEEP)


def chosen():
    """All of what is int16, whose arithmetic can overflow, and some of the rest."""
    for made in subjects.subjects():
        few = made.kind in SOME
        for instruments in sanitize.INSTRUMENTS:
            if (instruments == "clang" and (few or made.sources.state_type == "int16")) or (
                few and instruments == "gcc"
            ):
                yield pytest.param(instruments, made, id=f"{instruments}-{made.label}")
            elif made.kind == "ltc":
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
    "no check of the seal": ("ltc", r"context->seal != READY", "context->seal == 1U", "invariant"),
    "no check of the state": ("ltc", r"!is_within\(context->state\)", "0", "nasty state|division by zero"),
    "an upper limit that is not applied": (
        "cfc",
        r"ltc_limit_f32\(parameters.action_low, parameters.action_high, (\w+), 2U\)",
        r"ltc_limit_f32(parameters.action_low, parameters.action_high, \1, 0U)",
        "selftest",
    ),
    "no checksum": ("ltc", r"context->checksum != checksum_of\(context\)", "0", "flipped bit"),
    "a scratch array that is too short": ("ltc", r"float scratch\[45\]", "float scratch[44]", "ended with -"),
    "memory that contexts share": (
        "ltc",
        r"uint32_t status = SUBJECT_OK;",
        r"uint32_t status = SUBJECT_OK; static uint32_t calls; dt += ((++calls % 1000U) == 0U) ? 0.001F : 0.0F;",
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
    files = {**good.sources.files, "subject.c": broken.encode()}
    subject = dataclasses.replace(good, sources=dataclasses.replace(good.sources, files=files))
    assert re.search(said, sanitize.run_harness(subject, "clang", objects("clang"), tmp_path))
