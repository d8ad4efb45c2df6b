"""Every part of a generated step says what it is for, and emulated steps are divided among the parts."""

import re

import numpy as np
import pytest

from ltc_edge.errors import InputError, MissingToolError
from ltc_edge.export.c.stages import OTHER, STAGE_OF, STAGES, stage_lines, stage_named_in, stage_of
from ltc_edge.runtimes.cross_compiler import FLAGS, Unit, find_cross_compiler
from ltc_edge.runtimes.emulated_machine import DEBUG, EmulatedMachine
from ltc_edge.targets import find_target

PARTS = {"ltc": {"sensory", "unfolds"}, "cfc": {"cell"}, "ctrnn": {"cell"}, "lstm": {"cell"}, "gru": {"cell"}}
KINDS = [(kind, "float32") for kind in (*PARTS, "mixed memory, ltc")]
KINDS += [(kind, "int16") for kind in ("ltc", "cfc", "gru")]
GUARDS = re.compile(r"ltc_(finite|within|limit|slew|checksum|saturated|differ|encode|decode|copy|crc32)")


@pytest.mark.parametrize(("kind", "state_type"), KINDS)
def test_every_call_of_a_step_has_a_part(lab, kind, state_type):
    source = lab.sources((kind, state_type))["demo.c"].decode()
    lines = stage_lines(source)
    found = set()
    for number, line in enumerate(source.splitlines(), start=1):
        call = re.match(r"\s+(?:\(void\))?(ltc_\w+)\(", line)
        if call and not GUARDS.match(call[1]) and "parameters.limit_" not in line:
            assert lines[number] != OTHER, line
            found.add(call[1])
    assert found
    memory, _, cell = kind.rpartition(", ")
    assert set(lines.values()) == PARTS[cell] | {"readout", OTHER} | ({"memory"} if memory else set())


def test_names_of_stages():
    assert set(STAGE_OF.values()) == set(STAGES)
    assert stage_named_in("observation") is None
    assert stage_named_in("ltc.unfold_3.k1.denominator") == "ltc.k1"
    with pytest.raises(InputError, match="upgrade ltc-edge"):
        stage_of("fuzzy.logic")
    assert stage_lines("int main(void)\n{\n    return 0;\n}\n") == {}


@pytest.fixture(scope="session")
def machine(lab):
    """Makes an emulated controller whose calls are traced, or skips with what is missing."""
    for module in ("unicorn", "elftools", "capstone"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra: firmware)")

    def make(controller, sources, target="cortex-m4", compiler=None):
        try:
            made = EmulatedMachine(sources, controller, find_target(target), compiler, traced=True)
        except MissingToolError as missing:
            pytest.skip(str(missing))
        assert made.reset() == 0
        return made

    return make


def stages_of_a_step(machine, controller):
    machine.step(np.zeros(controller.cell.inputs, dtype=np.float32), controller.timing.period_s)
    found = machine.execution()
    assert sum(found.stages.values()) == found.instructions
    return found.stages


@pytest.mark.parametrize(
    ("state_type", "target", "compiler"),
    [
        ("float32", "cortex-m4", "gcc"),
        ("int16", "cortex-m4", "gcc"),
        ("float32", "riscv32", "clang"),
        ("float32", "cortex-a53", "gcc"),
    ],
)
def test_an_ltc_in_parts(lab, machine, state_type, target, compiler):
    ltc = "ltc", state_type
    controller = lab.controller(ltc)
    stages = stages_of_a_step(machine(controller, lab.c_sources(ltc), target, compiler), controller)
    assert set(stages) == {"sensory", "unfolds", "readout", OTHER}
    assert stages["unfolds"] > stages["sensory"] > stages["readout"]
    soft = not find_target(target).fpu and state_type == "float32"
    # In soft float nearly everything is sigmoids, of which the guards have none.
    assert stages[OTHER] < (0.05 if soft else 0.5) * sum(stages.values())


@pytest.mark.parametrize("kind", ["cfc", "mixed memory, ltc"])
def test_what_a_step_does_itself_belongs_to_its_cell(lab, machine, kind):
    controller = lab.controller(kind)
    stages = stages_of_a_step(
        machine(controller, lab.c_sources((kind, "float32")), "cortex-m0plus"), controller
    )
    part = "memory" if "mixed" in kind else "cell"
    # Gates are functions that the compiler puts into the step, and soft float that they call.
    assert stages[part] > 0.3 * sum(stages.values())
    assert stages[OTHER] < 0.05 * sum(stages.values())


def test_another_sub_step_is_more_of_unfolds_and_of_nothing_else(lab, machine, tiny_controller):
    found = []
    for unfolds in (3, 4, 5):
        controller = tiny_controller()
        cell = type(controller.cell)(controller.cell.wiring, unfolds=unfolds)
        controller = tiny_controller(cell=cell)
        found.append(stages_of_a_step(machine(controller, lab.written(controller, "float32")), controller))
    first, second, third = found
    for part in ("sensory", "readout"):
        assert first[part] == second[part] == third[part]
    # Sub-steps take turns between two halves of a buffer, which is a branch or two.
    more, again = second["unfolds"] - first["unfolds"], third["unfolds"] - second["unfolds"]
    assert more == pytest.approx(again, abs=4)
    assert more > 100


def test_what_tells_parts_apart_leaves_the_code_as_it_is(lab):
    pytest.importorskip("elftools", reason="pyelftools is not installed (extra: firmware)")
    try:
        compiler = find_cross_compiler(find_target("cortex-m4"), "gcc")
    except MissingToolError as missing:
        pytest.skip(str(missing))
    files = lab.sources(("ltc", "int16"))
    plain, marked = (
        compiler.image([Unit(files, (*FLAGS, *extra))], ["demo_step", "demo_selftest"])
        for extra in ((), DEBUG)
    )
    assert plain.segments == marked.segments
