"""Replicates on a Ray cluster on loopback, of whose nodes one is killed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from toy_replicates import do, executions_in

from ltc_edge.errors import InputError, MissingExtraError
from ltc_edge.sweep.driver import run_sweep
from ltc_edge.sweep.engines.carry_out import DO_REPLICATE
from ltc_edge.sweep.engines.engine import Engine, Lost
from ltc_edge.sweep.engines.processes import Processes
from ltc_edge.sweep.engines.ray import RayEngine
from ltc_edge.sweep.engines.ray_options import RayOptions
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.plan import SweepPlan
from ltc_edge.sweep.space import make_space
from ltc_edge.sweep.study import Study
from ltc_edge.sweep.work import Outcome, Work, outcome_file_of, run_folder_of
from ltc_edge.training.sources import TaskSource

pytestmark = pytest.mark.slow

SUPPORT = Path(__file__).parents[2] / "support"
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


class Nodes:
    """A cluster whose head does no work."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        self.address = str(cluster.address)

    def add(self) -> Any:
        """A node of one slot."""
        return self.cluster.add_node(**NODE)

    def process_of(self, node: Any) -> int:
        """The parent of its workers."""
        return int(node.all_processes["raylet"][0].process.pid)

    def switch_off(self, node: Any) -> None:
        """Kill all there is of it, without warning; left alone, a worker would still end its task."""
        raylet = self.process_of(node)
        threads = Path(f"/proc/{raylet}/task").glob("*/children")
        workers = [worker for thread in threads for worker in thread.read_text().split()]
        for processes in node.all_processes.values():
            for started in processes:
                started.process.kill()
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(worker), signal.SIGKILL)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # nothing but loopback
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.chdir(SUPPORT)
        from ray.cluster_utils import Cluster

        folder = tempfile.mkdtemp(prefix="ltc-edge-ray-", dir="/tmp")  # paths of its sockets are long
        cluster = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0, "temp_dir": folder})
        try:
            made = Nodes(cluster)
            made.add()
            yield made
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def engine(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayEngine]:
    """An engine on the cluster whose workers have the toy sent to them."""
    options = RayOptions(nodes.address, files=(SUPPORT / "toy_replicates.py",))
    made = RayEngine(tmp_path_factory.mktemp("trials"), options, "toy_replicates:do")
    yield made
    made.close()


