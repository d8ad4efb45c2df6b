"""A format on an emulated target: what is counted, and what is said where nothing can be."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.errors import MissingToolError
from ltc_edge.export.artifacts import make_artifact
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.profiling.emulated import profile_emulated
from ltc_edge.runtimes.cross_compiler import find_cross_compiler
from ltc_edge.runtimes.firmware_figures import measure_firmware
from ltc_edge.targets import find_target
from ltc_edge.verification.tolerances import TOLERANCES

STEPS = 12


@pytest.fixture(scope="module")
def controller(tiny_controller):
    return controller_from_bytes(hub_bytes(tiny_controller()), "tiny")


@pytest.fixture(scope="module")
def artifacts(controller):
    plan = make_plan(controller, (from_excitation(controller),))
    return {name: make_artifact(FORMATS[name], controller, plan) for name in ("onnx", "c-float32", "c-int16")}


def emulated_target(name):
    for module in ("unicorn", "elftools", "capstone"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra: firmware)")
    try:
        find_cross_compiler(find_target(name))
    except MissingToolError as missing:
        pytest.skip(str(missing))
    return find_target(name)


def profiled(artifact, controller, target, shares=None):
    told = [] if shares is None else shares
    return profile_emulated(
        artifact, controller, target, steps=STEPS, on_share=lambda name, share: told.append((name, share))
    )


@pytest.mark.parametrize("form", ["c-float32", "c-int16"])
def test_figures_on_a_cortex_m4(artifacts, controller, form):
    target, shares = emulated_target("cortex-m4"), []
    row = profiled(artifacts[form], controller, target, shares)
    assert row["status"] == "ok"
    assert shares == [(form, pytest.approx((step + 1) / STEPS)) for step in range(STEPS)]
    assert row["runtime"]["name"] == "unicorn"
    assert "-mcpu=cortex-m4" in row["runtime"]["flags"]
    tolerance = TOLERANCES[form]
    assert 0 < row["rms_over_sigma"] < tolerance.over_sigma
    assert row["max_abs_error"] < 2e-2
    assert row["instructions_least"] <= row["instructions_per_step"] <= row["instructions_most"]
    assert sum(row["stages"].values()) == pytest.approx(1)
    assert sum(row["stage_instructions"].values()) == pytest.approx(row["instructions_per_step"], abs=4)
    assert 0 < row["stores_per_step"] < row["loads_per_step"] < row["instructions_per_step"]
    assert row["bytes_read_per_step"] <= 4 * row["loads_per_step"] + 64
    assert row["cycles_estimate"] > row["instructions_per_step"]
    assert row["cycle_model"].startswith("Cortex-M4 instruction timings")
    figures = measure_firmware(artifacts[form].c_sources(), controller, target, steps=5).to_json()
    for key in ("flash_bytes", "ram_bytes", "stack_bytes"):
        assert row[key] == figures[key]
    assert row["instructions_per_step"] == pytest.approx(figures["instructions_per_step"], rel=0.01)


@pytest.mark.parametrize("name", ["cortex-a53", "riscv64", "armv7"])
def test_targets_with_a_system_have_no_estimate(artifacts, controller, name):
    row = profiled(artifacts["c-float32"], controller, emulated_target(name))
    assert row["status"] == "ok"
    assert (row["cycles_estimate"], row["cycle_model"]) == (None, None)
    assert row["flash_bytes"] > 0
    assert set(row["stages"]) == {"sensory", "unfolds", "readout", "other"}


def test_sources_that_do_not_tell_their_parts(artifacts, controller):
    made = artifacts["c-float32"]
    files = {
        name: content.replace(b"/* Stage: ", b"/* ") if name.endswith(".c") else content
        for name, content in made.files.items()
    }
    row = profiled(dataclasses.replace(made, files=files), controller, emulated_target("cortex-m4"))
    assert row["status"] == "ok"
    assert (row["stages"], row["stage_instructions"]) == (None, None)


def test_formats_that_are_not_in_c(artifacts, controller):
    row = profiled(artifacts["onnx"], controller, find_target("cortex-m4"))
    assert (row["status"], row["reason"]) == ("refused", "needs-c")
    assert "onnx does not run on cortex-m4" in row["detail"]


def test_a_part_that_is_too_small(artifacts, controller):
    target = dataclasses.replace(emulated_target("cortex-m4"), flash_bytes=1 << 11)
    row = profiled(artifacts["c-float32"], controller, target)
    assert (row["status"], row["reason"]) == ("refused", "too-large")
    assert "2048 bytes of flash" in row["detail"]


def test_a_compiler_that_is_not_here(artifacts, controller):
    target = find_target("cortex-m4")
    tool = dataclasses.replace(target.compilers["gcc"], command="no-such-gcc")
    target = dataclasses.replace(target, compilers={"gcc": tool})
    row = profiled(artifacts["c-float32"], controller, target)
    assert (row["status"], row["reason"]) == ("not-run", "needs-tool")
    assert "no-such-gcc" in row["detail"]


def test_a_program_that_faults(artifacts, controller):
    made = artifacts["c-float32"]
    # READY is what a context bears that was reset; another one in the step is a context that never was.
    files = {
        name: content.replace(b"if (context->seal != READY) {", b"if (context->seal == READY) {")
        for name, content in made.files.items()
    }
    row = profiled(dataclasses.replace(made, files=files), controller, emulated_target("cortex-m4"))
    assert (row["status"], row["reason"]) == ("failed", "fault")
    assert "step 0 gave no action" in row["detail"]


def test_errors_are_of_the_actions_that_were_counted(artifacts, controller):
    made = artifacts["c-float32"]
    files = {
        name: content.replace(b"ltc_copy_f32(readout_action, action, 1U);", b"action[0] = 0.25F;")
        for name, content in made.files.items()
    }
    row = profiled(dataclasses.replace(made, files=files), controller, emulated_target("cortex-m4"))
    assert np.isfinite(row["max_abs_error"])
    assert row["max_abs_error"] > 0.1
