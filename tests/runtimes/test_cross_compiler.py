"""Programs for targets: what is in them, what is refused, and that QEMU runs those that print."""

import shutil
import subprocess

import pytest

from ltc_edge.errors import EmulationError, InputError, MissingToolError
from ltc_edge.runtimes.cross_compiler import Unit, find_cross_compiler
from ltc_edge.runtimes.emulated_processor import EmulatedProcessor
from ltc_edge.targets import TARGETS, find_target

COMPILERS = ("gcc", "clang")
# A loop, a call, a float on its way in and out as bits, a constant, and variables with and without a value.
PROGRAM = b"""
#include <stdint.h>
static const uint32_t odd[4] = { 1U, 3U, 5U, 7U };
uint32_t begun = 40U, zero;
uint32_t sum(const volatile uint32_t *from, uint32_t count)
{
    uint32_t all = 0U;
    for (uint32_t i = 0U; i < count; ++i) {
        all += from[i];
    }
    return all;
}
uint32_t constant(void) { return sum(odd, 4U); }
uint32_t variables(void) { zero += 1U; return begun + zero; }
uint32_t bits(const uint32_t *a, const uint32_t *b, float x, uint32_t *out)
{
    union { float value; uint32_t bits; } word;
    word.value = x * 2.0F;
    *out = *a + *b;
    return word.bits;
}
void hang(void) { for (;;) { } }
void stray(void) { *(volatile uint32_t *)0x10U = 1U; }
void spoil(void) { *(volatile uint32_t *)(uintptr_t)odd = 1U; }
"""
ROOTS = ("constant", "variables", "bits", "sum", "hang", "stray", "spoil")
HELLO = b'#include <stdio.h>\nint main(void) { printf("%lu bits\\n", 8UL * sizeof(void *)); return 0; }\n'
POINTER_BITS = {"aarch64": 64, "riscv64": 64}


def compiler_of(target, name):
    pytest.importorskip("elftools", reason="pyelftools is not installed (extra: firmware)")
    try:
        return find_cross_compiler(find_target(target), name)
    except MissingToolError as missing:
        pytest.skip(str(missing))


def image_of(target, name, program=PROGRAM, roots=ROOTS, flags=("-std=c99", "-Os")):
    return compiler_of(target, name).image([Unit({"program.c": program}, tuple(flags))], roots)


@pytest.fixture
def processor(request):
    pytest.importorskip("unicorn", reason="unicorn is not installed (extra: firmware)")
    target, name = request.param
    return EmulatedProcessor(image_of(target, name), find_target(target), counted=True)


every_target = pytest.mark.parametrize(
    "processor", [(target, name) for target in TARGETS for name in COMPILERS], ids="-".join, indirect=True
)
one_target = pytest.mark.parametrize("processor", [("cortex-m4", "gcc")], ids="-".join, indirect=True)


@every_target
def test_arguments_results_and_memory(processor):
    assert processor.call("constant") == 16
    assert [processor.call("variables") for _ in range(3)] == [41, 42, 43]
    memory = processor.free
    processor.write(memory, (5).to_bytes(4, "little") + (6).to_bytes(4, "little"))
    assert processor.call("bits", (memory, memory + 4, memory + 8), 1.5) == 0x4040_0000
    assert processor.read(memory + 8, 4) == (11).to_bytes(4, "little")


@every_target
def test_one_more_turn_of_a_loop_is_a_few_more_instructions(processor):
    counts = []
    for turns in (1, 5, 9):
        processor.call("sum", (processor.free, turns))
        counts.append(processor.instructions)
    assert counts[2] - counts[1] == counts[1] - counts[0]
    assert 4 * 3 <= counts[1] - counts[0] <= 4 * 8


@one_target
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("hang", r"still running after 1000 instructions, at 0x1\w+ \(hang\)"),
        ("stray", r"\(stray\)"),
        ("spoil", r"\(spoil\)"),
    ],
)
def test_a_fault_names_function_and_place(processor, function, message):
    with pytest.raises(EmulationError, match=rf"{function} on an emulated cortex-m4: .*{message}"):
        processor.call(function, limit=1000)


@one_target
def test_a_function_that_is_not_there(processor):
    with pytest.raises(InputError, match="has no 'other'"):
        processor.call("other")


@pytest.mark.parametrize("name", COMPILERS)
@pytest.mark.parametrize("target", TARGETS)
def test_only_targets_with_an_fpu_get_code_for_one(target, name):
    image = image_of(target, name)
    assert image.has_fpu_code == find_target(target).fpu
    assert image.ram_bytes == 8
    assert 16 < image.flash_bytes < 2000


@pytest.mark.parametrize("name", COMPILERS)
def test_code_for_an_fpu_that_is_not_there_is_refused(name):
    hard = ("-std=c99", "-O2", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=softfp")
    with pytest.raises(InputError, match="floating-point unit, which that target has not"):
        image_of("cortex-m3", name, flags=hard)


@pytest.mark.parametrize(
    ("program", "roots", "message"),
    [
        (b"int f(void) { return x; }", ["f"], "undeclared"),
        (b"int g(int); int f(void) { return g(1); }", ["f"], "undefined reference to `g'"),
        (b"int f(void) { return 1; }", ["other"], "required symbol `other' not defined"),
    ],
)
def test_a_program_that_cannot_be_made_is_one_telling_line(program, roots, message):
    with pytest.raises(InputError, match=message) as caught:
        image_of("cortex-m4", "gcc", program, roots)
    assert "\n" not in str(caught.value)


def test_files_of_one_name_are_refused():
    unit = Unit({"same.c": PROGRAM}, ())
    with pytest.raises(InputError, match=r"two files are called 'same\.c'"):
        compiler_of("cortex-m4", "gcc").image([unit, unit], ["sum"])


def test_a_compiler_that_the_target_has_not():
    with pytest.raises(InputError, match="no compiler 'tcc', only gcc, clang"):
        find_cross_compiler(find_target("cortex-m4"), "tcc")


@pytest.mark.parametrize("name", COMPILERS)
@pytest.mark.parametrize("target", TARGETS)
def test_qemu_runs_a_program_that_prints(target, name, tmp_path):
    compiler, qemu = compiler_of(target, name), find_target(target).qemu
    if shutil.which(qemu.tool.command) is None:
        pytest.skip(f"{qemu.tool.command} is not installed (Debian: {qemu.tool.package})")
    program = tmp_path / "hello"
    program.write_bytes(compiler.hosted([Unit({"hello.c": HELLO}, ("-std=c99", "-O2"))]))
    program.chmod(0o755)
    command = [qemu.tool.command, *qemu.tool.flags, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    # Semihosting prints on standard error.
    said = done.stdout + done.stderr
    assert said.strip() == f"{POINTER_BITS.get(find_target(target).architecture, 32)} bits"
    assert done.returncode == 0
