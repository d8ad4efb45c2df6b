"""Replicates in processes of this machine, some of which are killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from toy_replicates import executions_in

from ltc_edge.errors import ControllerFileError, InputError, MissingExtraError
from ltc_edge.sweep.engines.engine import Lost
from ltc_edge.sweep.engines.processes import Processes, usable_cores
from ltc_edge.sweep.work import Outcome, Work, outcome_file_of

TOY = "toy_replicates:do"
SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture
def engine(tmp_path):
    made = Processes(tmp_path, 2, TOY)
    yield made
    made.close()


def finish(engine):
    ended = []
    while more := engine.wait():
        ended += more
    return ended


def test_outcomes_come_back_and_lie_there(engine, tmp_path):
    works = [Work(trial, seed, {}, {}) for trial in range(3) for seed in range(2)]
    for work in works:
        engine.submit(work)
    ended = finish(engine)
    assert sorted((each.trial, each.seed) for each in ended) == [(each.trial, each.seed) for each in works]
    for outcome in ended:
        work = Work(outcome.trial, outcome.seed, {}, {})
        assert Outcome.read(outcome_file_of(tmp_path, work), work) == outcome
        assert outcome.figures["threads"] == 1.0
    assert engine.wait() == []


def test_a_killed_worker_costs_its_own_work_alone(engine):
    engine.submit(Work(0, 0, {"behaviour": "dies"}, {}))
    for trial in (1, 2, 3):
        engine.submit(Work(trial, 0, {}, {}))
    ended = finish(engine)
    lost = [each for each in ended if isinstance(each, Lost)]
    assert [each.work.trial for each in lost] == [0]
    assert "SIGKILL" in lost[0].reason
    assert sorted(each.trial for each in ended if isinstance(each, Outcome)) == [1, 2, 3]


def test_without_memory_work_is_lost_and_a_defect_is_an_outcome(engine, tmp_path):
    engine.submit(Work(0, 0, {"behaviour": "memory"}, {}))
    engine.submit(Work(1, 0, {"behaviour": "defect"}, {}))
    found = {type(each): each for each in finish(engine)}
    assert "code 137" in found[Lost].reason
    assert found[Outcome].reason == "ZeroDivisionError: a defect"
    work = Work(1, 0, {}, {})
    assert Outcome.read(outcome_file_of(tmp_path, work), work) == found[Outcome]


def test_what_is_there_is_not_done_again(engine, tmp_path):
    (tmp_path / "0000").mkdir()
    log = tmp_path / "log"
    log.mkdir()
    Outcome(0, 0, "pruned").write(tmp_path / "0000" / "seed-0.json")
    (tmp_path / "0001").mkdir()
    (tmp_path / "0001" / "seed-0.json").write_text("{")
    engine.submit(Work(0, 0, {"log": str(log)}, {}))
    assert finish(engine) == [Outcome(0, 0, "pruned")]
    assert executions_in(log) == []
    engine.submit(Work(1, 0, {}, {}))
    with pytest.raises(ControllerFileError, match="remove it, and the replicate is done again"):
        finish(engine)


def test_an_unfit_machine_ends_the_sweep(engine):
    engine.submit(Work(0, 0, {"behaviour": "package"}, {}))
    with pytest.raises(MissingExtraError, match="torch is not installed"):
        finish(engine)


def test_workers_that_cannot_be_started_are_not_tried_for_ever(tmp_path, monkeypatch):
    with closing(Processes(tmp_path, 1, "no_such_module:do")) as engine:
        engine.submit(Work(0, 0, {}, {}))
        with pytest.raises(InputError, match="no_such_module:do: does no replicates"):
            finish(engine)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with closing(Processes(tmp_path, 1, TOY)) as engine:
        work = Work(0, 0, {}, {})
        engine.submit(work)
        for _ in range(2):
            (lost,) = engine.wait()
            engine.submit(lost.work)
        with pytest.raises(InputError, match=r"workers cannot be started: worker .* ended with code 1"):
            engine.wait()


def test_closing_ends_what_runs(tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    engine = Processes(tmp_path, 1, TOY)
    engine.submit(Work(0, 0, {}, {}))
    finish(engine)
    engine.submit(Work(1, 0, {"seconds": 600.0}, {}))
    (worker,) = children_of(os.getpid())
    engine.close()
    engine.close()
    assert not Path(f"/proc/{worker}").exists()


def test_a_signal_is_no_exception_that_a_task_could_take_for_its_own(engine, tmp_path):
    engine.submit(Work(0, 0, {}, {}))
    finish(engine)
    engine.submit(Work(1, 0, {"seconds": 600.0}, {}))
    (worker,) = children_of(os.getpid())
    os.kill(worker, signal.SIGTERM)
    (lost,) = engine.wait()
    assert "SIGTERM" in lost.reason
    assert not outcome_file_of(tmp_path, lost.work).exists()


def test_workers_die_with_their_driver(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from ltc_edge.sweep.engines.processes import Processes\n"
        "from ltc_edge.sweep.work import Work\n"
        "engine = Processes(Path(sys.argv[2]), 1, 'toy_replicates:do')\n"
        "engine.submit(Work(0, 0, {}, {})); engine.wait()\n"
        "engine.submit(Work(1, 0, {'seconds': 600.0}, {})); print('busy', flush=True); engine.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(SUPPORT), str(tmp_path)], stdout=subprocess.PIPE
    ) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"busy\n"
        (worker,) = children_of(driver.pid)
        end = os.pidfd_open(worker)
        os.kill(driver.pid, signal.SIGKILL)
    assert wait_for(end)


def test_there_is_a_core_at_least():
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


def children_of(pid):
    """The worker processes of the driver ``pid``."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child) for child in listed if b"engines.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def wait_for(end, seconds=30.0):
    """Whether the process of a descriptor ends in time."""
    try:
        return bool(select.select([end], [], [], seconds)[0])
    finally:
        os.close(end)
