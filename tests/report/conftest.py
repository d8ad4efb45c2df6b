"""A bundle with a verification, and profiles of it after docs/profile-format.md; all figures are made up."""

import copy
import hashlib
import json

import numpy as np
import pytest

from ltc_edge import ActionSignal, ObservationSignal
from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.bundle.folder import read_bundle_files, write_bundle
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.controller_file import save_controller

HOSTILE = "<script>alert('x')</script> & \"co\""
CREATED = "2026-01-02T03:04:05Z"


def _distribution(us):
    quantiles = dict(
        zip(("p50", "p90", "p99", "p999"), np.quantile(us, (0.5, 0.9, 0.99, 0.999)), strict=True)
    )
    found = {name: float(value) for name, value in quantiles.items()}
    return found | {
        "max": float(us.max()),
        "mean": float(us.mean()),
        "std": float(us.std(ddof=1)),
        "samples": len(us),
    }


def _histogram(us):
    edges = np.geomspace(us.min() * 0.999, us.max() * 1.001, 81)
    return {"edges_us": edges.tolist(), "counts": np.histogram(us, edges)[0].tolist()}


def _samples(middle, seed, count=20_000):
    """Latencies with a second mode and a tail, as an operating system makes them."""
    rng = np.random.default_rng(seed)
    us = middle * rng.lognormal(0.0, 0.03, count)
    us[rng.random(count) < 0.02] *= 1.6
    late = rng.random(count) < 0.0006
    us[late] += middle * rng.pareto(1.2, late.sum()) * 4
    return us


def _paced(middle, seed, load, fifo):
    late = _samples(60 if load == "idle" else 140, seed, 3000)
    return {
        "load": load,
        "scheduling": "fifo:50" if fifo else "other",
        "cpu": 3 if fifo else None,
        "memory_locked": fifo,
        "rate_hz": 1000.0,
        "periods": 3000,
        "wakeup_us": _distribution(late),
        "execution_us": _distribution(_samples(middle, seed + 1, 3000)),
        "misses": 0 if fifo else int((late > 900).sum()),
        "longest_run_of_misses": 0 if fifo else 1,
    }


def _linux_format(middle, seed, size, *, stages=False):
    us = _samples(middle, seed)
    row = {
        "status": "ok",
        "reason": None,
        "detail": None,
        "bytes": size,
        "max_abs_error": 4.1e-6 * middle,
        "rms_over_sigma": 1e-6 * middle,
        "runtime": {"name": "onnxruntime", "version": "1.20.1"},
        "latency_us": _distribution(us),
        "histogram": _histogram(us),
        "step_us": middle * 0.97,
        "steps_per_second": 1e6 / (middle * 0.97),
        "clock_us": 0.05,
        "loop_us": 0.01,
        "cold_start_ms": 212.4,
        "load_ms": 8.12,
        "first_step_us": middle * 9,
        "rss_bytes": 48_300_032,
        "cpu_percent": 99.8,
        "interruptions": 14,
        "paced": [_paced(middle, seed, load, fifo) for load in ("idle", "busy") for fifo in (False, True)],
        "stages": None,
    }
    if stages:
        row["runtime"] = {"name": "c", "compiler": "gcc 12.2.0", "flags": "-std=c99 -O3 -ffp-contract=off"}
        row["stages"] = {"sensory": 0.21, "unfolds": 0.71, "readout": 0.03, "other": 0.05}
    return row


def _head(sha256, target, kind):
    return {
        "format": "ltc-edge profile",
        "schema": 1,
        "ltc_edge": "0.1.0",
        "created": CREATED,
        "target": target,
        "kind": kind,
        "subject": {"path": "bundle", "kind": "bundle", "name": "tiny", "sha256": sha256},
        "valid": True,
        "problems": [],
        "partial": False,
        "parameters_effective": 100,
        "parameters_dense": 200,
        "settings": {"iterations": 20000, "seconds": 2.0, "warmup": 500, "rounds": 10, "rate_hz": None},
        "recommendation": None,
        "budgets": [],
        "baseline": None,
    }