def do_all(engine: RayEngine, works: list[Work]) -> list[Any]:
    """What ended, in that order."""
    for work in works:
        engine.submit(work)
    ended: list[Outcome | Lost] = []
    while len(ended) < len(works):
        ended += engine.wait()
    return ended


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("sees_the_disk", [True, False])
def test_runs_and_outcomes_lie_in_the_drivers_folder(
    sees_the_disk: bool, engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = tmp_path / "trials"
    trials.mkdir()
    mark = engine._driver.mark if sees_the_disk else trials / "not there"
    monkeypatch.setattr(engine, "_driver", dataclasses.replace(engine._driver, trials=trials, mark=mark))
    monkeypatch.setattr(engine, "_trials", trials)
    works = [Work(trial, seed, {}, {}) for trial in range(2) for seed in range(2)]

    ended = do_all(engine, works)

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for work in works:
        expected = do(work, tmp_path / "here")
        assert expected in ended
        assert Outcome.read(outcome_file_of(trials, work), work) == expected
        assert files_below(run_folder_of(trials, work)) == files_below(run_folder_of(tmp_path / "here", work))
    assert not [path for path in trials.rglob(".*") if path != mark]


@pytest.mark.parametrize(
    ("behaviour", "reason"), [("dies", "WorkerCrashedError"), ("memory", "no more of it")]
)
def test_what_goes_with_its_worker_is_lost(behaviour: str, reason: str, engine: RayEngine) -> None:
    work = Work(100, 0, {"behaviour": behaviour}, {})
    engine.submit(work)
    (lost,) = engine.wait()
    assert isinstance(lost, Lost)
    assert lost.work == work
    assert reason in lost.reason
    assert "\n" not in lost.reason
    assert not outcome_file_of(engine._trials, work).exists()


def test_a_trial_that_fails_is_an_outcome(engine: RayEngine) -> None:
    engine.submit(Work(101, 0, {"behaviour": "defect"}, {}))
    (outcome,) = engine.wait()
    assert isinstance(outcome, Outcome)
    assert outcome.state == "failed"
    assert "a defect" in str(outcome.reason)


def test_a_node_that_is_unfit_is_named(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.submit(Work(102, 0, {"behaviour": "package"}, {}))
    with pytest.raises(MissingExtraError, match=f"{os.uname().nodename}: torch is not installed"):
        engine.wait()

    monkeypatch.setattr(engine, "_driver", dataclasses.replace(engine._driver, version="0.0"))
    engine.submit(Work(103, 0, {}, {}))
    with pytest.raises(InputError, match=r"and the driver 0\.0"):
        engine.wait()


def test_a_run_that_was_begun_goes_along(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = dataclasses.replace(engine._driver, mark=engine._trials / "not there")
    monkeypatch.setattr(engine, "_driver", nowhere)
    work = Work(105, 0, {}, {})
    folder = run_folder_of(engine._trials, work)
    folder.mkdir(parents=True)
    (folder / "checkpoint").write_text("half of it")
    assert len(do_all(engine, [work])) == 1
    assert (folder / "checkpoint").read_text() == "half of it"
    assert (folder / "data" / "round").exists()


def test_a_wait_has_an_end(engine: RayEngine) -> None:
    assert engine.wait() == []
    engine.submit(Work(104, 0, {"seconds": 0.5}, {}))
    assert engine.wait(timeout_s=0.0) == []
    assert len(engine.wait()) == 1


def small_search() -> SweepPlan:
    source = TaskSource("cartpole")
    measure = MeasurementPlan(source, {"rounds": 1, "episodes": 2}, ("return", "parameters"), episodes=1)
    ranges = {"cell": "ltc", "wiring": "dense", "units": "2:40", "unfolds": "1:3", "format": "c-float32"}
    space = make_space(source, 1, ranges)
    return SweepPlan(measure, space, trials=6, seeds=2, lookahead=4, population=2)


def test_a_replicate_on_ray_is_the_same_bit_for_bit(
    engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = dataclasses.replace(engine._driver, do=DO_REPLICATE, mark=tmp_path / "not there")
    monkeypatch.setattr(engine, "_driver", driver)
    settings = {"cell": "ltc", "wiring": "dense", "units": 2, "unfolds": 1, "format": "c-float32"}
    work = Work(500, 0, settings, small_search().measure.to_json())
    alone = Processes(tmp_path / "trials", 1)
    try:
        alone.submit(work)
        engine.submit(work)
        (here,), (there,) = alone.wait(), engine.wait()
    finally:
        alone.close()
    assert isinstance(here, Outcome)
    assert isinstance(there, Outcome)
    assert here.state == "complete"
    assert dataclasses.replace(there, seconds=here.seconds) == here
    controllers = [
        (run_folder_of(trials, work) / "controller.safetensors").read_bytes()
        for trials in (tmp_path / "trials", engine._trials)
    ]
    assert controllers[0] == controllers[1]


class SwitchingOff:
    """Watches a sweep, and switches off a node once so many trials are told."""

    def __init__(self, after: int = -1, switch_off: Callable[[], None] = lambda: None) -> None:
        self._after, self._switch_off = after, switch_off
        self.losses: Counter[tuple[int, int]] = Counter()
        self._told = 0

    def working(self, busy: int) -> None:
        pass

    def lost(self, lost: Lost) -> None:
        self.losses[lost.work.trial, lost.work.seed] += 1

    def told(self, *_: object) -> None:
        self._told += 1
        if self._told == self._after:
            self._switch_off()


def sweep(plan: SweepPlan, engine: Engine, trials: Path, watcher: SwitchingOff) -> Study:
    study = Study(plan, optuna.storages.InMemoryStorage())
    run_sweep(study, engine, trials, plan.trials, watcher)
    return study


def test_a_sweep_whose_node_is_switched_off_finds_what_it_would_have_found(
    nodes: Nodes, engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_driver", dataclasses.replace(engine._driver, do="toy_replicates:search"))
    # The last test: nodes of one machine share a folder, and a new one removes what was sent to the others.
    assert engine.slots == 1
    doomed = nodes.add()
    engine._counted = (-float("inf"), 0)  # as a second later
    assert engine.slots == 2
    log = engine._trials.parent / "log"
    settings = {"units": 2}
    for trial in range(1000, 2000):  # until that node has what it needs
        do_all(engine, [Work(trial, seed, settings, {}) for seed in range(2)])
        if any(execution.node == nodes.process_of(doomed) for execution in executions_in(log)):
            break

    plan = small_search()
    watcher = SwitchingOff(after=2, switch_off=lambda: nodes.switch_off(doomed))
    disturbed = sweep(plan, engine, engine._trials, watcher)

    alone = Processes(tmp_path / "trials", 2, "toy_replicates:search")
    try:
        undisturbed = sweep(plan, alone, tmp_path / "trials", SwitchingOff())
    finally:
        alone.close()
    assert watcher.losses, "the node was busy when it was switched off"
    assert disturbed.asked == undisturbed.asked
    assert disturbed.told == undisturbed.told
    begun = Counter((execution.trial, execution.seed) for execution in executions_in(log))
    for trial in range(plan.trials):
        for seed in range(plan.seeds):
            assert 1 <= begun[trial, seed] <= 1 + watcher.losses[trial, seed]
            work = Work(trial, seed, {}, {})
            outcome = Outcome.read(outcome_file_of(engine._trials, work), work)
            assert outcome == undisturbed.told[trial].outcomes[seed]
