"""Bodies of the ``ltc_edge`` functions, in ONNX's own textual form over standard operators of opset 17.

``docs/onnx-domain.md`` says what each stage means; a body is one way to compute it, written for few and
cheap nodes. Everything that depends on constants alone (an LTC's gather and scatter matrices, for one)
is folded by ONNX Runtime while it loads the file, so that a step pays only for what depends on inputs.
"""

from __future__ import annotations

import onnx

from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.export.hub.ltc import ltc_functions
from ltc_edge.export.hub.stages import DOMAIN, DOMAIN_VERSION, OPSET, constants_of, is_limited

_NORMALIZE = """
Normalize (observation, offset, scale, limit) => (z) {
  centred = Sub(observation, offset)
  scaled = Div(centred, scale)
  low = Neg(limit)
  z = Clip(scaled, low, limit)
}"""

_ELAPSED = """
Elapsed (dt, dt_min, dt_max, time_unit) => (dt_s, timespan) {
  dt_s = Clip(dt, dt_min, dt_max)
  timespan = Div(dt_s, time_unit)
}"""

_READOUT = """
Readout (output, weight, bias) => (u) {
  u = Gemm <transB = 1> (output, weight, bias)
}"""

# One node at run time: the diagonal matrix is a constant.
_DENORMALIZE = """
Denormalize (u, offset, scale) => (command) {
  n = Shape(scale)
  square = Concat <axis = 0> (n, n)
  zeros = ConstantOfShape(square)
  identity = EyeLike(zeros)
  diagonal = Mul(identity, scale)
  command = Gemm(u, diagonal, offset)
}"""

_LIMIT = """
Limit (command, low, high) => (limited) {
  below = Min(command, high)
  limited = Max(below, low)
}"""

_SLEW_LIMIT = """
SlewLimit (limited, previous, dt_s, slew) => (action) {
  reach = Mul(dt_s, slew)
  least = Sub(previous, reach)
  most = Add(previous, reach)
  raised = Max(limited, least)
  action = Min(raised, most)
}"""

_LSTM = """
LSTM (x, h, c, timespan, weight_ih, weight_dt, weight_hh, bias_ih, bias_hh) => (h_next, c_next) {
  axis = Constant <value_ints = [0]> ()
  row = Unsqueeze(weight_dt, axis)
  both = Add(bias_ih, bias_hh)
  bias = Sub(both, weight_dt)
  timed = Gemm(timespan, row, bias)
  driven = Gemm <transB = 1> (x, weight_ih, timed)
  gates = Gemm <transB = 1> (h, weight_hh, driven)
  i_in, f_in, g_in, o_in = Split <axis = 1> (gates)
  i = Sigmoid(i_in)
  f = Sigmoid(f_in)
  g = Tanh(g_in)
  o = Sigmoid(o_in)
  kept = Mul(f, c)
  written = Mul(i, g)
  c_next = Add(kept, written)
  shown = Tanh(c_next)
  h_next = Mul(o, shown)
}"""

_GRU = """
GRU (x, h, timespan, weight_ih, weight_dt, weight_hh, bias_ih, bias_hh) => (h_next) {
  axis = Constant <value_ints = [0]> ()
  row = Unsqueeze(weight_dt, axis)
  bias = Sub(bias_ih, weight_dt)
  timed = Gemm(timespan, row, bias)
  driven = Gemm <transB = 1> (x, weight_ih, timed)
  recurrent = Gemm <transB = 1> (h, weight_hh, bias_hh)
  r_in, z_in, n_in = Split <axis = 1> (driven)
  r_rec, z_rec, n_rec = Split <axis = 1> (recurrent)
  r_sum = Add(r_in, r_rec)
  r = Sigmoid(r_sum)
  z_sum = Add(z_in, z_rec)
  z = Sigmoid(z_sum)
  remembered = Mul(r, n_rec)
  n_sum = Add(n_in, remembered)
  n = Tanh(n_sum)
  apart = Sub(h, n)
  moved = Mul(z, apart)
  h_next = Add(n, moved)
}"""