def linux_profile(sha256):
    """Of a Raspberry Pi 4: four formats, paced runs, budgets of which one is broken, and a baseline."""
    state = {
        "governor": "performance",
        "frequency_khz": 1_800_000,
        "temperatures": [{"zone": "thermal_zone0", "type": "cpu-thermal", "celsius": 48.2}],
        "throttling": {"source": "vcgencmd", "now": {"under_voltage": False, "throttled": False}},
        "load_1m": 0.12,
    }
    return _head(sha256, "ssh://pi@robot.local", "linux") | {
        "settings": {"iterations": 20000, "seconds": 2.0, "warmup": 500, "rounds": 10, "rate_hz": 1000.0}
        | {"fifo": 50, "cpu": 3},
        "device": {
            "model": "Raspberry Pi 4 Model B Rev 1.4",
            "soc": "brcm,bcm2711",
            "cores": 4,
            "memory_bytes": 4 << 30,
            "kernel_release": "6.6.31+rpt-rpi-v8",
            "preemption": "PREEMPT",
            "os": "Debian GNU/Linux 12 (bookworm)",
            "virtualised": False,
            "before": state,
            "after": state
            | {"temperatures": [{"zone": "thermal_zone0", "type": "cpu-thermal", "celsius": 55.0}]},
            "power_w": 3.41,
            "notes": [],
        },
        "formats": {
            "onnx": _linux_format(34.0, 1, 13510),
            "onnx-int8": _linux_format(41.0, 2, 9196),
            "onnx-int16": _linux_format(58.0, 3, 10712),
            "c-float32": _linux_format(2.4, 4, 61268, stages=True),
            "tflite": {
                "status": "not-run",
                "reason": "needs-extra",
                "detail": "ai-edge-litert is not on the device; --install puts it there",
                "bytes": 20640,
                "paced": [],
            },
        },
        "recommendation": {
            "format": "c-float32",
            "reason": "It is the fastest that loses nothing of the return, and needs no runtime.",
        },
        "budgets": [
            {
                "budget": "max-p99-us",
                "limit": 50.0,
                "format": "c-float32",
                "value": 4.1,
                "kept": True,
                "over": None,
            },
            {
                "budget": "max-p99-us",
                "limit": 50.0,
                "format": "onnx-int16",
                "value": 93.7,
                "kept": False,
                "over": 43.7,
            },
        ],
        "baseline": {
            "file": "before.json",
            "formats": {
                "onnx": {"of": "time", "ratio": 1.004, "ci99": [0.991, 1.016], "regression": False},
                "c-float32": {"of": "time", "ratio": 1.213, "ci99": [1.196, 1.231], "regression": True},
            },
        },
    }


def emulated_profile(sha256):
    """Of a Cortex-M4 in an emulator: counts, and an estimate of cycles; no time."""
    counts = {
        "instructions_per_step": 5128,
        "instructions_least": 5120,
        "instructions_most": 5140,
        "loads_per_step": 1410,
        "stores_per_step": 377,
        "bytes_read_per_step": 5288,
        "bytes_written_per_step": 1390,
        "cycles_estimate": 7120,
        "cycle_model": "Cortex-M4, flash without wait states",
        "flash_bytes": 5912,
        "ram_bytes": 28,
        "stack_bytes": 324,
        "stages": {"sensory": 0.182, "unfolds": 0.744, "readout": 0.021, "other": 0.053},
    }
    return _head(sha256, "cortex-m4", "emulated") | {
        "device": {"part": "STM32F411RE", "before": None, "after": None},
        "formats": {
            "c-int16": {"status": "ok", "reason": None, "detail": None, "bytes": 78287, "paced": []} | counts,
            "c-float32": {"status": "ok", "reason": None, "detail": None, "bytes": 61268, "paced": []}
            | counts
            | {"instructions_per_step": 9120, "instructions_least": 9008, "instructions_most": 9310}
            | {"cycles_estimate": 12544, "stages": None},
            "onnx": {
                "status": "refused",
                "reason": "target",
                "detail": "only C runs without an operating system",
            },
        },
    }


def invalid_profile(sha256):
    """Of a machine that got too hot; interrupted, too, so that a format has no figures."""
    profile = linux_profile(sha256)
    rows = profile["formats"]
    rows["onnx-int8"] = {
        "status": "not-run",
        "reason": "interrupted",
        "detail": "the profile ended before it",
    }
    return profile | {
        "target": "local",
        "valid": False,
        "partial": True,
        "problems": [
            "the frequency moved from 1800 MHz to 1000 MHz while it was measured",
            "the device throttled itself: soft temperature limit",
        ],
        "recommendation": None,
        "budgets": [],
        "baseline": None,
        "formats": {name: rows[name] for name in ("onnx", "onnx-int8")},
    }


FIRMWARE = {
    "flash_bytes": 5912,
    "ram_bytes": 28,
    "stack_bytes": 324,
    "instructions_per_step": 5128,
    "steps": 5,
}


