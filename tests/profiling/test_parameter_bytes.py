"""Bytes of constants by type: as in the files, against sources and programs that hold them."""

import dataclasses

import numpy as np
import onnx
import pytest

from ltc_edge import wiring
from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.cells import LTCSpec
from ltc_edge.errors import InputError, MissingToolError
from ltc_edge.export.artifacts import make_artifact
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.profiling.parameter_bytes import parameter_bytes
from ltc_edge.runtimes.cross_compiler import FLAGS, Unit, find_cross_compiler
from ltc_edge.runtimes.elf_image import read_elf
from ltc_edge.targets import find_target


def maker(controller):
    """Makes the files of a controller, by format."""
    controller = controller_from_bytes(hub_bytes(controller), "tiny")
    plan = make_plan(controller, (from_excitation(controller),))
    return lambda name: make_artifact(FORMATS[name], controller, plan)


@pytest.fixture(scope="module")
def made(tiny_controller):
    return maker(tiny_controller())


@pytest.mark.parametrize("form", ["c-float32", "c-int16"])
def test_those_of_c_are_the_block_that_is_linked(made, form):
    pytest.importorskip("elftools", reason="pyelftools is not installed (extra: firmware)")
    try:
        compiler = find_cross_compiler(find_target("cortex-m4"), "gcc")
    except MissingToolError as missing:
        pytest.skip(str(missing))
    artifact = made(form)
    program = compiler.link([Unit(artifact.c_sources().files, FLAGS)], ["tiny_step", "tiny_check"])
    found = parameter_bytes(artifact)
    assert sum(found.values()) == read_elf(program.elf).symbol("parameters").size
    assert set(found) >= ({"float32", "uint16"} if form == "c-float32" else {"int8", "int16", "int32"})


def test_those_of_onnx_hold_every_parameter(made):
    artifact = made("onnx")
    found = parameter_bytes(artifact)
    model = onnx.load_model_from_string(artifact.content)
    initializers = sum(
        4 * onnx.numpy_helper.to_array(tensor).size
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
    )
    # Functions have a few scalars besides.
    assert initializers < found["float32"] <= initializers + 4 * 64


def test_integers_take_the_place_of_floats(tiny_controller):
    """Of a circuit that is not so small that scales outweigh it."""
    tiny, rng = tiny_controller(), np.random.default_rng(0)
    cell = LTCSpec(wiring.dense(2, 16, 1), unfolds=4)
    shapes = cell.parameter_shapes()
    drawn = {name: rng.uniform(0.1, 1.0, shape).astype(np.float32) for name, shape in shapes.items()}
    parameters = {**drawn, **{name: tiny.parameters[name] for name in ("readout_weight", "readout_bias")}}
    made = maker(tiny_controller(cell=cell, parameters=parameters, initial_state=np.zeros(16)))
    whole = parameter_bytes(made("onnx"))
    small = parameter_bytes(made("onnx-int8"))
    assert small["int8"] > 0
    assert small["float32"] < whole["float32"]


def test_those_of_litert_are_in_the_file_once(made):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra: litert)")
    floating, integer = made("tflite"), made("tflite-int16x8")
    found = parameter_bytes(floating)
    assert set(found) <= {"float32", "int32"}
    assert sum(found.values()) < len(floating.content)
    assert parameter_bytes(integer)["int8"] > 0
    assert parameter_bytes(integer)["int8"] < found["float32"]


def test_files_that_are_not_what_they_should_be(made):
    hub, sources = made("onnx"), made("c-int16")
    with pytest.raises(InputError, match="the ONNX file is not readable"):
        parameter_bytes(dataclasses.replace(hub, files={hub.form.file: b"\xff\xff\xff"}))
    for old, new, message in (
        (b"} parameters = {", b"} others = {", "has no parameters"),
        (b"    int16_t initial_state", b"    int64_t initial_state", "has the type int64_t"),
    ):
        files = {name: content.replace(old, new) for name, content in sources.files.items()}
        with pytest.raises(InputError, match=message):
            parameter_bytes(dataclasses.replace(sources, files=files))
