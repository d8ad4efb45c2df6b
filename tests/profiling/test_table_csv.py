"""A profile as comma-separated values."""

import csv
import io

from ltc_edge.profiling.table_csv import COLUMNS, profile_csv

LATENCY = {"p50": 1.5, "p99": 2.0, "p999": None, "max": 9.0, "samples": 1000}
PROFILE = {
    "format": "ltc-edge profile",
    "target": "local",
    "created": "2026-01-02T03:04:05Z",
    "valid": True,
    "formats": {
        "c-int16": {
            "status": "ok",
            "bytes": 1200,
            "max_abs_error": -0.0,
            "return_mean": -3.5,
            "latency_us": LATENCY,
            "histogram": {"edges_us": [1.0, 2.0], "counts": [5]},
            "rounds_us": [1.0, 1.1],
            "runtime": {"name": "gcc", "version": None, "flags": "-O2"},
            "parameter_bytes": {"int8": 40, "int16": 20},
            "stages": {"sensory": 0.25},
            "paced": [
                {
                    "load": "busy",
                    "scheduling": "fifo:50",
                    "misses": 0,
                    "wakeup_us": {"p99": 7.0, "samples": 9},
                },
                {"load": "busy", "scheduling": "fifo:50", "misses": 2},
                {"load": "idle", "scheduling": "other", "status": "refused", "detail": "@root only"},
            ],
        },
        "onnx": {"status": "not-run", "reason": "needs-extra", "detail": '=HYPERLINK("http://x", "a,b\nc")'},
    },
}


def rows(profile):
    return list(csv.DictReader(io.StringIO(profile_csv(profile), newline="")))


def test_a_row_a_format_in_columns_named_after_the_keys():
    ours, theirs = rows(PROFILE)
    expected = {
        "target": "local",
        "created": "2026-01-02T03:04:05Z",
        "valid": "true",
        "format": "c-int16",
        "bytes": "1200",
        "return_mean": "-3.5",
        "latency_p50_us": "1.5",
        "latency_p999_us": "",
        "latency_samples": "1000",
        "runtime_name": "gcc",
        "runtime_flags": "-O2",
        "parameter_int8_bytes": "40",
        "stages_sensory": "0.25",
        "flash_bytes": "",
    }
    assert {name: ours[name] for name in expected} == expected | {"runtime_flags": "'-O2"}
    assert (theirs["format"], theirs["status"], theirs["latency_p50_us"]) == ("onnx", "not-run", "")


def test_paced_runs_have_their_own_columns():
    ours, theirs = rows(PROFILE)
    assert ours["paced_busy_fifo_50_wakeup_p99_us"] == "7.0"
    assert ours["paced_busy_fifo_50_wakeup_samples"] == "9"
    assert (ours["paced_busy_fifo_50_misses"], ours["paced_busy_fifo_50_run2_misses"]) == ("0", "2")
    assert ours["paced_idle_other_detail"] == "'@root only"
    assert theirs["paced_busy_fifo_50_misses"] == ""


def test_text_is_no_formula_and_numbers_stay_numbers():
    ours, theirs = rows(PROFILE)
    assert theirs["detail"] == '\'=HYPERLINK("http://x", "a,b\nc")'
    assert float(ours["return_mean"]) == -3.5


def test_the_columns_are_the_same_for_every_profile():
    header = profile_csv(PROFILE).split("\n", 1)[0].split(",")
    assert tuple(header[: len(COLUMNS)]) == COLUMNS
    assert len(set(header)) == len(header)
    assert profile_csv({}) == ",".join(COLUMNS) + "\n"
    assert profile_csv({"formats": {"c-int16": "garbage"}}) == ",".join(COLUMNS) + "\n"


def test_lists_stay_in_the_json():
    assert not [column for column in rows(PROFILE)[0] if column.startswith(("histogram", "rounds"))]
