import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.errors import InputError
from ltc_edge.report.page import report_page

HOSTILE = "<script>alert('x')</script> & \"co\""


class Page(HTMLParser):
    """Tags with their attributes, and the text of each section by its heading."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.sections, self._heading, self._in_style = [], {"": ""}, "", False
        self._in_heading = False
        self.feed(content.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._in_style = tag == "style"
        if tag == "h2":
            self._in_heading, self._heading = True, ""

    def handle_endtag(self, tag):
        self._in_style = False
        if tag == "h2":
            self._in_heading = False
            self.sections[self._heading] = ""

    def handle_data(self, data):
        if self._in_heading:
            self._heading += data
        elif not self._in_style:
            self.sections[self._heading] = self.sections.get(self._heading, "") + data

    @property
    def text(self):
        return " ".join(" ".join(self.sections.values()).split())


@pytest.fixture(scope="module")
def page(bundle, documents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    paths = []
    for name in ("linux", "emulated", "invalid"):
        paths.append(folder / f"{name}.json")
        paths[-1].write_text(json.dumps(documents(name)))
    return report_page(bundle, paths)


def test_nothing_is_fetched_or_run(page):
    tags = Page(page).tags
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    policy = next(a["content"] for tag, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    links = {name for _, attributes in tags for name in attributes if name in ("src", "href", "xlink:href")}
    assert not links
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert b"url(" not in page
    assert b"@import" not in page


def test_names_are_text_and_not_markup(page):
    text = Page(page).text
    assert HOSTILE in text
    assert "<img src=x oner…" in text  # a label is short
    assert b"<script" not in page.lower()
    assert b"<img" not in page.lower()


def test_what_a_profile_says_is_text_and_not_markup(bundle, profile_file):
    path = profile_file(target=HOSTILE, problems=[HOSTILE], valid=False)
    page = report_page(bundle, [path])
    assert b"<script" not in page.lower()
    assert Page(page).text.count(HOSTILE) >= 4


def test_the_same_input_gives_the_same_bytes(bundle, bundle_folder, profile_file):
    path = profile_file()
    assert report_page(bundle, [path]) == report_page(load_bundle(bundle_folder), [path])


def test_the_head_says_what_is_verified_and_what_is_recommended(page):
    head = Page(page).sections[""]
    assert "4 of 5 formats are verified against the trained controller." in head
    assert "tflite-int8 is refused." in head
    assert "For ssh://pi@robot.local, c-float32 is recommended." in head
    for warning in (
        "Budgets broken on ssh://pi@robot.local: max-p99-us by onnx-int16.",
        "Slower than the baseline on ssh://pi@robot.local: c-float32.",
        "The figures of local are invalid.",
        "The profile of local was interrupted.",
    ):
        assert warning in head
    assert "20 ms (50 Hz)" in head


def test_figures_are_where_they_come_from(page):
    sections = Page(page).sections
    verification = sections["Verification"]
    assert "0.00810" in verification  # 100 · 8.1e-5: % of σ
    assert "-81.25" in verification or "−81.25" in verification
    assert f"{HOSTILE} is 12.4 % off" in verification
    assert "5,912" in sections["Size"]
    measured = sections["Measured on ssh://pi@robot.local"]
    assert "Raspberry Pi 4 Model B Rev 1.4" in measured
    assert "48.2 °C → 55.0 °C" in measured
    assert "ai-edge-litert is not on the device" in measured
    assert "broken" in measured
    assert "regression" in measured


def test_an_emulator_gives_no_times(page):
    emulated = Page(page).sections["Emulated on cortex-m4"]
    assert "5,128" in emulated
    assert "an estimate of the model “Cortex-M4, flash without wait states”, not measured" in emulated
    assert not re.search(r"\b(µs|ms|ns)\b", emulated)


def test_times_in_an_emulated_profile_are_not_shown(bundle, documents, tmp_path):
    document = documents("emulated")
    document["formats"]["c-int16"] |= {
        key: documents("linux")["formats"]["onnx"][key]
        for key in ("latency_us", "histogram", "paced", "step_us")
    }
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))
    emulated = Page(report_page(bundle, [path])).sections["Emulated on cortex-m4"]
    assert "5,128" in emulated
    assert not re.search(r"\b(µs|ms|ns)\b", emulated)


def test_figures_of_the_export_stay_where_a_profile_has_none(bundle, documents, tmp_path):
    document = documents("emulated")
    document["formats"]["c-int16"] = {"status": "refused", "reason": "too-large", "detail": "no room"}
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))
    size = Page(report_page(bundle, [path])).sections["Size"]
    assert re.search(r"c-int16\s+cortex-m4\s+5,912\s+28\s+324\s+5,128", size)


def test_what_speaks_against_figures_comes_before_them(page):
    invalid = Page(page).sections["Measured on local"]
    assert invalid.index("Invalid.") < invalid.index("the frequency moved") < invalid.index("p50")


def test_what_was_not_measured_is_no_zero(bundle, documents, tmp_path):
    document = documents("linux")
    whole = documents("linux")["formats"]["onnx"]
    document["formats"] = {"onnx": {"status": "ok"}, "onnx-int8": whole | {"latency_us": {"p50": 41.5}}}
    document |= {"budgets": None, "baseline": None, "recommendation": None, "device": None, "settings": None}
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))
    content = report_page(bundle, [path]).decode()
    (row,) = re.findall(
        r'<th scope="row" class="">onnx</th>(.*?)</tr>',
        content.split("Latency of one step")[-1].split("</table>")[0],
        re.S,
    )
    assert re.findall(r">([^<>\s]+)</td>", row) == ["—"] * row.count("<td")
    assert "—" in row


def test_a_profile_of_another_bundle_is_refused(bundle, documents, profile_file):
    path = profile_file(subject=documents("linux")["subject"] | {"sha256": "0" * 64})
    with pytest.raises(InputError, match=r"linux\.json: is a profile of something else, not of "):
        report_page(bundle, [path])


def test_a_bundle_that_nobody_verified_says_so(bundle_folder):
    page = Page(report_page(load_bundle(bundle_folder.with_name("unverified"))))
    assert "Nothing in this bundle was verified" in page.sections[""]
    assert "RMS" not in page.sections["Verification"]
    assert re.search(r"onnx\s+\d,\d{3}\s", page.sections["Size"])


def test_a_damaged_verification_is_one_line(bundle_folder, tmp_path):
    from ltc_edge.bundle.folder import read_bundle_files, write_bundle

    shutil.copytree(bundle_folder, tmp_path / "bundle")
    files = read_bundle_files(tmp_path / "bundle")
    added = {
        name: value for name, value in files.manifest.items() if name not in ("format", "schema", "files")
    }
    damaged = {**files.contents, "verification.json": b'{"formats": {"onnx": {"free_run": 3}}}'}
    write_bundle(tmp_path / "damaged", added, damaged)
    with pytest.raises(InputError, match=r"verification\.json: formats: onnx: free_run: must be an object"):
        report_page(load_bundle(tmp_path / "damaged"))
