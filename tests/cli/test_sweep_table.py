"""What ``ltc-edge sweep`` prints of its result."""

import dataclasses
from pathlib import Path

import pytest
from swept_trials import HOSTILE, make_result, make_swept

from ltc_edge.cli.sweep_table import SHOWN, print_front, print_pick
from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.objectives import read_objectives

FOLDER = Path("my sweep")


@pytest.fixture(params=[80, 160])
def width(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


@pytest.fixture(scope="module")
def swept():
    return make_swept(40)


def test_the_front_fits_the_terminal_and_names_all_its_trials(swept, width, capsys):
    print_front(swept, FOLDER)
    printed = capsys.readouterr().out
    table = [line for line in printed.splitlines() if line[:1] in "│┃"]
    assert max(map(len, table)) <= width
    numbers = [cells[2].strip() for line in table if len(cells := line.split("│")) > 3]
    assert [int(number) for number in numbers if number] == [result.number for result in swept.front]
    picked = swept.pick
    assert f"★ Trial {picked.trial}: {picked.reason}." in printed
    assert f"Seed {picked.seed} is the one to ship" in printed
    assert (
        f"Next: ltc-edge export 'my sweep/{picked.run_folder}' -o controller-{picked.trial:04d} --format "
    ) in printed
    assert "9 pruned: round 0: 0 is less than 40.5" in printed
    assert "All of them: ncp." in printed
    assert "± " in printed


def test_a_long_front_is_shown_from_end_to_end(capsys):
    goals = read_objectives("return,instructions")
    results = tuple(
        make_result(number, {"return": float(number), "instructions": 10.0 * number}) for number in range(90)
    )
    swept = dataclasses.replace(make_swept(5), goals=goals, results=results, budget=read_budget("flash<9"))
    print_front(swept, FOLDER)
    printed = capsys.readouterr().out
    rows = [line.split("│") for line in printed.splitlines() if line.startswith("│")]
    numbers = [int(cells[2]) for cells in rows if cells[2].strip()]
    assert numbers[0] == 89
    assert numbers[-1] == 0
    assert swept.pick.trial in numbers
    assert SHOWN <= len(numbers) <= SHOWN + 1
    assert f"{90 - len(numbers)} more are in front.csv and front.html." in printed


def test_where_nothing_keeps_the_budget_the_nearest_is_named(swept, capsys):
    print_pick(swept.with_budget(read_budget("flash<10")), FOLDER)
    printed = capsys.readouterr().out
    assert "Nothing to recommend: no trial keeps the budget; trial 3 comes nearest: flash " in printed
    assert "times what flash<10 allows" in printed


def test_names_move_no_cursor_and_are_no_markup(swept, capsys):
    named = dataclasses.replace(swept, task=f"\x1b[2J[bold]{HOSTILE}")
    print_front(named, FOLDER)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "?[2J[bold]</script>" in printed
