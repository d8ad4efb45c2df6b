"""Devices of a fleet as their profiles would have them."""

import pytest

from ltc_edge.profiling.fleet.devices import FleetDevice
from ltc_edge.profiling.fleet.run import Outcome
from ltc_edge.profiling.places import Remote
from ltc_edge.profiling.request import Request

PI = {"model": "Raspberry Pi 4", "soc": "bcm2711", "machine": "aarch64", "cores": 4}


@pytest.fixture
def outcome():
    """Makes one: a device that took ``p50`` microseconds for a step of ``form``."""

    def make(label, p50=10.0, form="c-int16", *, device=PI, governor="performance", error=1e-3, **row):
        document = {
            "device": {**device, "before": {"governor": governor}},
            "formats": {
                form: {
                    "status": "ok",
                    "reason": None,
                    "detail": None,
                    "latency_us": {"p50": p50, "p99": 2 * p50},
                    "max_abs_error": error,
                    "runtime": {"name": "C", "version": "gcc 12"},
                    **row,
                }
            },
            "problems": [],
            "budgets": [],
            "baseline": None,
        }
        place = Remote(label)
        return Outcome(
            FleetDevice(label, Request(place.address, place), label), "done", document, seconds=1.5
        )

    return make
