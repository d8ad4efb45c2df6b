"""The program that times a controller in C: it compiles without a word, and answers what it is asked."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.export.artifacts import make_artifact
from ltc_edge.export.c.stages import STAGES
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.profiling.inputs import profile_inputs
from ltc_edge.profiling.jobs import job_of
from ltc_edge.profiling.sampled_stages import DEFINE, shares, staged_source
from ltc_edge.runtimes.exported import exported_stepper

FLAGS = ("-std=c99", "-O0", "-ffp-contract=off")
STRICT = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
STEPS = 60


class Harness:
    """A harness that runs; `ask` gives the words of an answer and its block."""

    def __init__(self, program, feed):
        self.process = subprocess.Popen(
            [program, feed], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=program.parent
        )
        self.greeting, _ = self.answer()

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        word, *rest = self.process.stdout.readline().decode().split()
        if word == "no":
            return " ".join(rest), None
        assert word == "ok"
        block = self.process.stdout.read(int(rest[0]))
        return {key: int(value) for key, _, value in (part.partition("=") for part in rest[1:])}, block

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


@pytest.fixture(scope="module")
def controller(tiny_controller):
    return controller_from_bytes(hub_bytes(tiny_controller()), "tiny")


@pytest.fixture(scope="module", params=["c-float32", "c-int16"])
def artifact(request, controller):
    plan = make_plan(controller, (from_excitation(controller),))
    return make_artifact(FORMATS[request.param], controller, plan)


@pytest.fixture(scope="module")
def inputs(controller):
    return profile_inputs(controller, STEPS)


def written(job, folder, staged=False):
    """Put the sources and the feed there; the names of the C files, and what they are compiled with."""
    files = {**job.sources.files, **job.harness}
    main = f"{job.sources.name}.c"
    if staged:
        files[main] = staged_source(files[main])
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "feed.bin").write_bytes(job.feed)
    return sorted(name for name in files if name.endswith(".c")), (DEFINE,) if staged else ()


def compiled(job, folder, staged=False):
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    names, more = written(job, folder, staged)
    subprocess.run(["cc", *FLAGS, *more, "-o", "program", *names, "-lrt"], cwd=folder, check=True)
    return folder / "program"


@pytest.fixture(scope="module")
def job(artifact, inputs):
    return job_of(artifact, inputs)


@pytest.fixture(scope="module")
def program(job, tmp_path_factory):
    return compiled(job, tmp_path_factory.mktemp("harness"))


@pytest.fixture
def harness(program):
    made = Harness(program, "feed.bin")
    yield made
    made.end()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("staged", [False, True], ids=["plain", "staged"])
def test_it_compiles_without_a_word(job, tmp_path, compiler, staged):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    _, more = written(job, tmp_path, staged)
    done = subprocess.run(
        [compiler, *STRICT, *more, "-c", "harness.c", f"{job.sources.name}.c"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_says_when_each_stage_of_its_start_was_over(harness):
    said = harness.greeting
    assert 0 < said["entered_ns"] <= said["loaded_ns"] <= said["first_ns"]
    assert said["status"] == 0


def test_its_actions_are_those_of_the_stepper(harness, job, artifact, controller, inputs):
    stepper = exported_stepper(artifact, controller)
    found, block = harness.ask(f"actions {STEPS}")
    expected = [
        stepper.step(row, dt) for row, dt in zip(inputs.observation, inputs.dt_s.tolist(), strict=True)
    ]
    assert found["statuses"] == 0
    assert np.array_equal(job.decode(block, "float32"), np.stack(expected))
    # From the reset each time, and on from the first row after the last.
    _, again = harness.ask(f"actions {STEPS + 5}")
    assert again[: len(block)] == block
    assert len(again) == 4 * (STEPS + 5)


def test_each_request_has_an_answer_of_its_length(harness):
    usage, block = harness.ask("singles 300 1000000000 0")
    assert len(block) == 4 * 300
    assert np.frombuffer(block, "<u4").min() > 0
    assert set(usage) == {"interruptions", "cpu_ns", "wall_ns"}
    assert np.frombuffer(block, "<u4").sum() <= usage["wall_ns"]
    _, block = harness.ask("singles 1000000 1 1")
    assert len(block) == 4  # the limit is over after the first
    _, block = harness.ask("batches 3 50")
    found = np.frombuffer(block, "<i8").reshape(3, 4)
    assert (found > 0).all()
    usage, block = harness.ask("paced 100000 7")
    assert np.frombuffer(block, "<u4").reshape(2, 7)[1].min() > 0
    assert usage["wall_ns"] >= 7 * 100_000
    assert harness.ask("realtime 0 -1 0") == ({}, b"")


def test_a_processor_that_is_not_there(harness):
    reason, block = harness.ask("realtime 0 1000 0")
    assert block is None
    assert reason == "pin 22"  # EINVAL
    assert harness.ask("actions 1")[1] is not None


NONSENSE = (
    "",
    "actions",
    "actions 0",
    "actions -1",
    "actions 20000000",
    "actions 99999999999999999999",
    "singles 5",
    "singles 0 1 0",
    "batches 1 0",
    "batches 0 1",
    "paced 0 5",
    "paced 5 0",
    "paced -5 5",
    "stages 1 1",
    "Actions 1",
    "reboot",
    "\x00\xff",
)


def test_nonsense_is_refused_and_the_next_request_is_answered(harness):
    for line in NONSENSE:
        assert harness.ask(line) == ("no such request", None), line
    assert len(harness.ask("actions 1")[1]) == 4


@pytest.mark.parametrize("content", [None, b"", b"short"])
def test_a_feed_that_cannot_be_read(program, tmp_path, content):
    feed = tmp_path / "feed"
    if content is not None:
        feed.write_bytes(content)
    done = subprocess.run([program, feed], capture_output=True, input=b"actions 1\n", timeout=10)
    assert (done.returncode, done.stdout) == (2, b"no the feed cannot be read\n")


def test_stages_are_met_by_a_timer(job, tmp_path):
    staged = Harness(compiled(job, tmp_path, staged=True), "feed.bin")
    _, block = staged.ask("stages 50000000 100000")
    staged.end()
    counts = np.frombuffer(block, "<i8")
    assert len(counts) == len(STAGES)
    assert counts.sum() > 0
    found = shares(np.maximum(counts, 0).tobytes())
    assert found is None or sum(found.values()) == pytest.approx(1)


def test_the_plain_program_does_not_tell_stages(program, job):
    assert b"harness_stage" not in Path(program).read_bytes()
    assert harness_files(job) == {"harness.c", "harness_controller.h"}


def harness_files(job):
    return set(job.harness)
