"""Our sigmoid, tanh, exp and erf: their error over the floats, and the bits of C and NumPy."""

import ctypes
import math

import numpy as np
import pytest

from ltc_edge.export.c import arithmetic
from ltc_edge.export.c.files import runtime_file
from ltc_edge.runtimes.c_compiler import shared_library

ULP = 2.0**-23
"""Of 1: sigmoids, tanh and what is summed of them are of that scale."""

TABLE = """
#include "ltc_f32.h"
#include "ltc_f32_arithmetic.h"
void apply(uint32_t which, const float *x, float *y, uint32_t n)
{
    for (uint32_t i = 0U; i < n; ++i) {
        switch (which) {
        case 0U: y[i] = ltc_sigmoid(x[i]); break;
        case 1U: y[i] = ltc_tanh(x[i]); break;
        case 2U: y[i] = ltc_exp(x[i]); break;
        case 3U: y[i] = ltc_erf(x[i]); break;
        case 4U: y[i] = ltc_gelu(x[i]); break;
        default: y[i] = ltc_logistic2(ltc_clamp(x[i], LTC_MOST_EXPONENT)); break;
        }
    }
}
"""
FUNCTIONS = (
    arithmetic.sigmoid,
    arithmetic.tanh,
    arithmetic.exp,
    arithmetic.erf,
    arithmetic.gelu,
    lambda u: arithmetic.logistic2(arithmetic.clamp(u, arithmetic.MOST_EXPONENT)),
)


def every_float(stride, low=-150.0, high=150.0):
    """Every ``stride``-th float32 between two, of both signs, in blocks of their bits."""
    most = int(np.float32(high).view(np.uint32))
    assert low == -high
    for start in range(0, most, 1 << 24):
        bits = np.arange(start, min(start + (1 << 24), most), stride, dtype=np.uint32)
        yield bits.view(np.float32)
        yield -bits.view(np.float32)


def worst(function, exact, scale, stride=61):
    found = 0.0
    for x in every_float(stride):
        truth = exact(x.astype(np.float64))
        found = max(found, float((np.abs(function(x) - truth) / scale(truth)).max()))
    return found


def one(values):
    return np.ones_like(values)


def test_sigmoid_is_within_an_ulp_of_its_scale():
    exact = lambda x: 0.5 * (1.0 + np.tanh(0.5 * x))  # noqa: E731
    assert worst(arithmetic.sigmoid, exact, one) < 1.0 * ULP


def test_the_base_two_sigmoid_is_within_two_and_a_half_ulp_of_itself():
    exact = lambda u: 1.0 / (1.0 + np.exp2(np.minimum(16.0 * u, 120.0)))  # noqa: E731
    assert worst(FUNCTIONS[5], exact, lambda truth: np.maximum(truth, 2.0**-119)) < 2.5 * ULP


def test_tanh_is_within_two_ulp_of_its_scale_and_five_of_itself():
    assert worst(arithmetic.tanh, np.tanh, one) < 2.0 * ULP
    normal = lambda truth: np.maximum(np.abs(truth), 2.0**-120)  # noqa: E731
    assert worst(arithmetic.tanh, np.tanh, normal) < 5.0 * ULP


def test_the_exponential_of_what_decays():
    exact = lambda x: np.exp(np.minimum(x, 0.0))  # noqa: E731
    assert worst(lambda x: arithmetic.exp(np.minimum(x, np.float32(0))), exact, one) < 2.0 * ULP


def test_erf_and_gelu():
    x = np.linspace(-8, 8, 200_001).astype(np.float32)
    erf = np.array([math.erf(value) for value in x])
    assert np.abs(arithmetic.erf(x) - erf).max() < 4.0 * ULP
    gelu = 0.5 * x * (1 + np.array([math.erf(value / math.sqrt(2)) for value in x.astype(np.float64)]))
    assert (np.abs(arithmetic.gelu(x) - gelu) / np.maximum(1.0, np.abs(x))).max() < 4.0 * ULP


def test_ends_and_middle():
    ends = np.array([-1e30, -np.inf, np.inf, 1e30, 0.0], dtype=np.float32)
    assert arithmetic.sigmoid(ends)[2:].tolist() == [1.0, 1.0, 0.5]
    assert (arithmetic.sigmoid(ends)[:2] < 1e-35).all()
    assert arithmetic.tanh(ends).tolist() == [-1.0, -1.0, 1.0, 1.0, 0.0]


def test_functions_are_monotonous_where_it_matters():
    x = np.linspace(-20, 20, 1_000_001).astype(np.float32)
    for function in (arithmetic.sigmoid, arithmetic.tanh):
        assert np.diff(function(x)).min() > -2 * ULP


@pytest.mark.parametrize("level", ["-O0", "-O2", "-O3"])
def test_c_and_numpy_give_the_same_bits(compiler, level, tmp_path):
    headers = ("ltc_f32.h", "ltc_f32_arithmetic.h")
    files = {name: runtime_file(name) for name in headers} | {"apply.c": TABLE.encode()}
    library = ctypes.CDLL(str(shared_library(files, tmp_path, [compiler], ["-std=gnu11", level])))
    x = np.concatenate([*every_float(40_009), np.array([np.inf, -np.inf], dtype=np.float32)])
    for which, function in enumerate(FUNCTIONS):
        y = np.empty_like(x)
        library.apply(which, ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data), len(x))
        with np.errstate(all="ignore"):
            expected = function(x)
        np.testing.assert_array_equal(y.view(np.uint32), expected.view(np.uint32))
