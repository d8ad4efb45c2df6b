"""Bodies of the LTC's functions: ``LTC``, and what it calls once a step and once a sub-step.

Source: Hasani et al., AAAI 2021, arXiv 2006.04439. With h = timespan / unfolds, the fused sub-step
v' = (c·v + num) / (c + den), c = cm / h, is divided by c, so that v itself is what is added to:

    s   = σ(v · gain + bias)                  (1, K)   all synapses and, as a synapse always on, the leak
    v'  = (v + s · numerator) / (1 + s · denominator)

with h / cm inside the two matrices, which are stored as (N, K). That is four nodes a sub-step in ONNX
Runtime: at these sizes a node costs more than its arithmetic, so the sensory synapses, though they do
not change within a step, are summed again with the others.

Exponential Euler has 1 / cm / unfolds inside the matrices instead, since it needs their sums without h:

    target = (s · numerator) / (s · denominator)
    v'     = target + exp(−timespan · (s · denominator)) · (v − target)
"""

from __future__ import annotations

import onnx

from ltc_edge.cells.spec import BOUNDED_SOLVERS, LTCSpec, Solver
from ltc_edge.export.hub.stages import SMALLEST_CAPACITANCE, constants_of
from ltc_edge.export.ltc_bounds import EPSILON

# Folded away when the file is loaded: everything here is made of constants.
_MATRICES = f"""
LTCMatrices <unfolds, epsilon> (CONSTANTS) => (gain, input_gain, bias, numerator, denominator, motor) {{
  off_on = Constant <value_floats = [0.0, 1.0]> ()
  first = Constant <value_ints = [0]> ()
  last = Constant <value_ints = [1]> ()
  always_on = Constant <value_floats = [20.0]> ()
  none = Constant <value_ints = [0, 0, 0]> ()
  inputs = Shape(input_w)
  units = Shape(cm)
  motors = Shape(output_w)
  input_count = Squeeze(inputs, first)
  unit_count = Squeeze(units, first)

  from_neuron = OneHot <axis = 0> (source, unit_count, off_on)
  own_gain = Mul(from_neuron, sigma)
  sensory_count = Shape(sensory_source)
  beyond = Add(sensory_count, last)
  own_pads = Concat <axis = 0> (none, beyond)
  gain = Pad(own_gain, own_pads)

  from_input = OneHot <axis = 0> (sensory_source, input_count, off_on)
  sharp = Mul(from_input, sensory_sigma)
  input_column = Unsqueeze(input_w, last)
  outer_gain = Mul(sharp, input_column)
  count = Shape(source)
  outer_pads = Concat <axis = 0> (first, count, first, last)
  input_gain = Pad(outer_gain, outer_pads)

  level = Mul(sigma, mu)
  own_bias = Neg(level)
  input_shift = Gather(input_b, sensory_source)
  above = Sub(input_shift, sensory_mu)
  outer_bias = Mul(sensory_sigma, above)
  bias = Concat <axis = 0> (own_bias, outer_bias, always_on)

  targets = Concat <axis = 0> (target, sensory_target)
  scatter = OneHot <axis = 0> (targets, unit_count, off_on)
  conductance = Concat <axis = 0> (w, sensory_w)
  reversal = Concat <axis = 0> (erev, sensory_erev)
  current = Mul(conductance, reversal)
  leak_current = Mul(gleak, vleak)
  eps = Constant <value_float: float = @epsilon> ()
  leak_conductance = Add(gleak, eps)

  smallest = Constant <value_float = {SMALLEST_CAPACITANCE:g}> ()
  capacitance = Max(cm, smallest)
  unfolds_count = Constant <value_int: int = @unfolds> ()
  substeps = Cast <to = 1> (unfolds_count)
  charge = Mul(capacitance, substeps)
  charge_column = Unsqueeze(charge, last)

  synapse_currents = Mul(scatter, current)
  leak_currents = Unsqueeze(leak_current, last)
  currents = Concat <axis = 1> (synapse_currents, leak_currents)
  numerator = Div(currents, charge_column)
  synapse_conductances = Mul(scatter, conductance)
  leak_conductances = Unsqueeze(leak_conductance, last)
  conductances = Concat <axis = 1> (synapse_conductances, leak_conductances)
  denominator = Div(conductances, charge_column)

  motor_shape = Concat <axis = 0> (units, motors)
  zeros = ConstantOfShape(motor_shape)
  first_neurons = EyeLike(zeros)
  motor = Mul(first_neurons, output_w)
}}"""

_UNFOLD = """
LTCUnfold (v, gain, drive, numerator, denominator) => (v_next) {
  activation_in = Gemm(v, gain, drive)
  s = Sigmoid(activation_in)
  one = Constant <value_floats = [1.0]> ()
  top = Gemm <transB = 1> (s, numerator, v)
  bottom = Gemm <transB = 1> (s, denominator, one)
  v_next = Div(top, bottom)
}"""

