"""Finding, compiling and loading the library: with real compilers, damaged files and several processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ltc_edge.errors import InputError, KernelError
from ltc_edge.kernels import compile as kernels
from ltc_edge.kernels import library, library_file

COMPILING = "compiling the fused kernels"
WITHOUT = "training without the fused kernels"
NOBODY = 65534

# A process that waits for a line on its standard input, then does something with the package.
PROCESS = """
import logging, os, sys, threading
from pathlib import Path
from ltc_edge.kernels import library

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
library.PACKAGE = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""
LOAD = PROCESS + "print(library.load() is not None)\n"
# The parent forks while another of its threads compiles, and so while it holds what keeps the others out.
FORK = (
    PROCESS
    + """
thread = threading.Thread(target=library.load)
thread.start()
Path(os.environ["STARTED"]).read_text()
child = os.fork()
if child == 0:
    os.environ["CC"] = "no-such-compiler"
    os._exit(0 if library.load() is None else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
Path(os.environ["FINISH"]).write_text("now")
thread.join()
child = os.fork()
if child == 0:
    os._exit(0 if library.load().ltc_edge_kernels_abi() == library.ABI else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
)


@pytest.fixture
def compiled(package, tiny_build):
    """The package with its library built in."""
    library_file.publish(tiny_build, package)
    return package


def lines(caplog, beginning):
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith(beginning)]


def start(script, package, *before):
    return subprocess.Popen(
        [*before, sys.executable, "-c", script, str(package)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def go(process):
    """What a process prints once it is let go."""
    process.stdout.readline()
    return go_on(process)


def go_on(process):
    try:
        printed, _ = process.communicate("go\n", timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert process.returncode == 0
    return printed.splitlines()


def test_a_built_in_library_needs_no_compiler(compiled, no_compiler, caplog):
    assert library.instruction_sets(library.load())
    assert caplog.records == []


def test_what_was_compiled_is_found_again(package, tmp_path, caplog):
    first, second = library.find(package), library.find(package)
    assert first._name == second._name
    assert first._name.startswith(str(tmp_path / "cache" / "ltc-edge" / "kernels"))
    assert len(lines(caplog, COMPILING)) == 1


def test_another_compiler_gets_a_library_of_its_own(package, monkeypatch):
    found = set()
    for name in ("gcc", "clang"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        monkeypatch.setenv("CC", name)
        found.add(library.find(package)._name)
    assert len(found) == 2


def test_changed_sources_are_compiled_again(compiled, caplog):
    with (compiled / "source" / "dispatch.c").open("a") as file:
        file.write("EXPORT int32_t newer(void) { return 7; }\n")
    assert library.find(compiled).newer() == 7
    assert len(lines(caplog, COMPILING)) == 1


def test_stale_and_no_compiler(compiled, no_compiler):
    (compiled / "source" / "more.h").write_text("")
    with pytest.raises(KernelError, match=r"was made from other sources; .* none of cc, gcc, clang"):
        library.find(compiled)


def test_a_library_without_its_sources_is_used(compiled, no_compiler):
    shutil.rmtree(compiled / "source")
    assert library.find(compiled)._name == str(compiled / library_file.LIBRARY)


def damage(folder, how):
    path = folder / (library_file.RECORD if "record" in how else library_file.LIBRARY)
    content = path.read_bytes()
    path.unlink()  # it may be loaded
    middle = len(content) // 2
    match how:
        case "cut off":
            path.write_bytes(content[:middle])
        case "one bit":
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "empty":
            path.write_bytes(b"")
        case "record of nothing":
            path.write_text("[]")
        case "record cut off":
            path.write_bytes(content[:middle])


@pytest.mark.parametrize(
    "how", ["cut off", "one bit", "empty", "record of nothing", "record cut off", "no record"]
)
def test_a_damaged_library_of_the_package_is_not_loaded(how, compiled, no_compiler):
    damage(compiled, how)
    with pytest.raises(KernelError, match=r"(damaged|has no record beside it)[^;]*; .* none of cc, gcc"):
        library.find(compiled)


@pytest.mark.parametrize("how", ["cut off", "no record"])
def test_a_damaged_library_of_the_cache_is_compiled_again(how, package, tmp_path, caplog):
    library.find(package)
    (folder,) = (tmp_path / "cache/ltc-edge/kernels").iterdir()
    content = (folder / library_file.LIBRARY).read_bytes()
    damage(folder, how)
    library.find(package)
    assert len(lines(caplog, COMPILING)) == 2
    assert (folder / library_file.LIBRARY).read_bytes() == content


def test_a_library_of_another_processor(package, sources, no_compiler, monkeypatch):
    monkeypatch.undo()
    name = "aarch64-linux-gnu-gcc" if os.uname().machine != "aarch64" else "x86_64-linux-gnu-gcc"
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    library_file.publish(kernels.build(sources, kernels.ask_compiler([name])), package)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(KernelError, match=r"libltc_edge_kernels\.so cannot be loaded \(.*; .* no 'no-such"):
        library.find(package)


def test_another_version(package):
    path = package / "source" / "dispatch.c"
    path.write_text(path.read_text().replace(f"return {library.ABI};", f"return {library.ABI + 1};"))
    with pytest.raises(KernelError, match=f"is of version {library.ABI + 1}, not of {library.ABI} as needed"):
        library.find(package)


def test_a_library_of_something_else(package):
    (package / "source" / "dispatch.c").write_text("int x;\n")
    with pytest.raises(KernelError, match="is not a library of kernels"):
        library.find(package)


def test_an_instruction_set_is_used_for_a_while(compiled):
    loaded = library.load()
    before = loaded.ltc_edge_kernels_isa()
    for name in library.instruction_sets(loaded):
        with library.instruction_set(loaded, name):
            assert loaded.ltc_edge_kernels_isa() == name.encode()
    assert loaded.ltc_edge_kernels_isa() == before
    with (
        pytest.raises(InputError, match="no instruction set 'mmx' on this processor, only"),
        library.instruction_set(loaded, "mmx"),
    ):
        pass


@pytest.mark.parametrize("folder", ["", "ltc-edge/kernels"])
def test_a_cache_that_others_can_write_is_not_used(folder, package, tmp_path, caplog):
    (tmp_path / "cache" / "ltc-edge" / "kernels").mkdir(parents=True)
    (tmp_path / "cache" / folder).chmod(0o777)
    assert library.load() is not None
    (line,) = lines(caplog, COMPILING)
    assert f"for this process alone: {tmp_path}/cache" in line
    assert "somebody else can write it" in line
    assert not list(tmp_path.glob(f"cache/**/{library_file.LIBRARY}"))


def test_a_file_of_somebody_else_is_not_used(package, tmp_path, caplog):
    if os.geteuid() != 0:
        pytest.skip("giving a file away needs root")
    library.find(package)
    (folder,) = (tmp_path / "cache/ltc-edge/kernels").iterdir()
    os.chown(folder / library_file.LIBRARY, NOBODY, NOBODY)
    library.find(package)
    _, line = lines(caplog, COMPILING)
    assert "somebody else can write it, so it is not used; remove it" in line


def test_a_link_in_the_place_of_the_cache_is_not_followed(package, tmp_path, caplog):
    (tmp_path / "cache").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache" / "ltc-edge").symlink_to(tmp_path / "elsewhere")
    assert library.load() is not None
    assert "somebody else can write it" in lines(caplog, COMPILING)[0]


@pytest.mark.parametrize("place", ["a file", "read-only"])
def test_without_a_cache_the_library_is_of_this_process_alone(place, package, tmp_path):
    cache = tmp_path / "cache"
    if place == "a file":
        cache.write_text("")
        before = ()
    else:
        cache.mkdir(mode=0o500)
        before = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
        if before and shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed")
    line, loaded = go(start(LOAD, package, *before))
    assert f"for this process alone: {cache}" in line
    assert loaded == "True"
    assert [path.name for path in tmp_path.iterdir() if "ltc-edge" in path.name] == []


def test_no_home(package, monkeypatch, caplog):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # not to be heeded
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no entry of this user either
    assert library.load() is not None
    assert "for this process alone: this user has no home folder" in lines(caplog, COMPILING)[0]


def test_no_compiler_is_said_once(package, no_compiler, caplog):
    assert [library.load() for _ in range(3)] == [None] * 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{WITHOUT}, which is slower: a C compiler is needed")
    assert line.endswith("in the environment variable CC; LTC_EDGE_KERNEL=torch asks for it")
    with pytest.raises(KernelError, match="there are no fused kernels here: a C compiler is needed"):
        library.load_or_raise()


def test_threads_load_it_once(package, caplog):
    with ThreadPoolExecutor(8) as pool:
        loaded = set(pool.map(lambda _: id(library.load()), range(32)))
    assert len(loaded) == 1
    assert len(lines(caplog, COMPILING)) == 1


def test_processes_that_start_at_once_compile_once(package):
    processes = [start(LOAD, package) for _ in range(4)]
    for process in processes:
        process.stdout.readline()
    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(go_on, processes))
    assert [each[-1] for each in printed] == ["True"] * 4
    assert sum(line.startswith(COMPILING) for each in printed for line in each) == 1


@pytest.fixture
def waiting_compiler(odd_compiler, tmp_path, monkeypatch):
    """A compiler in CC that says on its first call that it was called, in one pipe, and waits for another."""
    for name in ("started", "finish"):
        os.mkfifo(tmp_path / name)
        monkeypatch.setenv(name.upper(), str(tmp_path / name))
    first = f"if mkdir {tmp_path}/first 2>&-; then echo > {tmp_path}/started; read _ < {tmp_path}/finish; fi"
    monkeypatch.setenv("CC", *odd_compiler(f'{first}; exec REAL "$@"'))
    return tmp_path / "started", tmp_path / "finish"


def test_a_process_that_is_killed_while_it_compiles_leaves_no_half(package, waiting_compiler, tmp_path):
    started, finish = waiting_compiler
    process = start(LOAD, package)
    process.stdin.write("go\n")
    process.stdin.flush()
    started.read_text()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finish.write_text("now")
    (folder,) = (tmp_path / "cache/ltc-edge/kernels").iterdir()
    assert not (folder / library_file.LIBRARY).exists()
    assert library.load() is not None
    assert (folder / library_file.LIBRARY).exists()


def test_a_process_forked_while_a_thread_compiles_is_not_stuck(package, waiting_compiler):
    printed = go(start(FORK, package))
    assert [line for line in printed if line in ("0", "1")] == ["0", "0"]
    assert sum(line.startswith(WITHOUT) for line in printed) == 1


def test_the_record_says_what_the_library_is(compiled):
    record = json.loads((compiled / library_file.RECORD).read_text())
    assert record["sources"] == kernels.digest_of(kernels.read_sources(compiled / "source"))
    compiler = kernels.ask_compiler()
    assert (record["compiler"], record["target"]) == (compiler.version, compiler.target)
    assert record["instruction_sets"] == [each.name for each in compiler.instruction_sets]
