"""Bad input, corrupted memory and misuse: the fallback is given, the state is kept, the status says so."""

import ctypes
import math
import re

import numpy as np
import pytest

from ltc_edge import Controller
from ltc_edge.export.c import c_float32
from ltc_edge.export.c.guard import STATUS
from ltc_edge.runtimes.c_compiler import shared_library

GOOD = (0.5, -10.0, 0.0)


class Raw:
    """The C interface, without anything that Python checks."""

    def __init__(self, library, controller: Controller):
        self._library = ctypes.CDLL(str(library))
        self._library.demo_step.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_float, ctypes.c_void_p)
        self.size = controller.state_size
        self.fallback = controller.fallback.astype(np.float32)

    def context(self):
        words = np.zeros(1 + self.size, dtype=np.uint32)
        assert self._library.demo_reset(ctypes.c_void_p(words.ctypes.data)) == STATUS["OK"]
        return words

    def step(self, context, observation=GOOD, dt=0.02):
        x = np.array(observation, dtype=np.float32)
        action = np.full(len(self.fallback), 99.0, dtype=np.float32)
        status = self._library.demo_step(context.ctypes.data, x.ctypes.data, dt, action.ctypes.data)
        return status, action

    def __getattr__(self, name):
        return getattr(self._library, name)


@pytest.fixture(scope="module")
def raw_of(lab, tmp_path_factory):
    made = {}

    def make(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("raw")
            library = shared_library(lab.sources(kind), folder, lab.compilers[:1], ["-std=c99", "-O2"])
            made[kind] = Raw(library, lab.controller(kind))
        return made[kind]

    return make


@pytest.fixture
def raw(raw_of):
    return raw_of("ltc")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("channel", [0, 1, 2, "dt"])
def test_what_is_not_finite_changes_nothing(raw_of, kind, bad, channel):
    raw = raw_of(kind)
    context = raw.context()
    raw.step(context)
    before = context.copy()
    observation, dt = list(GOOD), 0.02
    if channel == "dt":
        dt = bad
    else:
        observation[channel] = bad
    status, action = raw.step(context, observation, dt)
    assert status == STATUS["NONFINITE_INPUT"]
    np.testing.assert_array_equal(action, raw.fallback)
    np.testing.assert_array_equal(context, before)


@pytest.mark.parametrize(("dt", "clamped"), [(0.0, 0.005), (-3.0, 0.005), (1e-42, 0.005), (3e38, 0.1)])
def test_time_is_brought_into_its_range(raw, dt, clamped):
    one, other = raw.context(), raw.context()
    status, action = raw.step(one, dt=dt)
    assert status & STATUS["DT_CLAMPED"]
    status, expected = raw.step(other, dt=float(np.float32(clamped)))
    assert not status & STATUS["DT_CLAMPED"]
    np.testing.assert_array_equal(action, expected)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [1e-45, 1e-38, 1e30, 3e38])
def test_no_finite_observation_makes_a_nan(raw_of, kind, size):
    raw = raw_of(kind)
    context = raw.context()
    for sign in (1, -1, 1):
        status, action = raw.step(context, [sign * size] * 3)
        assert not status & STATUS["STATE_OUT_OF_BOUNDS"]
        assert np.isfinite(action).all()


def test_limits_and_slew_are_told(raw):
    context = raw.context()
    seen = 0
    rng = np.random.default_rng(0)
    for _ in range(300):
        status, action = raw.step(context, np.array(GOOD) + rng.normal(size=3) * (1, 50, 3), dt=0.005)
        assert bool(status & STATUS["SATURATED"]) or action[1] > -30.0
        seen |= status
    assert seen & STATUS["SLEW_LIMITED"]


def test_a_limit_met_is_told(lab, tmp_path):
    import dataclasses

    from ltc_edge import ActionSignal

    signals = (ActionSignal("torque", "", -1e-3, 1e-3), ActionSignal("valve", "", -1.0, 1.0))
    controller = dataclasses.replace(lab.controller("cfc"), actions=signals, fallback=np.zeros(2))
    library = shared_library(
        c_float32(controller, "demo").files, tmp_path, lab.compilers[:1], ["-std=c99", "-O1"]
    )
    raw = Raw(library, controller)
    status, action = raw.step(raw.context())
    assert status == STATUS["SATURATED"]
    assert (np.abs(action) <= [1e-3, 1.0]).all()


