"""What a profile says of formats that did not run."""

import pytest

from ltc_edge.profiling.document import judge_accuracy, not_run

OK = {"status": "ok"}
REFUSED = {"status": "refused", "reason": "needs-c", "detail": "it does not run there"}
BROKE = {"status": "failed", "reason": "broke", "detail": "it was ended by SIGSEGV"}
LINES = {
    "b": "b: refused (needs-c): it does not run there",
    "c": "c: failed (broke): it was ended by SIGSEGV",
}


@pytest.mark.parametrize(
    ("formats", "named", "told"),
    [
        ({"a": OK}, (), ()),
        ({"a": OK, "b": REFUSED}, (), ()),
        ({"a": OK, "b": REFUSED, "c": BROKE}, (), ("c",)),
        ({"a": OK, "b": REFUSED, "c": BROKE}, ("a",), ("c",)),
        ({"a": OK, "b": REFUSED, "c": BROKE}, ("a", "b"), ("b", "c")),
        ({"b": REFUSED}, (), ("b",)),
        ({"b": REFUSED, "c": BROKE}, (), ("c",)),
        ({"b": REFUSED, "c": BROKE}, ("c",), ("c",)),
    ],
)
def test_what_was_insisted_on_and_did_not_run(formats, named, told):
    assert not_run({"formats": formats}, named) == [LINES[name] for name in told]


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ({"max_abs_error": 0.01, "rms_over_sigma": 0.04}, "ok"),
        ({"max_abs_error": 0.5, "rms_over_sigma": 0.06}, "failed"),
        ({"max_abs_error": None, "rms_over_sigma": None}, "failed"),
        ({"max_abs_error": 0.0, "rms_over_sigma": None}, "ok"),
        ({}, "ok"),
    ],
)
def test_wrong_actions_fail_a_format(errors, status):
    row = {"status": "ok", "reason": None, "detail": None, **errors}
    judge_accuracy(row, "c-int16")
    assert row["status"] == status
    assert row["reason"] == (None if status == "ok" else "accuracy")
