"""Integer functions: their error over every argument, the codes of C and NumPy, and exact quotients."""

import ctypes
import math

import numpy as np
import pytest

from ltc_edge.export.c.files import runtime_file
from ltc_edge.export.c.int16 import arithmetic as c
from ltc_edge.runtimes.c_compiler import shared_library

CODES = np.arange(-32768, 32768)
TABLE = """
#include "ltc_i16.h"
#include "ltc_i16_arithmetic.h"
void apply(uint32_t which, const int32_t *table, uint32_t bits, int32_t *y);
void apply(uint32_t which, const int32_t *table, uint32_t bits, int32_t *y)
{
    for (int32_t x = -32768; x < 32768; ++x) {
        switch (which) {
        case 0U: *y++ = ltc_read_i16(table, x * 16 * 32 + 4194304); break;
        case 1U: *y++ = ltc_tanh_i16(table, x * 16 * 32 + 4194304); break;
        case 2U: *y++ = ltc_exp_i16(table, x, bits); break;
        case 3U: *y++ = ltc_code_i16(x * 3); break;
        case 4U: *y++ = ltc_share_i16(x); break;
        default: *y++ = ltc_scaled_i32(x * 9, bits); break;
        }
    }
}
uint64_t wrong_quotients(uint32_t seed, uint32_t each);
uint64_t wrong_quotients(uint32_t seed, uint32_t each)
{
    uint64_t wrong = 0U;
    for (uint32_t divisor = 1U; divisor <= 65536U; ++divisor) {
        const uint64_t end = (uint64_t)divisor << 16;
        const uint64_t most = (end - 1U < 0xFFFFFFFFU) ? end - 1U : 0xFFFFFFFFU;
        for (uint32_t k = 0U; k < each; ++k) {
            seed = seed * 1664525U + 1013904223U;
            const uint64_t q = seed >> 16;
            /* Where a quotient begins and ends, at both ends, and anywhere. */
            const uint64_t wanted[5] = { q * divisor, q * divisor + divisor - 1U, k, most - k,
                                         (((uint64_t)seed << 13) ^ seed) % end };
            const uint64_t dividend = (wanted[k % 5U] < most) ? wanted[k % 5U] : most;
            wrong += ltc_quotient_i16((uint32_t)dividend, divisor) != dividend / divisor;
        }
    }
    return wrong;
}
void ratios(const int32_t *n, const int32_t *d, int32_t *y, uint32_t count);
void ratios(const int32_t *n, const int32_t *d, int32_t *y, uint32_t count)
{
    for (uint32_t i = 0U; i < count; ++i) {
        y[i] = ltc_ratio_i16(n[i], d[i]);
    }
}
"""


@pytest.fixture(scope="module", params=[0, 1], ids=["divides", "multiplies"])
def library(request, tmp_path_factory):
    files = {name: runtime_file(name) for name in ("ltc_i16.h", "ltc_i16_arithmetic.h", "ltc_quotient_i16.c")}
    files["apply.c"] = TABLE.encode()
    flags = ["-std=c99", "-O2", f"-DLTC_I16_NO_DIVISION={request.param}"]
    made = ctypes.CDLL(str(shared_library(files, tmp_path_factory.mktemp("i16"), ["cc"], flags)))
    made.wrong_quotients.restype = ctypes.c_uint64
    return made


def applied(library, which, table, bits):
    y = np.empty(len(CODES), dtype=np.int32)
    words = np.ascontiguousarray(table, dtype=np.int32)
    library.apply(which, ctypes.c_void_p(words.ctypes.data), bits, ctypes.c_void_p(y.ctypes.data))
    return y


def test_c_and_numpy_give_the_same_codes(library):
    place = CODES * 512 + c.MIDDLE
    np.testing.assert_array_equal(applied(library, 0, c.SIGMOID, 0), c.read(c.SIGMOID, place))
    np.testing.assert_array_equal(applied(library, 1, c.SIGMOID, 0), 2 * c.read(c.SIGMOID, place) - c.ONE)
    for bits in (10, 11, 12, 15):
        np.testing.assert_array_equal(applied(library, 2, c.EXP, bits), c.exp(CODES, bits))
        np.testing.assert_array_equal(applied(library, 5, c.EXP, bits), c.scaled(CODES * 9, bits))
    np.testing.assert_array_equal(applied(library, 3, c.EXP, 0), c.saturated(CODES * 3))
    np.testing.assert_array_equal(applied(library, 4, c.EXP, 0), np.clip(CODES, 0, 32767))


def test_quotients_are_exact(library):
    assert library.wrong_quotients(12345, 40) == 0


def test_ratios_are_rounded_to_the_nearest(library):
    rng = np.random.default_rng(5)
    d = np.concatenate([rng.integers(1 << 14, (1 << 30) + 1, size=20_000), [1 << 14, 1 << 30]])
    n = (d * rng.uniform(-1, 1, size=len(d))).astype(np.int64)
    n[:100], n[100:200] = d[:100], -d[100:200]
    n[200:300], d[200:300] = 1 << 30, np.maximum(d[200:300], 1 << 15)  # sums that saturated one by one
    n[-2:] = 1 << 14, -(1 << 30)
    found = np.empty(len(d), dtype=np.int32)
    arrays = [np.ascontiguousarray(values, dtype=np.int32) for values in (n, d)]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, found)]
    library.ratios(*pointers, len(d))
    np.testing.assert_array_equal(found, c.ratio(n, d))
    # A divisor of 17 bits or less: what it leaves out of the denominator is its precision.
    allowed = 0.5 + 32768 * (1 << 14) / d
    assert (np.abs(found - np.clip(n / d * 32768, -32768, 32767)) <= allowed).all()


@pytest.mark.parametrize("bits", [10, 11, 12, 13, 14, 15])
def test_functions_are_close_for_every_code(bits):
    x = CODES / 2.0**bits
    logistic = 1 / (1 + np.exp(-x))
    codes = 2.0**-15
    assert np.abs(c.sigmoid(CODES, bits) * codes - logistic).max() <= 1.8 * codes
    assert np.abs(c.tanh(CODES, bits) * codes - np.tanh(x)).max() <= 3.6 * codes
    below = CODES <= 0
    assert np.abs(c.exp(CODES, bits) * codes - np.exp(x))[below].max() <= 2.7 * codes
    phi = np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x[::16]])
    assert np.abs(c.normal(CODES, bits)[::16] * codes - phi).max() <= 2.1 * codes


def test_bernoulli_s_function_is_close_in_every_place_and_nowhere_0():
    places = np.arange(0, c.TABLE_END, 97)
    y = places / 2.0**19
    exact = np.divide(y, np.expm1(y), out=np.ones_like(y), where=y > 0)
    values = c.read(c.BERNOULLI, places)
    assert np.abs(values - 32768 * exact).max() <= 2.2
    assert values.min() >= 1
    share = np.array([1, 2, 32768])
    for conductance in (0, 32767):
        kept = c.kept(share, np.full(3, 32767), np.full(3, conductance), 11)
        assert (kept >= 1).all()
        assert (kept <= share).all()


def test_sigmoid_and_tanh_rise_and_stay_within_their_range():
    places = np.arange(0, c.TABLE_END, 37)
    values = c.read(c.SIGMOID, places)
    # A piece begins at most a code below where the one before it ended: both were rounded.
    assert np.diff(values).min() >= -1
    assert values.min() >= 0
    assert values.max() <= 32767
    tanh = c.tanh(CODES, 12)
    assert tanh.min() >= -32768
    assert tanh.max() <= 32767
