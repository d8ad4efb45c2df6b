"""A program in C that logs the steps of a controller, and a log that it made."""

import json
import resource
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("mcap")

QUICKLY = ("-std=c99", "-O1", "-ffp-contract=off")
FIRMWARE = Path(__file__).parents[3] / "firmware_examples"


@pytest.fixture(scope="session")
def bundle(unverified_bundle):
    from ltc_edge.bundle.bundle import load_bundle

    return load_bundle(unverified_bundle("c-float32"))


@pytest.fixture(scope="session")
def driver(bundle, tmp_path_factory):
    """Runs ``driver.c`` with the tiny controller; what it counted, or the process where it failed."""
    from ltc_edge.deploy.step_log.facts import facts_c, make_facts
    from ltc_edge.runtimes.c_compiler import find_compiler
    from ltc_edge.supervision.settings import default_settings

    folder = tmp_path_factory.mktemp("driver")
    sources = bundle.artifacts["c-float32"].c_sources()
    for name, content in sources.files.items():
        (folder / name).write_bytes(content)
    facts = make_facts(bundle, "c-float32", 0.001, default_settings(bundle.controller))
    (folder / "step_log_facts.c").write_text(facts_c(facts))
    loop, common = FIRMWARE / "linux_rt_loop", FIRMWARE / "common"
    files = [
        *loop.glob("step_log*.c"),
        *loop.glob("mcap_file*.c"),
        common / "ltc_supervisor.c",
        *folder.glob("*.c"),
    ]
    command = [
        *find_compiler(),
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Wdouble-promotion",
        "-Werror",
    ]
    command += ["-O1", "-ffp-contract=off", "-D_GNU_SOURCE", "-DSTEP_LOG_MINUTE_NS=200000000", "-pthread"]
    command += [f"-I{loop}", f"-I{common}", f"-I{folder}", "-DCONTROLLER=tiny", "-DCONTROLLER_UPPER=TINY"]
    command += [
        '-DCONTROLLER_HEADER="tiny.h"',
        "-o",
        str(folder / "driver"),
        str(Path(__file__).parent / "driver.c"),
    ]
    subprocess.run([*command, *map(str, files), "-lm"], check=True, timeout=120)

    def run(*arguments, file_bytes=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        words = [str(folder / "driver"), *map(str, arguments)]
        # SIGXFSZ stays ignored, as Python has it: a file that may not grow is an error, as a full disk is.
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=60,
            restore_signals=False,
            preexec_fn=None if file_bytes is None else limit,
        )
        return json.loads(done.stdout) if done.returncode == 0 and not done.stderr else done

    return run


@pytest.fixture(scope="session")
def log_file(driver, tmp_path_factory):
    """A log of 4000 steps through all modes; memory is changed on the way."""
    path = tmp_path_factory.mktemp("log") / "run.mcap"
    counts = driver(path, 4000, 1000, "c")
    assert counts["written"] == 4000
    return path


@pytest.fixture(scope="session")
def library(bundle, log_file):
    """What logs of the driver are replayed through."""
    from ltc_edge.deploy.replay.library import ReplayLibrary
    from ltc_edge.deploy.replay.settings import logged_settings
    from ltc_edge.deploy.step_log.reading import StepLog

    sources = bundle.artifacts["c-float32"].c_sources()
    return ReplayLibrary(sources, logged_settings(StepLog(log_file)), QUICKLY)