def _way(mean, lost, low, high, failures):
    percent = {"mean": lost, "ci95": [low, high]}
    return {"return_mean": mean, "failures": failures, "lost_percent": percent}


def rates_document(sha256):
    """What ``evaluate --rate --json`` prints: a loop that is slower, one that is decimated, one refused."""
    stepped = {"rate_hz": 25.0, "status": "stepped", "reason": None, "every": 1, "step_s": 0.04}
    decimated = {"rate_hz": 1000.0, "status": "decimated", "reason": None, "every": 20, "step_s": 0.02}
    refused = {"rate_hz": 5.0, "status": "refused", "reason": "rate: 5 Hz is too slow", "every": None}
    return {
        "rates_schema": 1,
        "subject": {"sha256": sha256},
        "format": "c-float32",
        "target": "cortex-m4",
        "episodes": 20,
        "native_hz": 50.0,
        "return_mean": -98.5,
        "failures": 0,
        "rates": [
            stepped
            | {"told": _way(-120.25, 22.1, 11.5, 33.25, 3), "ignored": _way(-400.0, 306.1, 250.0, 360.0, 17)},
            decimated | {"told": _way(-98.5, 0.0, 0.0, 0.0, 0), "ignored": _way(-98.5, 0.0, 0.0, 0.0, 0)},
            refused | {"step_s": None, "told": None, "ignored": None},
        ],
    }


def _verified(rms, worst, lost, **more):
    task = {"episodes": 20, "return_mean": -81.25, "return_worst": -90.0, "float_return_mean": -81.2}
    task |= {"return_lost_percent": lost, "lost_ci95": [lost - 0.01, lost + 0.01]}
    trials = {"free_run": {"steps": 10000, "max_abs_error": worst, "rms_over_sigma": rms}, "task": task}
    return {"status": "ok", "reason": None, "detail": None, "bytes": 9196} | trials | more


VERIFICATION = {
    "schema": 1,
    "task_note": None,
    "formats": {
        "onnx": _verified(6e-7, 4.4e-6, 0.0),
        "onnx-int8": _verified(8.1e-5, 6.8e-4, 0.02),
        "onnx-int16": _verified(8.5e-4, 6.5e-3, 0.3),
        "tflite-int8": {"status": "refused", "reason": "accuracy", "detail": f"{HOSTILE} is 12.4 % off"},
        "c-int16": _verified(1e-3, 0.0128, 0.1, bytes=78287, firmware={"cortex-m4": FIRMWARE}),
    },
}


def make_bundle(controller, folder):
    """A bundle in the ONNX formats with the verification above."""
    save_controller(controller, folder / "controller.safetensors")
    formats = ("onnx", "onnx-int8", "onnx-int16")
    options = ExportOptions(formats=formats, verify=False)
    export_bundle(read_subject(folder / "controller.safetensors"), folder / "unverified", options)
    files = read_bundle_files(folder / "unverified")
    added = {
        name: value for name, value in files.manifest.items() if name not in ("format", "schema", "files")
    }
    contents = {**files.contents, "verification.json": json.dumps(VERIFICATION).encode()}
    write_bundle(folder / "bundle", added, contents)
    return folder / "bundle"


@pytest.fixture(scope="session")
def bundle_folder(tiny_controller, tmp_path_factory):
    """The tiny controller with names that would break out of a page; beside it one that is not verified."""
    observations = (ObservationSignal("<img src=x onerror=alert(1)>"), ObservationSignal("level"))
    actions = (ActionSignal("drive", "V", -1.0, 1.0),)
    controller = tiny_controller(name=HOSTILE, observations=observations, actions=actions)
    return make_bundle(controller, tmp_path_factory.mktemp("reported"))


@pytest.fixture(scope="session")
def bundle(bundle_folder):
    return load_bundle(bundle_folder)


@pytest.fixture(scope="session")
def documents(bundle_folder):
    """Makes the documents of profiles and rates, by name; each is the caller's to change."""
    sha256 = hashlib.sha256((bundle_folder / "manifest.json").read_bytes()).hexdigest()
    made = {"linux": linux_profile, "emulated": emulated_profile, "invalid": invalid_profile}
    made["rates"] = rates_document
    profiles = {name: make(sha256) for name, make in made.items()}
    return lambda name: copy.deepcopy(profiles[name])


@pytest.fixture
def profile_file(documents, tmp_path):
    """Writes one of the documents, with some of its fields changed."""

    def write(name="linux", **changes):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(documents(name) | changes))
        return path

    return write
