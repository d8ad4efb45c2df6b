"""What the page shows of the rates that a controller was played at."""

import json
import re

import pytest

from ltc_edge.errors import InputError
from ltc_edge.report.page import report_page

HOSTILE = "<script>alert('x')</script> & \"co\""


def shown(bundle, path):
    """Rows of the table as texts, and the text of the section."""
    page = report_page(bundle, rates=[path]).decode()
    section = page[page.index('<h2 id="rates-1"') : page.index("</section>", page.index('<h2 id="rates-1"'))]
    rows = re.findall(r"<tr>(.*?)</tr>", section[section.index("<tbody>") :], re.DOTALL)
    cells = [re.findall(r"<t[hd] [^>]*>([^<]*)</t", row) for row in rows]
    return cells, " ".join(re.sub(r"<[^>]*>", " ", section).split())


def test_what_the_loop_pays_is_shown_rate_by_rate(bundle, profile_file):
    rows, text = shown(bundle, profile_file("rates"))
    assert rows == [
        ["50", "natively", "-98.500", "—", "—", "0", "—", "—"],
        ["25", "each period, 40 ms", "-120.250", "22", "12 to 33", "3", "306", "17"],
        ["1,000", "every 20 periods, 20 ms", "-98.500", "0", "0.0 to 0.0", "0", "0", "0"],
    ]
    assert "Other rates: c-float32 on cortex-m4" in text
    assert "5 Hz refused rate: 5 Hz is too slow" in text
    assert "20 episodes at each rate" in text


def test_what_the_file_says_is_text_and_not_markup(bundle, documents, profile_file):
    refused = documents("rates")["rates"][2] | {"reason": HOSTILE}
    path = profile_file("rates", format=HOSTILE, target=None, rates=[refused])
    assert b"<script" not in report_page(bundle, rates=[path])
    _, text = shown(bundle, path)
    assert text.count("&lt;script&gt;") == 2


def test_what_was_not_measured_is_no_zero(bundle, documents, profile_file):
    rate = {"rate_hz": 25.0, "every": 1}
    rows, _ = shown(bundle, profile_file("rates", rates=[rate], failures=None))
    assert rows == [["50", "natively", "-98.500"], ["25", "each period", "—"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": {"sha256": "0" * 64}}, "evaluate this bundle"),
        ({"subject": None}, "evaluate this bundle"),
        ({"rates_schema": None}, "is not of `ltc-edge evaluate"),
        ({"rates_schema": 2}, "upgrade ltc-edge"),
        ({"rates": [{"rate_hz": 0}]}, "positive number"),
        ({"rates": [{"rate_hz": "fast"}]}, "finite number"),
        ({"rates": "all"}, "a list"),
        ({"return_mean": True}, "finite number"),
    ],
)
def test_a_file_that_is_none_or_of_something_else_is_refused(bundle, profile_file, changes, message):
    with pytest.raises(InputError, match=re.escape(message)) as refused:
        report_page(bundle, rates=[profile_file("rates", **changes)])
    assert "\n" not in str(refused.value)


def test_a_profile_is_no_file_of_rates(bundle, profile_file):
    with pytest.raises(InputError, match="--rate HZ --json"):
        report_page(bundle, rates=[profile_file("linux")])


def test_what_the_command_prints_is_what_the_page_reads(documents, bundle, tmp_path):
    """The keys are those of cli/rates_document.py."""
    import numpy as np

    from ltc_edge.cli.rates_document import rates_document
    from ltc_edge.controller import Timing
    from ltc_edge.deploy.rate import RatePlan
    from ltc_edge.evaluation.corruption.scores import Yardstick, score
    from ltc_edge.evaluation.native_rate import RateReport, RateResult, _against

    none = np.zeros(2, dtype=bool)
    yardstick = Yardstick(np.array([0.0, 0.0]), np.array([-9.0, -9.0]), none, none)
    native, worse = (score(np.array(each), none, yardstick) for each in ([-1.0, -1.0], [-2.0, -2.0]))
    played = _against(worse, native)
    result = RateResult(25.0, RatePlan(0.04, 1), None, played, played, played.lost)
    report = RateReport(yardstick, native, native, 0.002, (result, RateResult(1.0, None, "too slow")))
    printed = rates_document(report, Timing.of_period(0.02), range(2))
    path = tmp_path / "rates.json"
    path.write_text(json.dumps(printed | {"subject": documents("rates")["subject"], "format": "reference"}))
    rows, text = shown(bundle, path)
    assert rows[1] == ["25", "each period, 40 ms", "-2.0000", "100", "100 to 100", "0", "100", "0"]
    assert "1 Hz refused too slow" in text
