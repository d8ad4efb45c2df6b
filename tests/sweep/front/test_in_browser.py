"""The page in headless Chromium: points are drawn, reached and selected; names from users stay text."""

import dataclasses
import json
from pathlib import Path

import pytest
from chromium import chromium

from ltc_edge.sweep.front_page import front_page
from ltc_edge.sweep.objectives import read_objectives

VISIT = """
const key = (name) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
const change = (id, value) => {
  const choice = document.querySelector(id);
  if (choice.type === "checkbox") choice.checked = value; else choice.value = value;
  choice.dispatchEvent(new Event("change", {bubbles: true}));
};
const points = () => [...document.querySelectorAll(".trial")];
const rows = () => [...document.querySelectorAll("#table tbody tr")].filter((row) => !row.hidden);
const found = {
  alerts: window.alerted,
  title: document.querySelector("h1").textContent,
  scripts: document.querySelectorAll("script").length,
  points: points().length,
  unnamed: points().filter((point) => !point.getAttribute("aria-label")).length,
  reachable: points().filter((point) => point.getAttribute("tabindex") === "0").map((point) => point.id),
  details: document.getElementById("details").textContent,
  stairs: document.querySelectorAll(".stairs").length,
  sideways: document.documentElement.scrollWidth - innerWidth,
};
points().find((point) => point.getAttribute("tabindex") === "0").focus();
key("End");
found.last = document.activeElement.id;
found.tip = document.querySelector(".tip").textContent;
key("ArrowLeft");
found.before = document.activeElement.id;
key("Enter");
found.selected = document.querySelector('[aria-selected="true"]').id;
found.now = document.getElementById("details").textContent;
found.hash = location.hash;
change("#all", false);
found.front = [points().length, rows().length];
change("[data-setting=format]", "c-int16");
found.int16 = rows().map((row) => row.cells[2].textContent);
change("[data-setting=format]", "");
change("#across", "flash");
found.label = document.querySelector("#plot svg").getAttribute("aria-label");
document.querySelector('[data-sort="figure:return"]').click();
document.querySelector('[data-sort="figure:return"]').click();
found.order = rows().map((row) => Number(row.dataset.trial));
return found;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as session:
        yield session


def test_points_can_be_reached_selected_and_narrowed(browser, hostile, tmp_path):
    path = tmp_path / "front.html"
    path.write_bytes(front_page(hostile, Path('a "quoted" folder')))
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "window.alerted = 0; window.alert = () => { window.alerted += 1; }"},
    )
    browser.get_log("performance")
    browser.get(path.as_uri())
    found = browser.execute_script(VISIT)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert requests == [path.as_uri()]
    assert browser.get_log("browser") == []
    assert (found["alerts"], found["title"], found["scripts"]) == (0, hostile.task, 2)
    assert found["sideways"] <= 0

    front, picked = hostile.front, hostile.pick
    assert len(front) < found["points"] <= sum(result.state == "complete" for result in hostile.results)
    assert found["unnamed"] == 0
    assert found["stairs"] == 1
    assert found["reachable"] == [f"point-{picked.trial}"]
    assert f"Trial {picked.trial}recommended" in found["details"]
    assert f"ltc-edge export 'a \"quoted\" folder/{picked.run_folder}'" in found["details"]
    assert hostile.results[0].settings["cell"] in found["details"]

    assert found["last"] != found["before"] == found["selected"]
    assert found["tip"].startswith(f"Trial {found['last'].removeprefix('point-')}: ")
    number = int(found["selected"].removeprefix("point-"))
    assert found["now"].startswith(f"Trial {number}")
    assert found["hash"] == f"#trial-{number}"

    assert found["front"] == [len(front), len(front)]
    assert found["int16"]
    assert all(text.endswith("c-int16") for text in found["int16"])
    assert found["label"] == f"return against flash [B], {len(front)} trials"
    assert found["order"] == [result.number for result in front]


def test_the_page_is_the_same_each_time_and_holds_no_code_of_users(hostile):
    page = front_page(hostile, Path("s")).decode()
    assert page == front_page(hostile, Path("s")).decode()
    assert "alert(" not in page.replace("&lt;script&gt;alert(&#39;x&#39;)", "").replace(
        "\\u003cscript\\u003ealert(\\u0027x\\u0027)", ""
    )
    assert page.count("</script>") == 2
    assert "'unsafe-eval'" not in page
    assert "script-src 'sha256-" in page


def test_a_page_of_more_trials_than_it_can_show_says_so(swept, monkeypatch):
    monkeypatch.setattr("ltc_edge.sweep.front_page.MOST_SHOWN", len(swept.front) + 3)
    page = front_page(swept, Path("s")).decode()
    assert page.count("<tr data-trial=") == len(swept.front) + 3
    left = len(swept.results) - len(swept.front) - 3
    assert f"{left} that ended early or are far behind are in front.csv alone" in page
    assert all(f'<tr data-trial="{result.number}">' in page for result in swept.front)


def test_a_sweep_for_one_goal_is_drawn_against_what_it_costs(swept):
    single = dataclasses.replace(swept, goals=read_objectives("return"))
    page = front_page(single, Path("s")).decode()
    assert '<option value="instructions" selected>' in page
