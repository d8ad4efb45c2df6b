"""What a profile says of formats that did not run."""

import pytest

from ltc_edge.profiling.document import not_run

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
        ({"a": OK, "b": REFUSED, "c": BROKE}, (), ()),
        ({"a": OK, "b": REFUSED, "c": BROKE}, ("a",), ()),
        ({"a": OK, "b": REFUSED, "c": BROKE}, ("a", "c"), ("c",)),
        ({"b": REFUSED, "c": BROKE}, (), ("b", "c")),
        ({"b": REFUSED, "c": BROKE}, ("c",), ("c",)),
    ],
)
def test_what_was_insisted_on_and_did_not_run(formats, named, told):
    assert not_run({"formats": formats}, named) == [LINES[name] for name in told]
