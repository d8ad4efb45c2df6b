"""Tables of a profile: that they say what budgets and the recommendation go by."""

import json

import pytest

from ltc_edge.profiling.budgets import misses
from ltc_edge.report.profile_file import read_profile
from ltc_edge.report.profile_tables import latencies


@pytest.mark.parametrize(("fifo", "note"), [(True, "as a real-time process."), (False, "paced run.")])
def test_misses_are_those_that_a_budget_is_held_against(documents, tmp_path, fifo, note):
    document = documents("linux")
    rows = {name: row for name, row in document["formats"].items() if row["status"] == "ok"}
    for number, row in enumerate(rows.values()):
        row["paced"] = [run for run in row["paced"] if fifo or run["scheduling"] == "other"]
        for run in row["paced"]:
            run["status"] = "ok"
            run["misses"] = 100 + number if run["scheduling"] == "other" else number
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))
    profile = read_profile(path)
    table = latencies(profile, [figures for figures in profile.formats if figures.name in rows])
    assert [row[-1].text for row in table.rows] == [str(misses(row)) for row in rows.values()]
    assert table.notes[0].endswith(note)
