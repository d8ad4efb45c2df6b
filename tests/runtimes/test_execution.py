"""What is counted of a call: on programs in assembly language, whose counts are known by hand."""

import dataclasses

import pytest

from ltc_edge.errors import EmulationError, MissingToolError
from ltc_edge.runtimes.cross_compiler import Unit, find_cross_compiler
from ltc_edge.runtimes.emulated_processor import EmulatedProcessor
from ltc_edge.targets import find_target

pytest.importorskip("unicorn", reason="unicorn is not installed (extra: firmware)")
pytest.importorskip("elftools", reason="pyelftools is not installed (extra: firmware)")
pytest.importorskip("capstone", reason="capstone is not installed (extra: firmware)")

# Two words lie where r0 and a0 point. The loops turn three times, which is two branches.
ARM = b"""
__attribute__((naked)) void leaf(void) { __asm__("bx lr"); }
__attribute__((naked)) void known(void)
{
    __asm__(".syntax unified\\n"
            "push {r4, r5, lr}\\n"
            "ldr r4, [r0]\\n"
            "ldrb r5, [r0, #1]\\n"
            "strh r5, [r0, #2]\\n"
            "mul r3, r4, r5\\n"
            "mla r3, r4, r5, r3\\n"
            "umull r2, r3, r4, r5\\n"
            "smlal r2, r3, r4, r5\\n"
            "udiv r3, r4, r5\\n"
            "movs r2, #3\\n"
            "1: subs r2, #1\\n"
            "bne 1b\\n"
            "ldrd r4, r5, [r0]\\n"
            "stmia r0, {r4, r5}\\n"
            "vldr s0, [r0]\\n"
            "vmla.f32 s1, s0, s0\\n"
            "vdiv.f32 s1, s0, s0\\n"
            "vsqrt.f32 s1, s0\\n"
            "vpush {d8}\\n"
            "vpop {d8}\\n"
            "bl leaf\\n"
            "pop {r4, r5, pc}\\n");
}
"""
ARM_CLASSES = {
    "multiple": 6,  # push, ldrd, stmia, vpush, vpop, pop
    "transfer": 3 + 2 + 2 + 2 + 2 + 3,
    "load": 3,
    "store": 1,
    "multiply_accumulate": 1,
    "long_multiply": 1,
    "long_multiply_accumulate": 1,
    "divide": 1,
    "float_multiply_accumulate": 1,
    "float_divide": 1,
    "float_square_root": 1,
    "call": 1,
    "other": 1 + 1 + 6 + 1,  # mul, movs, the loop, bx
    "taken_branch": 2 + 1 + 1 + 1,  # the loop, bl, bx, pop
}
RISCV = b"""
__attribute__((naked)) void known(void)
{
    __asm__("lw a1, 0(a0)\\n"
            "lbu a2, 1(a0)\\n"
            "lhu a3, 2(a0)\\n"
            "sh a3, 2(a0)\\n"
            "sw a1, 4(a0)\\n"
            "mul a4, a1, a2\\n"
            "mulhu a4, a1, a2\\n"
            "divu a4, a1, a2\\n"
            "remu a4, a1, a2\\n"
            "li a2, 3\\n"
            "1: addi a2, a2, -1\\n"
            "bnez a2, 1b\\n"
            "ret\\n");
}
"""
RISCV_CLASSES = {
    "load": 1,
    "load_part": 2,
    "store": 2,
    "multiply": 2,
    "divide": 2,
    "other": 1 + 6 + 1,
    "taken_branch": 2 + 1,
}


def executed(target, program, stages=None, **changes):
    target = dataclasses.replace(find_target(target), **changes)
    try:
        compiler = find_cross_compiler(target)
    except MissingToolError as missing:
        pytest.skip(str(missing))
    image = compiler.image([Unit({"program.c": program}, ("-std=gnu99", "-O2"))], ["known"])
    processor = EmulatedProcessor(image, target, traced=True, stages=stages and stages(image))
    processor.write(processor.free, bytes([1, 2, 3, 4, 5, 6, 7, 8]))
    processor.call("known", (processor.free,))
    return processor.execution()


@pytest.mark.parametrize(
    ("target", "program", "classes"),
    [("cortex-m4", ARM, ARM_CLASSES), ("riscv32", RISCV, RISCV_CLASSES)],
    ids=["cortex-m4", "riscv32"],
)
def test_classes_of_instructions(target, program, classes):
    found = executed(target, program)
    assert dict(found.classes) == classes
    events = classes["taken_branch"] + classes.get("transfer", 0)
    assert found.instructions == sum(classes.values()) - events


def test_data_accesses_of_arm():
    found = executed("cortex-m4", ARM)
    # ldr, ldrb, ldrd, vldr, vpop, pop; push, strh, stmia, vpush.
    assert found.bytes_read == 4 + 1 + 8 + 4 + 8 + 12
    assert found.bytes_written == 12 + 2 + 8 + 8
    # One a register, and d8 is one register.
    assert found.loads == 1 + 1 + 2 + 1 + 1 + 3
    assert found.stores == 3 + 1 + 2 + 1


def test_data_accesses_of_riscv():
    found = executed("riscv32", RISCV)
    assert (found.loads, found.stores, found.bytes_read, found.bytes_written) == (3, 2, 7, 6)


def test_a_model_is_a_sum_over_classes():
    model = find_target("cortex-m4").cycles
    costs = model.costs
    by_hand = sum(count * costs.get(kind, 1) for kind, count in ARM_CLASSES.items())
    assert model.estimate(ARM_CLASSES) == by_hand
    assert model.estimate({"other": 7}) == 7
    assert model.estimate({"divide": 1}) == 12


def test_what_is_called_belongs_to_the_call():
    def stages(image):
        known = image.symbol("known")
        return dict.fromkeys(range(known.address, known.address + known.size, 2), "cell")

    found = executed("cortex-m4", ARM, stages)
    assert found.stages == {"cell": found.instructions}


def test_without_a_model_no_classes_are_counted():
    assert not executed("cortex-m4", ARM, cycles=None).classes


def test_a_model_for_an_architecture_without_classes():
    cycles = find_target("cortex-m4").cycles
    program = b"int known(int x); int known(int x) { return x + 1; }"
    with pytest.raises(EmulationError, match="no classes of instructions are known for aarch64"):
        executed("cortex-a53", program, cycles=cycles)
