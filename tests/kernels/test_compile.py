"""The compiler's commands, with compilers that work and others that fail, hang or lie."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from ltc_edge.errors import KernelError
from ltc_edge.kernels import compile as kernels
from ltc_edge.kernels.library import instruction_set, instruction_sets, open_library
from ltc_edge.kernels.library_file import publish

BUILD = """
import sys
from ltc_edge.kernels.compile import Compiler, build
build({"dispatch.c": b""}, Compiler((sys.argv[1],), "odd", "x86_64-linux-gnu"))
"""


@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_the_library_holds_every_instruction_set(name, sources, tmp_path):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    compiler = kernels.ask_compiler([name])
    made = kernels.build(sources, compiler)
    assert made.instruction_sets == tuple(each.name for each in compiler.instruction_sets)
    assert made.left_out == ()
    library = open_library(publish(made, tmp_path))
    assert set(instruction_sets(library)) == set(made.instruction_sets)
    for each in made.instruction_sets:
        with instruction_set(library, each):
            assert library.ltc_edge_kernels_isa() == each.encode()


@pytest.mark.parametrize("name", ["gcc", "clang"])
def test_the_same_sources_give_the_same_bytes(name, sources, tmp_path, monkeypatch):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    compiler = kernels.ask_compiler([name])
    libraries = []
    for folder in ("one", "another-and-longer"):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(kernels.tempfile, "tempdir", str(tmp_path / folder))
        libraries.append(kernels.build(sources, compiler).content)
        assert list((tmp_path / folder).iterdir()) == []
    assert libraries[0] == libraries[1]
    assert str(tmp_path).encode() not in libraries[0]


def test_kernels_are_compiled_once_for_each_set():
    sets = (kernels.InstructionSet("sse2"), kernels.InstructionSet("avx2", ("-mavx2",)))
    commands = kernels.compilations(["dispatch.c", "ltc.kernel.c", "table.h"], sets)
    assert [command[-1] for command in commands] == ["dispatch.o", "ltc.kernel.sse2.o", "ltc.kernel.avx2.o"]
    plain, sse2, avx2 = (set(command) for command in commands)
    assert "-DLTC_EDGE_ISA=sse2" in sse2
    assert {"-DLTC_EDGE_ISA=avx2", "-mavx2"} <= avx2
    assert not any(argument.startswith(("-D", "-m")) for argument in plain)
    assert not any("fast-math" in argument for command in commands for argument in command)


def test_an_instruction_set_that_the_compiler_does_not_know_is_left_out(sources, odd_compiler, tmp_path):
    old = odd_compiler('for a; do case "$a" in -mavx512f) exit 1;; esac; done; exec REAL "$@"')
    compiler = kernels.Compiler(old, "old", kernels.ask_compiler().target)
    if len(compiler.instruction_sets) == 1:
        pytest.skip("this architecture has one instruction set alone")
    made = kernels.build(sources, compiler)
    assert made.left_out == ("avx512",)
    assert "avx512" not in instruction_sets(open_library(publish(made, tmp_path)))


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("x86_64-linux-gnu", ["sse2", "avx2", "avx512"]),
        ("aarch64-linux-musl", ["neon"]),
        ("arm64-apple-darwin23.1.0", ["neon"]),
        ("riscv64-unknown-linux-gnu", ["generic"]),
    ],
)
def test_the_compilers_target_says_which_sets_there_are(target, names):
    assert [each.name for each in kernels.Compiler(("cc",), "", target).instruction_sets] == names


@pytest.mark.parametrize(
    ("target", "platform"),
    [
        ("x86_64-linux-gnu", "manylinux_2_34_x86_64"),
        ("aarch64-linux-gnu", "linux-aarch64"),
        ("arm64-apple-darwin23.1.0", "macosx_14_0_arm64"),
        ("arm-linux-gnueabihf", "linux_armv7l"),
    ],
)
def test_a_compiler_for_a_wheels_platform(target, platform):
    kernels.Compiler(("cc",), "", target).check_platform(platform)
    other = "linux_x86_64" if target[0] == "a" else "linux_aarch64"
    with pytest.raises(KernelError, match=f"cc compiles for {target}, not for {other}"):
        kernels.Compiler(("cc",), "", target).check_platform(other)


def test_no_compiler(no_compiler):
    with pytest.raises(KernelError, match=r"none of cc, gcc, clang; install one .* or name it in .* CC"):
        kernels.ask_compiler()


def test_a_compiler_that_always_fails(odd_compiler):
    with pytest.raises(KernelError, match=r"odd-cc --version fails \(exit code 1\); name a compiler with CC"):
        kernels.ask_compiler(odd_compiler("exit 1", answers=False))


def test_a_compiler_that_fails_to_compile(sources, odd_compiler):
    broken = odd_compiler("echo 'cc1: fatal error: it rains' >&2; exit 1")
    with pytest.raises(KernelError, match=r"odd-cc does not compile the kernels: cc1: fatal error: it rains"):
        kernels.build(sources, kernels.ask_compiler(broken))


def test_a_compiler_that_leaves_nothing(sources, odd_compiler):
    with pytest.raises(KernelError, match="says that it linked the kernels, and did not"):
        kernels.build(sources, kernels.ask_compiler(odd_compiler("exit 0")))


def test_a_compiler_that_cannot_be_run(tmp_path):
    (tmp_path / "cc").write_text("no program")
    with pytest.raises(KernelError, match=r"cannot be run \(Permission denied\)"):
        kernels.ask_compiler([str(tmp_path / "cc")])


def test_a_mistake_in_a_source_is_shown_with_its_place(sources):
    sources["tiny.kernel.c"] += b"int f(void) { return nothing; }\n"
    with pytest.raises(KernelError, match=r"tiny\.kernel\.c:8:\d+: error: .*nothing"):
        kernels.build(sources, kernels.ask_compiler())


def test_a_function_that_is_missing_fails_to_link(sources):
    sources["dispatch.c"] += b"int missing(void);\nEXPORT int caller(void) { return missing(); }\n"
    with pytest.raises(KernelError, match=r"does not compile the kernels: .*missing"):
        kernels.build(sources, kernels.ask_compiler())


def test_a_folder_without_sources(tmp_path):
    with pytest.raises(KernelError, match="the kernels' C is not there; install ltc-edge again"):
        kernels.read_sources(tmp_path)
    with pytest.raises(KernelError, match=r"none: the kernels' C cannot be read \(No such file"):
        kernels.read_sources(tmp_path / "none")


def test_the_digest_changes_with_names_contents_and_flags(sources, monkeypatch):
    digests = {kernels.digest_of(sources)}
    digests.add(kernels.digest_of({**sources, "table.h": b"typedef int table;\n"}))
    digests.add(
        kernels.digest_of({("other.h" if name == "table.h" else name): c for name, c in sources.items()})
    )
    monkeypatch.setattr(kernels, "FLAGS", (*kernels.FLAGS, "-g"))
    digests.add(kernels.digest_of(sources))
    assert len(digests) == 4


def test_a_compiler_that_hangs_is_killed_with_all_that_it_started(sources, odd_compiler, tmp_path, is_alive):
    hanging = odd_compiler(f"sleep 600 & echo $$ $! >> {tmp_path}/pids; wait")
    with pytest.raises(
        KernelError, match="odd-cc does not finish in time; name a compiler that works with CC"
    ):
        kernels.build(sources, kernels.ask_compiler(hanging), timeout_s=0.5)
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) >= 2
    assert not any(is_alive(pid) for pid in pids)


def test_a_compiler_that_closes_its_output_and_hangs_is_killed(odd_compiler, tmp_path, is_alive):
    hanging = odd_compiler(f"echo $$ >> {tmp_path}/pids; exec >&- 2>&-; sleep 600", answers=False)
    with pytest.raises(KernelError, match="does not finish in time"):
        kernels.ask_compiler(hanging, timeout_s=0.5)
    assert not any(is_alive(pid) for pid in (tmp_path / "pids").read_text().split())


def test_an_interrupt_ends_the_compiler_and_leaves_nothing(odd_compiler, tmp_path, is_alive):
    (tmp_path / "scratch").mkdir()
    os.mkfifo(tmp_path / "started")
    hanging = odd_compiler(f"echo $$ > {tmp_path}/started; exec sleep 600")
    building = subprocess.Popen(
        [sys.executable, "-c", BUILD, *hanging],
        env={**os.environ, "TMPDIR": str(tmp_path / "scratch")},
        stderr=subprocess.PIPE,
    )
    pids = (tmp_path / "started").read_text().split()
    building.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in building.communicate(timeout=60)[1]
    assert pids
    assert not any(is_alive(pid) for pid in pids)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_more_programs_than_run_at_once_come_back_in_order(tmp_path):
    commands = [["sh", "-c", f"echo {i}; exit {i}"] for i in range(5)]
    finished = kernels.run_all(commands, tmp_path, 60.0)
    assert [(each.code, each.output) for each in finished] == [(i, f"{i}\n") for i in range(5)]
