"""The page in headless Chromium: light and dark, on a phone and on a desk."""

import json
from itertools import pairwise

import pytest
from chromium import chromium

from ltc_edge.report.page import report_page

SIZES = {"phone": (390, 844), "desk": (1280, 900)}
VIEWS = [(scheme, size) for scheme in ("light", "dark") for size in SIZES]

LOOK = """
const luminance = ([r, g, b]) => {
  const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [x, y, z] = [r, g, b].map(v => linear(v / 255));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const found = numbers(getComputedStyle(at).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
const contrast = element => {
  const style = getComputedStyle(element);
  const colour = numbers(element.closest("svg") ? style.fill : style.color);
  const [high, low] = [luminance(colour), luminance(behind(element))].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const box = element => {
  const {left, top, right, bottom} = element.getBoundingClientRect();
  return [left, top, right, bottom];
};
const shown = text => {
  const drawing = text.closest("svg");
  const scale = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
  return parseFloat(getComputedStyle(text).fontSize) * scale;
};
const own = element => [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
const texts = [...document.querySelectorAll("body *:not(style):not(title)")].filter(own);
return {
  scroll: document.documentElement.scrollWidth,
  width: innerWidth,
  background: getComputedStyle(document.body).backgroundColor,
  headings: [...document.querySelectorAll("h1, h2, h3, h4")].map(h => Number(h.tagName[1])),
  contrasts: texts.map(e => [own(e), contrast(e)]),
  drawings: [...document.querySelectorAll("svg")].map(e => [e.getAttribute("class"), box(e)]),
  letters: [...document.querySelectorAll("svg text")].map(e => [own(e), box(e), box(e.closest("svg"))]),
  sizes: [...document.querySelectorAll("figure svg text")].map(e => [own(e), shown(e)]),
  tables: [...document.querySelectorAll(".scroll")].map(e => [e.scrollWidth, e.clientWidth]),
  unnamed: document.querySelectorAll("svg:not([aria-hidden]):not([aria-label])").length,
  uncaptioned: [...document.querySelectorAll("table")].filter(e => !e.caption?.textContent.trim()).length,
};
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as session:
        yield session


@pytest.fixture(scope="module")
def address(bundle, documents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    paths = []
    for name in ("linux", "emulated", "invalid"):
        paths.append(folder / f"{name}.json")
        paths[-1].write_text(json.dumps(documents(name)))
    (folder / "rates.json").write_text(json.dumps(documents("rates")))
    (folder / "report.html").write_bytes(report_page(bundle, paths, [folder / "rates.json"]))
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module", params=VIEWS, ids="-".join)
def view(request, browser, address):
    """What the browser makes of the page: what was measured in it, what it logged, and what it asked for."""
    scheme, size = request.param
    width, height = SIZES[size]
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("performance")
    browser.get(address)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    seen = browser.execute_script(LOOK)
    return seen | {"scheme": scheme, "size": size, "log": browser.get_log("browser"), "requests": requests}


def test_nothing_but_the_page_is_asked_for(view, address):
    assert view["requests"] == [address]
    assert view["log"] == []


def test_the_page_does_not_scroll_sideways(view):
    assert view["scroll"] <= view["width"]
    assert view["width"] == SIZES[view["size"]][0]


def test_wide_tables_scroll_in_their_own_box(view):
    scrolled = [inside > outside for inside, outside in view["tables"]]
    assert scrolled
    assert any(scrolled) == (view["size"] == "phone")


def test_the_scheme_is_followed(view):
    red = int(view["background"].split("(")[1].split(",")[0])
    assert (red > 200) == (view["scheme"] == "light")


def test_every_text_can_be_read(view):
    assert len(view["contrasts"]) > 300
    assert [text for text, contrast in view["contrasts"] if contrast < 4.5] == []


def test_drawings_are_there_and_named(view):
    kinds = [kind for kind, _ in view["drawings"]]
    assert {"wiring columns", "histogram"} <= set(kinds)
    for kind, (left, top, right, bottom) in view["drawings"]:
        assert right - left > 5, kind
        assert bottom - top > 5, kind
    assert view["unnamed"] == 0


def test_no_letters_are_cut_off(view):
    assert len(view["letters"]) > 30
    for text, (left, top, right, bottom), (x0, y0, x1, y1) in view["letters"]:
        assert x0 - 1 <= left <= right <= x1 + 1, text
        assert y0 - 1 <= top <= bottom <= y1 + 1, text


def test_letters_of_drawings_are_large_enough(view):
    assert view["sizes"]
    assert [(text, size) for text, size in view["sizes"] if size < 9] == []


def test_headings_go_down_one_by_one(view):
    levels = view["headings"]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions(view):
    assert view["uncaptioned"] == 0
