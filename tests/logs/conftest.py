"""Recordings for the tests of ``ltc_edge.logs``: published ones in place, small ones made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Files = Callable[..., Path]


@pytest.fixture
def csv_file(tmp_path: Path) -> Files:
    """Write text as a file of the given name."""

    def write(text: str, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def npy_files(tmp_path: Path) -> Callable[..., list[Path]]:
    """Write one ``[rows, 3]`` NPY file for each row count; entries say file and row."""

    def write(*rows: int) -> list[Path]:
        paths = []
        for number, count in enumerate(rows):
            row = np.arange(count, dtype=np.float64)
            path = tmp_path / f"trace_{number:02d}.npy"
            np.save(path, np.stack([row, np.full(count, number), np.sin(row)], axis=1))
            paths.append(path)
        return paths

    return write


@pytest.fixture(scope="session")
def write_bag() -> Callable[..., Path]:
    """Write a bag of ``(topic, time in ns, message type, message fields)`` and return its folder."""
    pytest.importorskip("rosbags")
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)

    def write(
        folder: Path, messages: list[tuple[str, int, str, dict[str, Any]]], plugin: str = "MCAP"
    ) -> Path:
        with Writer(folder, version=9, storage_plugin=StoragePlugin[plugin]) as writer:
            connections: dict[str, Any] = {}
            for topic, stamp_ns, kind, fields in messages:
                if topic not in connections:
                    connections[topic] = writer.add_connection(topic, kind, typestore=store)
                message = store.types[kind](**fields)
                writer.write(connections[topic], stamp_ns, store.serialize_cdr(message, kind))
        return folder

    return write
