from __future__ import annotations

import ltc_edge.logs


def test_the_public_names_are_these():
    assert ltc_edge.logs.__all__ == [
        "KINDS",
        "LOG_TASKS",
        "METRICS",
        "SEQUENCE_TASKS",
        "Dataset",
        "Kind",
        "LogTask",
        "Metric",
        "Normalizer",
        "Recording",
        "Segment",
        "SequenceTask",
        "Split",
        "Windows",
        "column_names",
        "load_dataset",
        "read_recording",
        "windows",
    ]
    for name in ltc_edge.logs.__all__:
        assert hasattr(ltc_edge.logs, name)
