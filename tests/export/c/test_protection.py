"""Bad input, corrupted memory and misuse: the fallback is given, the state is kept, the status says so."""

import ctypes
import dataclasses
import math
import re

import numpy as np
import pytest

from ltc_edge import ActionSignal, Controller
from ltc_edge.export.c.guard import STATUS
from ltc_edge.runtimes.c_compiler import shared_library

GOOD = (0.5, -10.0, 0.0)


class Raw:
    """The C interface, without anything that Python checks."""

    def __init__(self, library, controller: Controller, item_bytes=4):
        self._library = ctypes.CDLL(str(library))
        self._library.demo_step.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_float, ctypes.c_void_p)
        self._library.demo_restore.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        self.size, self.item_bytes = controller.state_size, item_bytes
        self.fallback = controller.fallback.astype(np.float32)

    def empty(self):
        """Seal, state and checksum."""
        return np.zeros(2 + -(-self.size * self.item_bytes // 4), dtype=np.uint32)

    def context(self):
        words = self.empty()
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
def raw_of(lab, c_objects, tmp_path_factory):
    made = {}

    def make(case):
        if case not in made:
            folder, sources = tmp_path_factory.mktemp("raw"), lab.c_sources(case)
            library = c_objects.shared_library(sources.files, folder, lab.compilers[:1], ["-std=c99", "-O2"])
            made[case] = Raw(library, lab.controller(case), sources.item_bytes)
        return made[case]

    return make


@pytest.fixture
def raw(raw_of, ltc):
    return raw_of(ltc)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("channel", [0, 1, 2, "dt"])
def test_what_is_not_finite_changes_nothing(raw_of, case, bad, channel):
    raw = raw_of(case)
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
def test_no_finite_observation_makes_a_nan(raw_of, case, size):
    raw = raw_of(case)
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


def test_a_limit_met_is_told(lab, tmp_path, ltc):
    signals = (ActionSignal("torque", "", -1e-3, 1e-3), ActionSignal("valve", "", -1.0, 1.0))
    controller = dataclasses.replace(lab.controller("cfc"), actions=signals, fallback=np.zeros(2))
    sources = lab.written(controller, ltc[1])
    library = shared_library(sources.files, tmp_path, lab.compilers[:1], ["-std=c99", "-O1"])
    raw = Raw(library, controller, sources.item_bytes)
    status, action = raw.step(raw.context())
    assert status == STATUS["SATURATED"]
    assert (np.abs(action) <= [1e-3, 1.0]).all()


def test_a_context_that_was_never_reset(raw):
    status, action = raw.step(raw.empty())
    assert status == STATUS["NOT_RESET"]
    np.testing.assert_array_equal(action, raw.fallback)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e9, 3e38])
def test_a_state_out_of_its_bounds_is_not_taken(raw_of, kind, value):
    raw = raw_of(kind)
    # The valve, whose previous action is the last item, opens without a limit.
    items = raw.size - 1 if value == 3e38 else raw.size
    for item in range(items):
        context = raw.context()
        before, state = context.copy(), context.view(np.float32)[1 : 1 + raw.size].copy()
        state[item] = value
        status = raw.demo_restore(context.ctypes.data, state.ctypes.data)
        if "euler" in kind or "rk4" in kind:
            # Nothing is proved of explicit solvers: what is finite may be their state.
            assert np.isfinite(raw.step(context)[1]).all()
            continue
        assert status == STATUS["STATE_OUT_OF_BOUNDS"]
        np.testing.assert_array_equal(context, before)


def test_every_flipped_bit_of_a_context_is_detected(raw):
    used = 32 + 8 * raw.size * raw.item_bytes
    checksum = range(32 * (len(raw.empty()) - 1), 32 * len(raw.empty()))
    for bit in (*range(used), *checksum):
        context = raw.context()
        raw.step(context)
        context.view(np.uint8)[bit // 8] ^= np.uint8(1 << (bit % 8))
        before = context.copy()
        status, action = raw.step(context)
        assert status in (
            STATUS["STATE_OUT_OF_BOUNDS"],
            STATUS["NOT_RESET"],
            STATUS["CORRUPT_PARAMETERS"],
        )
        np.testing.assert_array_equal(action, raw.fallback)
        np.testing.assert_array_equal(context, before)


def test_any_change_of_one_item_is_detected(raw):
    rng = np.random.default_rng(4)
    kind = np.uint32 if raw.item_bytes == 4 else np.uint16
    for item in range(raw.size):
        for change in rng.integers(1, 1 << (8 * raw.item_bytes), size=50):
            context = raw.context()
            context[1:-1].view(kind)[item] ^= kind(change)
            assert raw.step(context)[0] == STATUS["STATE_OUT_OF_BOUNDS"]


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


@pytest.mark.parametrize(
    "case", [("ltc", "float32"), ("ltc", "int16"), ("mixed memory, cfc wired", "float32")], ids="-".join
)
def test_every_flipped_bit_of_the_parameters_is_detected(lab, case, tmp_path):
    files = dict(lab.sources(case))
    text = files["demo.c"].decode()
    files["demo.c"] = (text.replace("static const struct {", "static struct {") + CORRUPT).encode()
    library = ctypes.CDLL(str(shared_library(files, tmp_path, lab.compilers[:1], ["-std=c99", "-O2"])))
    bits = 8 * int(re.search(r"ltc_crc32\(&parameters, (\d+)U\)", text)[1])
    assert library.flips(0, bits, 1 if case[0] == "ltc" else 7) == 0
    context = np.zeros(2 + lab.controller(case).state_size, dtype=np.uint32)
    action = np.zeros(2, dtype=np.float32)
    found = library.corrupt(ctypes.c_void_p(context.ctypes.data), ctypes.c_void_p(action.ctypes.data))
    assert found == (STATUS["CORRUPT_PARAMETERS"] << 16) | STATUS["CORRUPT_PARAMETERS"]
    np.testing.assert_array_equal(action, lab.controller(case).fallback.astype(np.float32))