_MIXED_MEMORY = """
MixedMemory (x, h, c, input_weight, recurrent_weight, bias) => (h_next, c_next) {
  driven = Gemm <transB = 1> (x, input_weight, bias)
  gates = Gemm <transB = 1> (h, recurrent_weight, driven)
  g_in, i_in, f_in, o_in = Split <axis = 1> (gates)
  one = Constant <value_float = 1.0> ()
  f_open = Add(f_in, one)
  g = Tanh(g_in)
  i = Sigmoid(i_in)
  f = Sigmoid(f_open)
  o = Sigmoid(o_in)
  kept = Mul(f, c)
  written = Mul(i, g)
  c_next = Add(kept, written)
  shown = Tanh(c_next)
  h_next = Mul(o, shown)
}"""

# tau·h stays, δ·f comes: no division by tau, which may be as small as softplus makes it.
_CTRNN_HEAD = """
CTRNN <unfolds> (x, h_0, timespan, input_weight, recurrent_weight, bias, tau) => (h_next) {
  count = Constant <value_int: int = @unfolds> ()
  substeps = Cast <to = 1> (count)
  delta = Div(timespan, substeps)
  slow = Softplus(tau)
  total = Add(slow, delta)
  drive = Gemm <transB = 1> (x, input_weight, bias)"""

_CTRNN_STEP = """
  sum_{k} = Gemm <transB = 1> ({h}, recurrent_weight, drive)
  f_{k} = Tanh(sum_{k})
  kept_{k} = Mul(slow, {h})
  come_{k} = Mul(delta, f_{k})
  both_{k} = Add(kept_{k}, come_{k})
  {following} = Div(both_{k}, total)"""

_ACTIVATIONS = {
    "lecun_tanh": """
  inner_{k} = Constant <value_float = 0.666> ()
  outer_{k} = Constant <value_float = 1.7159> ()
  scaled_{k} = Mul({x}, inner_{k})
  tanh_{k} = Tanh(scaled_{k})
  {y} = Mul(tanh_{k}, outer_{k})""",
    "tanh": """
  {y} = Tanh({x})""",
    "relu": """
  {y} = Relu({x})""",
    "silu": """
  open_{k} = Sigmoid({x})
  {y} = Mul({x}, open_{k})""",
    # Opset 17 has no Gelu.
    "gelu": """
  root_{k} = Constant <value_float = 1.4142135> ()
  half_{k} = Constant <value_float = 0.5> ()
  one_{k} = Constant <value_float = 1.0> ()
  scaled_{k} = Div({x}, root_{k})
  erf_{k} = Erf(scaled_{k})
  shifted_{k} = Add(erf_{k}, one_{k})
  halved_{k} = Mul({x}, half_{k})
  {y} = Mul(halved_{k}, shifted_{k})""",
}

_CFC_GATE = """
  f1_in = Gemm <transB = 1> ({z}, ff1_weight, ff1_bias)
  f2_in = Gemm <transB = 1> ({z}, ff2_weight, ff2_bias)
  rate = Gemm <transB = 1> ({z}, time_a_weight, time_a_bias)
  phase = Gemm <transB = 1> ({z}, time_b_weight, time_b_bias)
  f1 = Tanh(f1_in)
  f2 = Tanh(f2_in)
  elapsed = Mul(rate, timespan)
  gate_in = Add(elapsed, phase)
  gate = Sigmoid(gate_in)"""

_CFC_TAILS = {
    "default": _CFC_GATE
    + """
  apart = Sub(f2, f1)
  moved = Mul(gate, apart)
  h_next = Add(f1, moved)
}""",
    "no_gate": _CFC_GATE
    + """
  moved = Mul(gate, f2)
  h_next = Add(f1, moved)
}""",
    "pure": """
  f1 = Gemm <transB = 1> ({z}, ff1_weight, ff1_bias)
  size = Abs(f1)
  leak = Abs(w_tau)
  speed = Add(size, leak)
  elapsed = Mul(speed, timespan)
  exponent = Neg(elapsed)
  decay = Exp(exponent)
  faded = Mul(decay, f1)
  scaled = Mul(A, faded)
  h_next = Sub(A, scaled)
}""",
}

