"""The benchmark of training: names of cases, who is compared, how ratios are paired."""

import ctypes
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(autouse=True)
def tools_on_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])


@pytest.mark.parametrize("name", ["ncp19:32:128", "wired-cfc32:8:16", "dense64:1:512:exponential-3"])
def test_a_case_has_the_name_it_is_read_from(name):
    from training_bench.cases import Case

    assert Case.parse(name).name == name


@pytest.mark.parametrize(
    "name", ["ncp19", "lstm19:32:128", "ncp0:1:1", "wired-cfc9:8:1:rk4-6", "ncp9:1:1:rk4"]
)
def test_what_is_no_case_is_refused(name):
    from training_bench.cases import Case

    with pytest.raises(ValueError, match=name):
        Case.parse(name)


def test_ratios_are_medians_of_pairs(monkeypatch):
    from training_bench import timing

    # In every second turn the machine is three times slower, which a pair does not show.
    clock = iter(range(10**6))
    cost = {"ours": 1.0, "lstm": 2.0, "ncps": 50.0}
    monkeypatch.setattr(timing, "seconds_of", lambda one: one() * (3.0 if next(clock) // 2 % 2 else 1.0))
    passes = {name: (lambda seconds=seconds: seconds) for name, seconds in cost.items()}
    fast = {name: passes[name] for name in ("ours", "lstm")}
    times = timing.take_turns(fast, None, timing.Effort(seconds=1e3, fewest=3, most=4, turns=6))
    found = timing.figures(times, None)
    assert found["speedup_vs_lstm"] == 2.0
    assert found["speedup_quartiles"]["lstm"] == [2.0, 2.0]
    assert len(times.turns) == 4
    assert found["turns"] == len(times.fast("lstm"))

    monkeypatch.setattr(timing, "seconds_of", lambda one: one())
    slow = timing.take_turns(fast, passes["ncps"], timing.Effort(seconds=1e3, fewest=3, most=3))
    assert timing.figures(slow, "ncps")["speedup_vs_ncps"] == 50.0
    assert len(slow.slow) == 3


def test_nothing_is_timed_where_the_numbers_differ():
    pytest.importorskip("ncps", reason="ncps is not installed (extra: dev)")
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from training_bench.agreement import TOLERANCE, check_agreement
    from training_bench.cases import Case
    from training_bench.contenders import contender

    from ltc_edge.errors import CheckFailedError

    for name in ("ncp12:2:3", "dense5:2:3", "wired-cfc12:2:3", "ncp12:2:3:exponential-2"):
        case = Case.parse(name)
        ours, ncps = contender("ours", case), contender("ncps", case)
        assert check_agreement(case, ours, ncps)["gradients"] < TOLERANCE
    case = Case.parse("dense5:2:3")
    ours, ncps = contender("ours", case), contender("ncps", case)
    with torch.no_grad():
        ours.module.erev += 0.01
    with pytest.raises(CheckFailedError, match="outputs differ from ncps"):
        check_agreement(case, ours, ncps)


def test_work_counts_every_evaluation_of_a_synapse():
    from training_bench.cases import Case
    from training_bench.roof import Work, work_of

    from ltc_edge.cells.spec import LTCSpec
    from ltc_edge.wiring import dense

    wiring = dense(3, 4, 2)
    case = Case.parse("dense4:5:7:rk4-2")
    each = 5 * 7 * (4 * 2 * 16 + 12)
    assert work_of(case, LTCSpec(wiring, solver="rk4", unfolds=2)) == Work(each, each)


def test_a_library_without_the_loop_of_the_roof_is_told():
    from training_bench.roof import roof_of

    from ltc_edge.errors import CheckFailedError

    with pytest.raises(CheckFailedError, match="no loop to measure a roof"):
        roof_of(ctypes.CDLL(None))


def test_the_roof_is_what_the_library_says_it_took():
    from training_bench.roof import BACKWARD, EVALUATIONS, FORWARD, roof_of

    class Library:
        @staticmethod
        def ltc_edge_roof_f32(what, evaluations, seconds):
            seconds._obj.value = {FORWARD: 1e-9, BACKWARD: 2e-9}[what] * evaluations
            return 0.0

    roof = roof_of(Library)
    assert (roof(FORWARD), roof(BACKWARD)) == pytest.approx((1e-9, 2e-9))
    assert EVALUATIONS > 10**6
