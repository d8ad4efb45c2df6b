"""Recorded trajectories for supervised training: readers, splits, windows and named tasks.

Optional packages (pyarrow, rosbags) are imported by the reader that needs them, never here.
"""

from ltc_edge.logs.dataset import KINDS, Dataset, Kind, Segment, Split
from ltc_edge.logs.loading import load_dataset
from ltc_edge.logs.log_task import LogTask
from ltc_edge.logs.log_tasks import LOG_TASKS
from ltc_edge.logs.metrics import METRICS, Metric
from ltc_edge.logs.normalizer import Normalizer
from ltc_edge.logs.reading import column_names, read_recording
from ltc_edge.logs.recording import Recording
from ltc_edge.logs.sequence_task import SequenceTask
from ltc_edge.logs.sequence_tasks import SEQUENCE_TASKS
from ltc_edge.logs.windowing import Windows, windows

__all__ = [
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