_DOCS = {
    "Normalize": "Raw sensor values to the cell's inputs: clip((observation - offset) / scale).",
    "Elapsed": "Seconds since the last step, clamped to the range allowed, and in the cell's time unit.",
    "CfC": "Closed-form continuous-time cell (Hasani et al. 2022, arXiv 2106.13898).",
    "CTRNN": "Continuous-time recurrent network, semi-implicit sub-steps.",
    "LSTM": "LSTM with the elapsed time as one more input, zero at one time unit.",
    "GRU": "GRU with the elapsed time as one more input, zero at one time unit.",
    "MixedMemory": "LSTM memory before a liquid cell (Lechner & Hasani 2020, arXiv 2006.04418).",
    "Readout": "Linear readout of the cell's outputs.",
    "Denormalize": "Readout to actions in the actuators' units: offset + scale * u.",
    "Limit": "Actions within the actuators' limits.",
    "SlewLimit": "Actions within slew * dt of the previous action.",
}


def functions(controller: Controller) -> list[onnx.FunctionProto]:
    """The functions that the hub of ``controller`` uses, and no others, callees before callers."""
    texts = {"Normalize": _NORMALIZE, "Elapsed": _ELAPSED}
    cell: CellSpec = controller.cell
    if isinstance(cell, MixedMemorySpec):
        texts["MixedMemory"] = _MIXED_MEMORY
        cell = cell.cell
    made = []
    if isinstance(cell, LTCSpec):
        made = ltc_functions(cell)
    elif isinstance(cell, CfCSpec):
        texts["CfC"] = _cfc(cell)
    elif isinstance(cell, CTRNNSpec):
        texts["CTRNN"] = _ctrnn(cell)
    else:
        texts |= {"LSTM": _LSTM} if cell.kind == "lstm" else {"GRU": _GRU}
    if controller.has_readout:
        texts["Readout"] = _READOUT
    texts["Denormalize"] = _DENORMALIZE
    if is_limited(controller):
        texts["Limit"] = _LIMIT
    if controller.is_slew_limited:
        texts["SlewLimit"] = _SLEW_LIMIT
    return made + [function(text, _DOCS[name]) for name, text in texts.items()]


def function(text: str, doc: str) -> onnx.FunctionProto:
    """A function of the domain from its body in ONNX's textual form."""
    header = f'<domain: "{DOMAIN}", opset_import: ["": {OPSET}, "{DOMAIN}": {DOMAIN_VERSION}]>'
    proto = onnx.parser.parse_function(header + text)
    proto.doc_string = doc
    for node in proto.node:
        node.name = node.output[0]
    return proto


def _cfc(spec: CfCSpec) -> str:
    names = ", ".join(constants_of(spec))
    text = f"CfC <mode, activation> (x, h, timespan, {names}) => (h_next) {{\n  z = Concat <axis = 1> (x, h)"
    z = "z"
    for k in range(len(spec.backbone_shapes()) // 2):
        text += f"\n  linear_{k} = Gemm <transB = 1> ({z}, backbone_{k}_weight, backbone_{k}_bias)"
        text += _ACTIVATIONS[spec.activation].format(k=k, x=f"linear_{k}", y=f"hidden_{k}")
        z = f"hidden_{k}"
    return text + _CFC_TAILS[spec.mode].replace("{z}", z)


def _ctrnn(spec: CTRNNSpec) -> str:
    text = _CTRNN_HEAD
    for k in range(spec.unfolds):
        following = "h_next" if k == spec.unfolds - 1 else f"h_{k + 1}"
        text += _CTRNN_STEP.format(k=k, h=f"h_{k}", following=following)
    return text + "\n}"
