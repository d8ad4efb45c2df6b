"""Which tensor of a step is the first to differ: where to look when a file fails."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.formats import HUB
from ltc_edge.export.lowering import lower_floating, lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN, Program
from ltc_edge.export.simulate import simulate16, with_integer_weights
from ltc_edge.runtimes.onnx_runtime import make_session
from ltc_edge.verification.trials import FreeRun

LEAST_DIFFERENCE = 1e-3
"""Share of a tensor's size by which it must differ to be named: of integers some 30 steps of 16 bits."""

Tensors = Mapping[str, FloatArray]


def diverging_tensor(
    artifact: Artifact, controller: Controller, plan: QuantizationPlan | None, run: FreeRun, step: int
) -> str:
    """The first tensor that differs when one step starts from the reference's state, in words.

    Args:
        artifact: the file that failed.
        controller, plan: what it was made from.
        run: the free run in which it failed.
        step: the step at which it did.
    """
    state = controller.reset_state if step == 0 else run.state[step - 1]
    raw = {OBSERVATION: run.observation[step], DT: run.dt_s[step : step + 1], STATE_IN: state}
    timing = controller.timing
    raw[DT] = np.clip(raw[DT], timing.dt_min_s, timing.dt_max_s)
    if artifact.form is HUB:
        names, found, expected, stages = _hub(artifact, raw)
    else:
        program, expected = _expected(artifact, controller, plan, raw)
        if artifact.form.runtime == "c":
            found = _found_in_c(controller, None if artifact.form.arithmetic == "float32" else plan, raw)
        else:
            found = _found(artifact, raw)
        # A file may call its last tensors by their roles alone.
        roles = {name: found[role] for role, name in program.outputs.items() if role in found}
        found = {**roles, **found}
        names, stages = [operation.output for operation in program.operations], program.stages
    for name in names:
        size = _size(artifact, plan, name)
        if name in found and name in expected and _differ(found[name], expected[name], size):
            return (
                f"the first tensor to differ is {name} of stage {stages[name]}, "
                f"{_difference(found[name], expected[name])}"
            )
    if artifact.form.runtime == "c":
        return (
            "no tensor of that step differs in the format's NumPy reference: the error gathers in the state, "
            "or the sources are not of this controller"
        )
    return "no tensor of that step differs by itself: the error gathers in the state"


def _size(artifact: Artifact, plan: QuantizationPlan | None, name: str) -> float:
    """Greatest value that an integer tensor can hold; 0 for others, whose values say how large they are."""
    if plan is None or artifact.form.arithmetic == "float32" or name not in plan.tensors:
        return 0.0
    tensor = plan.tensors[name]
    return max(abs(tensor.low), abs(tensor.high))


def _differ(found: FloatArray, expected: FloatArray, size: float) -> bool:
    if found.size != expected.size:
        return True
    size = size or max(float(np.abs(expected).max(initial=0.0)), 1e-6)
    return not bool((np.abs(np.ravel(found) - np.ravel(expected)) <= LEAST_DIFFERENCE * size).all())


def _difference(found: FloatArray, expected: FloatArray) -> str:
    if found.size != expected.size:
        return f"with {found.size} values instead of {expected.size}"
    return f"by {float(np.abs(np.ravel(found) - np.ravel(expected)).max()):.3g}"


def _expected(
    artifact: Artifact, controller: Controller, plan: QuantizationPlan | None, raw: Tensors
) -> tuple[Program, Tensors]:
    """The program behind a file and its tensors in float64, rounded as the format rounds them."""
    if plan is None or artifact.form.arithmetic == "float32":
        program = lower_floating(controller)
        batch = ProgramBatch(program)
        inputs = raw
    else:
        program = lower_unit(controller, plan.coordinates)
        coordinates = plan.coordinates
        inputs = {
            OBSERVATION: np.clip(coordinates.observation.to_fraction(raw[OBSERVATION]), -1.0, 1.0),
            DT: coordinates.dt.to_fraction(raw[DT]),
            STATE_IN: coordinates.state.to_fraction(raw[STATE_IN]),
        }
        if artifact.form.name == "onnx-int8":
            batch = ProgramBatch(with_integer_weights(program, plan.dense))
        else:
            batch = simulate16(program, plan.tensors, plan.dense)
    tensors = batch.tensors(inputs[OBSERVATION][None], inputs[DT][None], inputs[STATE_IN][None])
    return program, {name: values[0] if values.ndim == 2 else values for name, values in tensors.items()}


def _found(artifact: Artifact, raw: Tensors) -> Tensors:
    """The file's own tensors in that step."""
    interface = artifact.interface
    codes = {
        OBSERVATION: interface.observation.encode(raw[OBSERVATION]),
        DT: interface.dt.encode(raw[DT]),
        STATE_IN: interface.state.encode(raw[STATE_IN]),
    }
    if artifact.form.runtime == "litert":
        from ltc_edge.runtimes.litert_runtime import intermediate_tensors

        return intermediate_tensors(artifact.content, codes)
    import onnx

    from ltc_edge.export.onnx_integer import debug_outputs

    session = make_session(debug_outputs(onnx.ModelProto.FromString(artifact.content)).SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {k: v[None] for k, v in codes.items()}), strict=True))


def _found_in_c(controller: Controller, plan: QuantizationPlan | None, raw: Tensors) -> Tensors:
    """Tensors of the NumPy reference of a format in C, which gives the bits of the compiled one."""
    from ltc_edge.export.c import tensors_float32, tensors_int16

    inputs = {name: values.astype(np.float32) for name, values in raw.items()}
    return tensors_float32(controller, inputs) if plan is None else tensors_int16(controller, plan, inputs)


def _hub(artifact: Artifact, raw: Tensors) -> tuple[list[str], Tensors, Tensors, Mapping[str, str]]:
    """Results of the hub's stages in ONNX Runtime, and by ONNX's own definition of the operators."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.ModelProto.FromString(artifact.content)
    stages = {name: node.op_type for node in model.graph.node for name in node.output}
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in stages
        if name not in known
    )
    inputs = {name: values[None].astype(np.float32) for name, values in raw.items()}
    names = list(stages)
    found = make_session(model.SerializeToString()).run(names, inputs)
    expected = ReferenceEvaluator(model).run(names, inputs)
    return names, dict(zip(names, found, strict=True)), dict(zip(names, expected, strict=True)), stages
