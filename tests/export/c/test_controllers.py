"""Generated controllers do what their controllers do, and give the same bits however they are compiled."""

import hashlib
import re

import numpy as np
import pytest

from ltc_edge import ReferenceStepper, Stepper
from ltc_edge.errors import ControllerFileError, InputError, MissingToolError
from ltc_edge.export.c import CSources, c_float32
from ltc_edge.verification.tolerances import TOLERANCES

LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")


@pytest.fixture
def compiled(lab):
    return lab.stepper


def test_equals_the_reference(lab, compiled, case):
    controller = lab.controller(case)
    observations, spans = lab.steppers.irregular()
    observations = observations.astype(np.float32).astype(np.float64)
    stepper = compiled(case)
    assert isinstance(stepper, Stepper)
    expected = lab.steppers.run(ReferenceStepper(controller), observations, spans)
    got = lab.steppers.run(stepper, observations, spans)
    allowed = 1e-5 * np.array([1.0, 40.0])
    if case[1] == "int16":
        allowed = TOLERANCES["c-int16"].over_sigma * expected.std(axis=0)
    assert (np.abs(got - expected) <= allowed).all()


def digest(stepper, lab, steps):
    """SHA-256 of the actions and the last state."""
    observations, spans = lab.steppers.irregular(steps, seed=11)
    actions = lab.steppers.run(stepper, observations, spans).astype("<f4")
    return hashlib.sha256(actions.tobytes() + stepper.machine.read_state()).hexdigest()


def test_every_compiler_and_level_gives_the_same_bits(lab, compiled, case):
    few = case[0] != "ltc"
    flags = [(*lab.warnings, level) for level in (LEVELS[::3] if few else LEVELS)]
    # GNU modes contract a * b + c where a processor can: the sources forbid it.
    flags += [("-std=gnu11", "-O2", "-march=native")]
    if not few:
        flags += [("-std=c99", "-O3", f"-D{name}") for name in ("LTC_F32_VECTORS=0", "LTC_I16_NO_DIVISION=1")]
    steps = 500 if few else 10_000
    digests = {
        digest(compiled(case, compiler=compiler, flags=options), lab, steps)
        for compiler in lab.compilers
        for options in flags
    }
    assert len(digests) == 1


def test_the_bytes_are_the_same_every_time(lab, case):
    # To plan takes seconds: one kind of each family is planned again, the others are written again.
    anew = case[1] == "float32" or case[0] in ("ltc", "cfc wired", "gru", "mixed memory, ctrnn")
    plan = None if anew else lab.plan(case[0])
    assert lab.written(lab.controller(case), case[1], plan=plan).files == lab.sources(case)
    assert all(content.isascii() and content.endswith(b"\n") for content in lab.sources(case).values())


def test_only_what_is_called_is_there(lab):
    assert "ltc_substeps_f32.c" in lab.sources("ltc")
    assert "ltc_substeps_f32.c" not in lab.sources("gru")
    kinds = ("ltc", "cfc wired", "lstm")
    for files in (lab.sources((kind, arithmetic)) for kind in kinds for arithmetic in ("float32", "int16")):
        text = b"".join(files.values()).decode()
        included = set(re.findall(r'#include ["<](.*)[">]', text))
        assert included - set(files) == {"stdint.h"}
        assert not re.search(r"\b(malloc|free|memcpy|expf|tanhf|fmaf|double|long)\b\s*\(?[^-]", _code(text))


def _code(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S).replace("memcpy out", "")


def test_names_of_other_interfaces_do_not_meet(lab):
    one, other = lab.sources("ltc"), lab.sources("ltc", "arm_2")
    shared = set(one) & set(other)
    assert all(one[name] == other[name] for name in shared)
    assert {"arm_2.c", "arm_2.h"} <= set(other)


@pytest.mark.parametrize(
    "name", ["", "2fast", "a-b", "int", "class", "a b", "é", "x" * 41, "ltc_x", "LTC", "../a"]
)
def test_a_name_that_is_no_identifier_is_refused(lab, name):
    with pytest.raises(InputError, match=r"such as '[a-z][a-z0-9_]*'"):
        c_float32(lab.controller("ltc"), name)


def test_a_changed_golden_bit_fails_the_selftest(lab, ltc):
    files = dict(lab.sources(ltc))
    text = files["demo.c"].decode()
    at = re.search(r"golden_action\[\d+\] = \{\s*0x(\w{8})U", text)
    changed = f"{int(at[1], 16) ^ 1:08X}"
    files["demo.c"] = (text[: at.start(1)] + changed + text[at.end(1) :]).encode()
    with pytest.raises(ControllerFileError, match="golden bits"):
        lab.stepper(ltc, CSources("demo", files, ltc[1]))


def test_fast_math_is_refused(compiled, compiler):
    with pytest.raises(InputError, match="ffast-math"):
        compiled("ltc", compiler=compiler, flags=("-O2", "-ffast-math"))


def test_no_compiler(compiled, monkeypatch):
    with pytest.raises(MissingToolError, match=r"install one .* CC"):
        compiled("ltc", compiler="no-such-compiler")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(MissingToolError, match="none of cc, gcc, clang"):
        compiled("ltc")


def test_another_name_is_not_in_the_sources(lab):
    with pytest.raises(ControllerFileError, match="not of a controller 'other'"):
        lab.stepper("ltc", CSources("other", lab.sources("ltc"), "float32"))


def test_reset_and_restore_repeat(lab, compiled):
    stepper = compiled("mixed memory, ltc")
    observations, spans = lab.steppers.irregular(40)
    lab.steppers.run(stepper, observations[:20], spans[:20])
    state, held = stepper.state, stepper.hold()
    first = lab.steppers.run(stepper, observations[20:], spans[20:])
    stepper.restore(state)
    np.testing.assert_array_equal(lab.steppers.run(stepper, observations[20:], spans[20:]), first)
    stepper.resume(held)
    np.testing.assert_array_equal(lab.steppers.run(stepper, observations[20:], spans[20:]), first)
    stepper.reset()
    np.testing.assert_allclose(stepper.state, lab.controller("mixed memory, ltc").reset_state, atol=1e-7)


def test_version_names_controller_and_parameters(compiled):
    assert re.fullmatch(r"cfc wired; ltc-edge \S+; crc [0-9a-f]{8}", compiled("cfc wired").machine.version())


def test_a_fallback_is_no_action(lab, ltc):
    """A corrupted context does not go on as if nothing were: whoever steps it is told."""
    stepper = lab.stepper(ltc)
    stepper.step(np.zeros(3), 0.02)
    stepper.machine._state[0] ^= 1
    with pytest.raises(ControllerFileError, match=r"gave its fallback .*STATE_OUT_OF_BOUNDS"):
        stepper.step(np.zeros(3), 0.02)
    stepper.reset()
    stepper.step(np.zeros(3), 0.02)
