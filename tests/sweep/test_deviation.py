"""The error of an exported file: that of verification, found faster; and its estimate."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.sweep.deviation import deviation, exact_actions
from ltc_edge.sweep.exported import export_format
from ltc_edge.sweep.proxies import estimated_error
from ltc_edge.verification import open_loop, trials
from ltc_edge.verification.tolerances import TOLERANCES


def slew_limited(controller):
    actions = tuple(dataclasses.replace(signal, slew=2.0) for signal in controller.actions)
    return dataclasses.replace(controller, actions=actions)


@pytest.mark.parametrize("change", [lambda c: c, slew_limited])
def test_the_network_gives_what_the_reference_does(tiny_controller, change):
    controller = change(tiny_controller())
    observation, dt_s = trials.free_inputs(controller, steps=300)
    reference = ReferenceBatch(controller)
    reference.reset(1)
    rows = zip(observation[:, None], dt_s[:, None], strict=True)
    expected = np.concatenate([reference.step(values, dt) for values, dt in rows])
    assert np.abs(exact_actions(controller, observation, dt_s) - expected).max() < 1e-12


@pytest.mark.parametrize(("form", "change"), [("onnx", lambda c: c), ("onnx-int16", slew_limited)])
def test_the_error_is_that_of_verification_and_has_an_estimate(tiny_controller, form, change, monkeypatch):
    for function in (trials.free_run, trials.free_inputs):
        monkeypatch.setitem(function.__kwdefaults__, "steps", 600)
    controller = change(tiny_controller())
    exported = export_format(controller, form, None)
    run = trials.free_run(controller)
    verified = open_loop.check_free_run(controller, exported.stepper, run, TOLERANCES[form])
    assert deviation(controller, exported.stepper) == pytest.approx(verified.rms_over_sigma, rel=1e-6)
    assert 0.4 < estimated_error(exported) / verified.rms_over_sigma < 2.5
