import pytest

from ltc_edge.report.reasons import shared_reasons
from ltc_edge.report.wording import MISSING, aligned, bytes_text, listed, number_text, significant, time_text


def test_equally_many_decimals_align_the_points():
    assert aligned([34.021, 439.44, None], digits=3, most=2) == ["34.0", "439.4", MISSING]


def test_a_number_that_vanishes_is_less_than_the_last_decimal_and_not_zero():
    assert aligned([1e-9, 0.0], most=3) == ["< 0.001", "0.000"]


def test_significant_digits_are_kept_and_blanks_align_the_points():
    texts = significant([12.4, 0.0000604, 1081.0, None, 0.102])
    assert [text.strip("\u2007\u2008") for text in texts] == ["12.4", "0.0000604", "1,081", MISSING, "0.102"]
    # A blank for a point is as wide as a point, one for a digit as a digit: lengths tell the places.
    behind = {len(text) - (text + ".").index(".") for text in texts if text not in (MISSING, texts[2])}
    assert len(behind) == 1
    assert len(texts[2]) - len("1,081") == behind.pop()


@pytest.mark.parametrize(
    ("us", "text"), [(0.85, "850 ns"), (3.14159, "3.14 µs"), (12_000, "12 ms"), (2.5e6, "2.5 s")]
)
def test_times_in_the_unit_that_suits_them(us, text):
    assert time_text(us) == text


def test_what_is_too_small_for_decimals_has_an_exponent():
    assert [text.strip("\u2007\u2008") for text in significant([3e-15, 0.25])] == ["3.00e-15", "0.250"]


def test_small_texts():
    assert [bytes_text(value) for value in (28, 5912, 4 << 30)] == ["28 bytes", "5.77 KiB", "4 GiB"]
    assert [number_text(value) for value in (1000.0, 0.12, 12345.678)] == ["1,000", "0.12", "12,345.7"]
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_formats_with_the_same_reason_are_told_together():
    found = shared_reasons(
        [
            ("onnx", "refused", "needs-c", "onnx does not run here"),
            ("onnx-int8", "refused", "needs-c", "onnx-int8 does not run here"),
            ("tflite", "refused", "needs-c", "tflite is broken"),
            ("c-int16", "failed", None, None),
        ]
    )
    assert [(reason.formats, reason.status, reason.detail) for reason in found] == [
        ("onnx, onnx-int8", "refused (needs-c)", "does not run here"),
        ("tflite", "refused (needs-c)", "is broken"),
        ("c-int16", "failed", "no reason was recorded"),
    ]
