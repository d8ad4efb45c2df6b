"""What differs between devices that should be the same."""

from ltc_edge.profiling.fleet.drift import find_drift
from ltc_edge.profiling.fleet.summary import summarise_device


def drift(*made):
    return {found.what: found for found in find_drift([summarise_device(one, ()) for one in made])}


def test_settings_of_one_model(outcome):
    other = {"model": "Raspberry Pi 1", "soc": "bcm2835", "machine": "armv6l", "cores": 1}
    made = [outcome("a"), outcome("b", governor="powersave"), outcome("c")]
    # Another model has settings of its own by right.
    found = drift(*made, outcome("old", device=other, governor="ondemand"))
    assert set(found) == {"governor"}
    assert found["governor"].of == "Raspberry Pi 4"
    assert dict(found["governor"].values) == {"performance": ("a", "c"), "powersave": ("b",)}
    assert next(iter(found["governor"].values)) == "performance"


def test_versions_of_a_runtime_across_models(outcome):
    other = {"model": "Raspberry Pi 1", "soc": "bcm2835", "machine": "armv6l", "cores": 1}
    old = {"name": "onnx", "version": "onnxruntime 1.18.0"}
    new = {"name": "onnx", "version": "onnxruntime 1.27.0"}
    found = drift(
        outcome("a", form="onnx", runtime=old, error=1e-7),
        outcome("b", form="onnx", runtime=new, error=2e-7, device=other),
    )
    assert set(found) == {"runtime of onnx"}
    assert dict(found["runtime of onnx"].values) == {old["version"]: ("a",), new["version"]: ("b",)}


def test_c_that_computes_otherwise(outcome):
    """Its actions are the same to the bit everywhere, so their error is too."""
    found = drift(outcome("a"), outcome("b"), outcome("c", error=1.0001e-3))
    assert set(found) == {"actions of c-int16, by their error"}
    assert "runtime of c-int16" not in drift(outcome("a"), outcome("b", runtime={"version": "gcc 13"}))


def test_whatever_a_device_says_of_itself(outcome):
    odd = {"model": "Raspberry Pi 4", "soc": ["x"], "machine": {"a": 1}, "cores": True, "os": "\x1b[2J"}
    one = summarise_device(outcome("a", device=odd, governor=7.5), ())
    assert one.facts["model"] == "Raspberry Pi 4"
    assert (one.facts["machine"], one.facts["cores"], one.facts["os"]) == (None, None, None)
    assert drift(outcome("a", device=odd), outcome("b", device=odd)) == {}
