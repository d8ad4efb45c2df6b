"""The files of a result: what is written is read back, and what was damaged or edited is refused."""

import csv
import io
import json
import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.errors import InputError
from ltc_edge.sweep.budget import Budget, read_budget
from ltc_edge.sweep.front_csv import front_csv
from ltc_edge.sweep.front_document import front_document, front_text, swept_from_bytes
from ltc_edge.sweep.front_files import CSV, JSON, PAGE, PICTURE, read_front, write_front
from ltc_edge.sweep.objectives import read_objectives
from ltc_edge.sweep.swept import Swept

GOALS = read_objectives("return,instructions")
FIGURES = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=3)
SETTING = (
    st.booleans() | st.integers(0, 99) | st.floats(0, 1) | st.sampled_from(["=1+1", 'a,"b"', "</script>"])
)


@settings(max_examples=25, deadline=None)
@given(
    trials=st.lists(
        st.tuples(FIGURES, FIGURES, SETTING, st.sampled_from(["complete", "failed"])), max_size=5
    ),
    budget=st.sampled_from(["", "flash<10", "return>0", "instructions<=5.5,return>=-3"]),
)
def test_json_and_csv_hold_all_of_it(trials, budget, result_of):
    results = [
        result_of(
            2 * place,
            {"return": returns, "instructions": counts},
            state=state,
            reason=None if state == "complete" else 'it broke, "so" to say',
            budget=budget,
            seeds=tuple(range(len(returns))),
            units=setting,
        )
        for place, (returns, counts, setting, state) in enumerate(trials)
    ]
    swept = Swept("a task", GOALS, read_budget(budget) if budget else Budget(), None, tuple(results))
    assert swept_from_bytes(front_text(swept).encode(), "front.json") == swept
    assert json.loads(front_text(swept)) == json.loads(json.dumps(front_document(swept)))
    rows = list(csv.DictReader(io.StringIO(front_csv(swept))))
    for row, result in zip(rows, results, strict=True):
        assert int(row["trial"]) == result.number
        assert row["rank"] == str(swept.ranks.get(result.number, ""))
        for name, figure in result.figures.items():
            assert float(row[name]) == figure.mean
            assert row[f"{name}_low"] == ("" if figure.low is None else repr(figure.low))
            assert int(row[f"{name}_n"]) == figure.n
        assert not row["set_units"].startswith("=")


def test_the_document_says_what_follows_from_the_trials(swept):
    document = front_document(swept)
    assert document["front"] == [result.number for result in swept.front]
    returns = [result.figures["return"].mean for result in swept.front]
    assert returns == sorted(returns, reverse=True)
    assert document["pick"]["trial"] == swept.pick.trial
    assert document["why_none"] is None
    counts = document["counts"]
    assert counts["complete"] + counts["pruned"] + counts["failed"] == counts["trials"] == 40
    assert sum(trial["rank"] == 0 for trial in document["trials"]) == len(document["front"])


def test_another_budget_judges_the_same_trials_anew(swept):
    none = swept.with_budget(read_budget("flash<1"))
    assert (none.front, none.pick) == ((), None)
    assert "no trial keeps the budget" in front_document(none)["why_none"]
    assert none.with_budget(swept.budget) == swept


def _without(document, *path):
    for key in path[:-1]:
        document = document[key]
    del document[path[-1]]


EDITS = {
    "another format": (lambda d: d.update(format="x"), "not the result"),
    "a newer schema": (lambda d: d.update(schema=2), "upgrade"),
    "no objectives": (lambda d: d.update(objectives=[]), "no objectives"),
    "an unknown objective": (lambda d: d["objectives"][0].update(name="retrun"), "did you mean return"),
    "a budget that is none": (lambda d: d.update(budget="flash"), "no limit"),
    "another front": (lambda d: d["front"].pop(), "edited"),
    "a better return": (lambda d: d["trials"][-1]["figures"]["return"].update(mean=9e9, high=9e9), "edited"),
    "a figure that is text": (lambda d: d["trials"][0]["figures"]["return"].update(mean="1"), "finite"),
    "a mean outside": (lambda d: d["trials"][0]["figures"]["return"].update(low=9e9), "between"),
    "half an interval": (lambda d: d["trials"][0]["figures"]["return"].update(low=None), "low and high"),
    "no mean": (lambda d: _without(d, "trials", 0, "figures", "return", "mean"), "needs a mean"),
    "an unknown state": (lambda d: d["trials"][0].update(state="ok"), "state must be"),
    "a number twice": (lambda d: d["trials"].append(d["trials"][0]), "rise"),
    "half a number": (lambda d: d["trials"][0].update(number=0.5), "whole"),
    "no run": (lambda d: d["trials"][0].update(run=None), "no seed and run"),
    "a run elsewhere": (lambda d: d["trials"][0].update(run="../../etc"), "within the sweep"),
    "an absolute run": (lambda d: d["trials"][0].update(run="/etc"), "within the sweep"),
    "a setting that is a list": (lambda d: d["trials"][0]["settings"].update(units=[1]), "finite"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_edited_is_refused(edit, swept_of):
    document = json.loads(front_text(swept_of(5)))
    change, said = EDITS[edit]
    change(document)
    with pytest.raises(InputError, match=said) as caught:
        swept_from_bytes(json.dumps(document).encode(), "front.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"format": 3}', b"[" * 100_000])
def test_what_is_damaged_is_refused(content):
    with pytest.raises(InputError, match=r"front\.json"):
        swept_from_bytes(content, "front.json")


def test_all_files_are_written_and_read_back(swept_of, tmp_path):
    pytest.importorskip("matplotlib")
    swept = swept_of(5)
    assert write_front(tmp_path, swept) == []
    contents = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(contents) == {JSON, CSV, PICTURE, PAGE}
    assert read_front(tmp_path) == swept
    # Two panels side by side, of a readable size.
    width, height = struct.unpack(">II", contents[PICTURE][16:24])
    assert 900 < width < 1600
    assert 400 < height < 900
    assert front_text(read_front(tmp_path)).encode() == contents[JSON]


def test_without_matplotlib_the_rest_is_written_and_no_old_picture_stays(swept_of, tmp_path, monkeypatch):
    (tmp_path / PICTURE).write_bytes(b"of other trials")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    (note,) = write_front(tmp_path, swept_of(5))
    assert "not drawn" in note
    assert {path.name for path in tmp_path.iterdir()} == {JSON, CSV, PAGE}


def test_a_sweep_without_figures_has_files_but_no_picture(swept_of, result_of, tmp_path):
    empty = Swept("t", GOALS, read_budget("flash<9"), None, (result_of(0, {}, state="failed"),))
    assert write_front(tmp_path, empty) == []
    assert {path.name for path in tmp_path.iterdir()} == {JSON, CSV, PAGE}
    assert b"no trial is complete" in (tmp_path / PAGE).read_bytes()
    with pytest.raises(InputError, match="no such file"):
        read_front(tmp_path / "elsewhere")