def test_a_context_that_was_never_reset(raw):
    status, action = raw.step(np.zeros(1 + raw.size, dtype=np.uint32))
    assert status == STATUS["NOT_RESET"]
    np.testing.assert_array_equal(action, raw.fallback)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e9, 3e38])
def test_a_state_out_of_its_bounds(raw_of, kind, value):
    raw = raw_of(kind)
    # The valve, whose previous action is the last word, opens without a limit.
    words = raw.size if value == 3e38 else 1 + raw.size
    for word in range(1, words):
        context = raw.context()
        context.view(np.float32)[word] = value
        before = context.copy()
        status, action = raw.step(context)
        if "euler" in kind or "rk4" in kind:
            # Nothing is proved of explicit solvers: what is finite may be their state.
            assert np.isfinite(action).all()
            continue
        assert status == STATUS["STATE_OUT_OF_BOUNDS"]
        np.testing.assert_array_equal(action, raw.fallback)
        np.testing.assert_array_equal(context, before)


def test_every_flipped_bit_of_a_state_leaves_a_finite_action(raw):
    caught, total = 0, 0
    for word in range(1 + raw.size):
        for bit in range(32):
            context = raw.context()
            raw.step(context)
            context[word] ^= np.uint32(1 << bit)
            status, action = raw.step(context)
            assert np.isfinite(action).all()
            assert (action >= [-0.4 - 1e-6, -30.0]).all()
            caught += bool(
                status & (STATUS["STATE_OUT_OF_BOUNDS"] | STATUS["NOT_RESET"] | STATUS["CORRUPT_PARAMETERS"])
            )
            total += 1
    assert 0 < caught < total


def test_two_contexts_share_nothing(raw):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(60, 3)) * (1, 40, 2)
    alone = raw.context()
    expected = [raw.step(alone, x)[1] for x in inputs]
    one, other = raw.context(), raw.context()
    for k, x in enumerate(inputs):
        np.testing.assert_array_equal(raw.step(one, x)[1], expected[k])
        raw.step(other, inputs[-k])
    np.testing.assert_array_equal(one, alone)


CORRUPT = """
#include <stddef.h>
uint32_t flips(uint32_t start, uint32_t stop, uint32_t stride);
uint32_t flips(uint32_t start, uint32_t stop, uint32_t stride)
{
    uint32_t missed = 0U;
    unsigned char *bytes = (unsigned char *)&parameters;
    for (uint32_t bit = start; bit < stop; bit += stride) {
        bytes[bit / 8U] = (unsigned char)(bytes[bit / 8U] ^ (1U << (bit % 8U)));
        missed += (demo_check() == DEMO_OK) ? 1U : 0U;
        bytes[bit / 8U] = (unsigned char)(bytes[bit / 8U] ^ (1U << (bit % 8U)));
    }
    return missed + ((demo_check() == DEMO_OK) ? 0U : 1U);
}
uint32_t corrupt(demo_context *context, float *action);
uint32_t corrupt(demo_context *context, float *action)
{
    static const float observation[3];
    ((unsigned char *)&parameters)[5] ^= 1U;
    const uint32_t reset = demo_reset(context);
    const uint32_t step = demo_step(context, observation, 0.02F, action);
    ((unsigned char *)&parameters)[5] ^= 1U;
    return (reset << 16) | step;
}
"""


@pytest.mark.parametrize("kind", ["ltc", "mixed memory, cfc wired"])
def test_every_flipped_bit_of_the_parameters_is_detected(lab, kind, tmp_path):
    files = dict(lab.sources(kind))
    text = files["demo.c"].decode()
    files["demo.c"] = (text.replace("static const struct {", "static struct {") + CORRUPT).encode()
    library = ctypes.CDLL(str(shared_library(files, tmp_path, lab.compilers[:1], ["-std=c99", "-O2"])))
    bits = 8 * int(re.search(r"ltc_crc32\(&parameters, (\d+)U\)", text)[1])
    assert library.flips(0, bits, 1 if kind == "ltc" else 7) == 0
    context = np.zeros(1 + lab.controller(kind).state_size, dtype=np.uint32)
    action = np.zeros(2, dtype=np.float32)
    found = library.corrupt(ctypes.c_void_p(context.ctypes.data), ctypes.c_void_p(action.ctypes.data))
    assert found == (STATUS["CORRUPT_PARAMETERS"] << 16) | STATUS["CORRUPT_PARAMETERS"]
    np.testing.assert_array_equal(action, lab.controller(kind).fallback.astype(np.float32))