_EXPONENTIAL = """
LTCUnfold (v, gain, drive, numerator, denominator, backwards) => (v_next) {
  activation_in = Gemm(v, gain, drive)
  s = Sigmoid(activation_in)
  inwards = Gemm <transB = 1> (s, numerator)
  conductance = Gemm <transB = 1> (s, denominator)
  target = Div(inwards, conductance)
  exponent = Mul(backwards, conductance)
  kept = Exp(exponent)
  distance = Sub(v, target)
  apart = Mul(kept, distance)
  v_next = Add(target, apart)
}"""

_CHANGE = """
LTCChange (v, gain, drive, numerator, denominator) => (change) {
  activation_in = Gemm(v, gain, drive)
  s = Sigmoid(activation_in)
  inwards = Gemm <transB = 1> (s, numerator)
  conductance = Gemm <transB = 1> (s, denominator)
  outwards = Mul(conductance, v)
  change = Sub(inwards, outwards)
}"""

_EULER = """
LTCUnfold (v, gain, drive, numerator, denominator) => (v_next) {
  change = ltc_edge.LTCChange(v, gain, drive, numerator, denominator)
  v_next = Add(v, change)
}"""

_RK4 = """
LTCUnfold (v, gain, drive, numerator, denominator) => (v_next) {
  half = Constant <value_float = 0.5> ()
  two = Constant <value_float = 2.0> ()
  six = Constant <value_float = 6.0> ()
  k1 = ltc_edge.LTCChange(v, gain, drive, numerator, denominator)
  half_k1 = Mul(half, k1)
  v1 = Add(v, half_k1)
  k2 = ltc_edge.LTCChange(v1, gain, drive, numerator, denominator)
  half_k2 = Mul(half, k2)
  v2 = Add(v, half_k2)
  k3 = ltc_edge.LTCChange(v2, gain, drive, numerator, denominator)
  v3 = Add(v, k3)
  k4 = ltc_edge.LTCChange(v3, gain, drive, numerator, denominator)
  middle = Add(k2, k3)
  ends = Add(k1, k4)
  middle_twice = Mul(two, middle)
  sum = Add(ends, middle_twice)
  change = Div(sum, six)
  v_next = Add(v, change)
}"""

_SUBSTEPS: dict[Solver, str] = {
    "fused": _UNFOLD,
    "exponential": _EXPONENTIAL,
    "euler": _EULER,
    "rk4": _RK4,
}

_LTC = """
LTC <unfolds, solver> (z, v_0, timespan, CONSTANTS) => (output, v_next) {
  gain, input_gain, bias, numerators, denominators, motor =
    ltc_edge.LTCMatrices <unfolds: int = @unfolds, epsilon: float = EPSILON> (CONSTANTS)
  drive = Gemm(z, input_gain, bias)TIMEUNFOLDS
  output = Gemm(v_next, motor, output_b)
}"""

_SCALED = """
  numerator = Mul(timespan, numerators)
  denominator = Mul(timespan, denominators)"""

_BACKWARDS = """
  backwards = Neg(timespan)"""

_DOCS = {
    "LTCMatrices": "Synapse lists as the matrices of a sub-step; made of constants alone.",
    "LTCUnfold": "One sub-step of the solver.",
    "LTCChange": "What the ordinary differential equation adds to v in one sub-step.",
    "LTC": "Liquid time-constant cell (Hasani et al. 2021, arXiv 2006.04439), synapses as lists.",
}


def ltc_functions(spec: LTCSpec) -> list[onnx.FunctionProto]:
    """The functions an LTC needs, callees before callers."""
    from ltc_edge.export.hub.functions import function

    constants = ", ".join(constants_of(spec))
    exponential = spec.solver == "exponential"
    sums = "numerators, denominators, backwards" if exponential else "numerator, denominator"
    steps = ""
    for k in range(spec.unfolds):
        following = "v_next" if k == spec.unfolds - 1 else f"v_{k + 1}"
        steps += f"\n  {following} = ltc_edge.LTCUnfold(v_{k}, gain, drive, {sums})"
    # The explicit solvers have no denominator, so nothing that keeps it from zero.
    epsilon = EPSILON if spec.solver in BOUNDED_SOLVERS else 0.0
    texts = {"LTCMatrices": _MATRICES.replace("CONSTANTS", constants)}
    if spec.solver not in BOUNDED_SOLVERS:
        texts["LTCChange"] = _CHANGE
    texts["LTCUnfold"] = _SUBSTEPS[spec.solver]
    body = _LTC.replace("CONSTANTS", constants).replace("EPSILON", f"{epsilon:.8f}")
    body = body.replace("TIME", _BACKWARDS if exponential else _SCALED)
    texts["LTC"] = body.replace("UNFOLDS", steps)
    return [function(text, _DOCS[name]) for name, text in texts.items()]
