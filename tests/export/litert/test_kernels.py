"""LiteRT's integer kernels against exact arithmetic, rounded and saturated as the simulation has it."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")

from ltc_edge.export.execute import bernoulli
from ltc_edge.export.litert.flatbuffer import serialized
from ltc_edge.export.litert.graph import Format, Graph, GraphBuilder
from ltc_edge.export.litert.integer import BERNOULLI, COARSE_SCALES, NUDGE
from ltc_edge.export.plan import TensorPlan
from ltc_edge.export.simulate import round16
from ltc_edge.runtimes.litert_operators import VERSIONS

FINE, WIDE = 2.0**-15, 2.0**-11
CODES = np.arange(-32768, 32768, dtype=np.int16)[None, :]


def q(scale):
    return Format("int16", (scale,))


def execute(kind, inputs, output_shape, output_scale, constants=()):
    """Codes that ``kind`` makes of ``(codes, scale)`` inputs."""
    from ai_edge_litert.interpreter import Interpreter

    builder = GraphBuilder()
    indexes = [builder.tensor(f"x{i}", codes.shape, q(scale)) for i, (codes, scale) in enumerate(inputs)]
    sources = [*indexes, *(builder.constant(f"c{i}", v, f) for i, (v, f) in enumerate(constants))]
    output = builder.tensor("y", output_shape, q(output_scale))
    builder.add(kind, VERSIONS[kind]["int16"], tuple(sources), output)
    names = {f"x{i}": index for i, index in enumerate(indexes)}
    graph = Graph(tuple(builder.tensors), tuple(builder.operators), names, {"y": output}, {})
    interpreter = Interpreter(model_content=serialized(graph), num_threads=1)
    interpreter.allocate_tensors()
    for index, (codes, _) in zip(indexes, inputs, strict=True):
        interpreter.set_tensor(index, codes)
    interpreter.invoke()
    return interpreter.get_tensor(output).astype(np.int64)


def expected(values, scale):
    plan = TensorPlan(-1.0, 1.0, (-1.0, 1.0), True, scale, 1.0, 0)
    return np.rint(round16(values, plan) / scale).astype(np.int64)


ELEMENTWISE = {"ADD": np.add, "SUB": np.subtract, "MUL": np.multiply}


@pytest.mark.parametrize("kind", ELEMENTWISE)
@pytest.mark.parametrize(
    "scales", [(FINE, FINE, FINE), (FINE, FINE, 2 * FINE), (FINE, WIDE, WIDE), (WIDE, FINE, FINE)]
)
@pytest.mark.parametrize("widths", [(5000, 5000), (1, 5000), (5000, 1)])
def test_elementwise(kind, scales, widths):
    rng = np.random.default_rng(0)
    codes = [rng.integers(-32768, 32768, (1, n)).astype(np.int16) for n in widths]
    got = execute(kind, list(zip(codes, scales[:2], strict=True)), (1, 5000), scales[2])
    real = [c * s for c, s in zip(codes, scales[:2], strict=True)]
    exact = expected(ELEMENTWISE[kind](*real), scales[2])
    assert np.abs(got - exact).max() <= 1  # ties go away from zero
    assert got.max() == 32767 or exact.max() < 32767


@pytest.mark.parametrize(("kind", "function"), [("MINIMUM", np.minimum), ("MAXIMUM", np.maximum)])
def test_limits(kind, function):
    one, other = CODES, CODES[:, ::-1].copy()
    np.testing.assert_array_equal(
        execute(kind, [(one, FINE), (other, FINE)], one.shape, FINE), function(one, other)
    )


def test_division_is_right_and_saturates_down_to_the_smallest_divisor():
    rng = np.random.default_rng(1)
    dividend = rng.integers(-32768, 32768, CODES.shape).astype(np.int16)
    divisor = np.maximum(1, rng.integers(1, 32768, CODES.shape) >> rng.integers(0, 15, CODES.shape))
    divisor = divisor.astype(np.int16)
    got = execute("DIV", [(dividend, FINE), (divisor, FINE)], CODES.shape, FINE)
    assert np.abs(got - expected(dividend / divisor, FINE)).max() <= 1
    assert (got == 32767).any()
    assert (got == -32768).any()


def test_division_by_zero_is_an_error_and_not_a_crash():
    zero = np.zeros((1, 1), dtype=np.int16)
    with pytest.raises((RuntimeError, ValueError)):
        execute("DIV", [(zero, FINE), (zero, FINE)], (1, 1), FINE)


@pytest.mark.parametrize("least_weight_scale", [1e-9, 1e-4, 0.1])
def test_dense_accumulates_exactly_and_saturates(least_weight_scale):
    rng = np.random.default_rng(2)
    k, n = 40, 64
    weight = rng.integers(-127, 128, (n, k)).astype(np.int8)
    scale = (least_weight_scale * 10 ** rng.uniform(0, 1, n)).astype(np.float32)
    unit = (scale * np.float32(FINE)).astype(np.float32)
    bias = np.rint(rng.uniform(-2, 2, n) / unit).astype(np.int64)
    codes = rng.integers(-32768, 32768, (1, k)).astype(np.int16)
    constants = [
        (weight, Format("int8", tuple(scale.tolist()))),
        (bias, Format("int64", tuple(unit.tolist()))),
    ]
    got = execute("FULLY_CONNECTED", [(codes, FINE)], (1, n), FINE, constants)
    exact = expected((codes.astype(np.int64) @ weight.T.astype(np.int64) + bias) * unit.astype(float), FINE)
    assert np.abs(got - exact).max() <= 1
    assert (got == 32767).any()
    assert (got == -32768).any()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("scale", [FINE, 2.0**-13, WIDE, 2.0**-12 * NUDGE])
@pytest.mark.parametrize(("kind", "function"), [("LOGISTIC", sigmoid), ("TANH", np.tanh)])
def test_activations(kind, function, scale):
    if kind == "TANH" and scale in COARSE_SCALES["tanh"]:
        scale *= NUDGE
    got = execute(kind, [(CODES, scale)], CODES.shape, FINE)
    assert np.abs(got - expected(function(CODES * scale), FINE)).max() <= 2


@pytest.mark.parametrize(("kind", "name"), [("LOGISTIC", "sigmoid"), ("TANH", "tanh")])
def test_scales_that_are_avoided_are_worse(kind, name):
    """Should a version of LiteRT mend it, this test says that the nudge can go."""
    function = sigmoid if name == "sigmoid" else np.tanh
    for scale in COARSE_SCALES[name]:
        got = execute(kind, [(CODES, scale)], CODES.shape, FINE)
        assert np.abs(got - expected(function(CODES * scale), FINE)).max() > 4


def test_exponential_of_what_is_not_positive():
    codes = -np.abs(CODES.astype(np.int64)).clip(0, 32767).astype(np.int16)
    got = execute("EXP", [(codes, 2.0**-12)], codes.shape, FINE)
    assert np.abs(got - expected(np.exp(codes * 2.0**-12), FINE)).max() <= 6


def test_the_fit_of_bernoulli_s_function():
    a, b = BERNOULLI
    y = np.linspace(0.0, 20.0, 40_001)
    assert np.abs(np.exp(-y * (0.5 + a * np.tanh(b * y))) - bernoulli(y)).max() <= 1.4e-4


@pytest.mark.parametrize("kind", ["RELU", "ABS"])
def test_rectifiers(kind):
    got = execute(kind, [(CODES, FINE)], CODES.shape, FINE)
    exact = np.maximum(CODES.astype(int), 0) if kind == "RELU" else np.abs(CODES.astype(int)).clip(0, 32767)
    np.testing.assert_array_equal(got, exact)
