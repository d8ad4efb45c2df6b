"""Files with bytes flipped, cut off or overwritten either load or raise ``RecordingError``, nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import column_names, read_recording

_MUTATIONS = 150


def _write_csv(path: Path) -> Path:
    path.write_text("t,a,b\n" + "".join(f"{row},{row * 0.5},-{row}\n" for row in range(30)), encoding="utf-8")
    return path


def _write_npy(path: Path) -> Path:
    np.save(path, np.random.default_rng(0).normal(size=(30, 4)))
    return path


def _write_npz(path: Path) -> Path:
    np.savez_compressed(path, t=np.arange(30.0), q=np.random.default_rng(0).normal(size=(30, 4)))
    return path


def _write_parquet(path: Path) -> Path:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"t": np.arange(30.0), "q": [[1.0, 2.0]] * 30, "n": list(range(30))})
    parquet.write_table(table, path)
    return path


_WRITERS = {
    "log.csv": _write_csv,
    "log.npy": _write_npy,
    "log.npz": _write_npz,
    "log.parquet": _write_parquet,
}


def _mutate(content: bytes, draw: random.Random) -> bytes:
    """One of the accidents of storage: a cut, flipped bits, a page of other bytes."""
    damaged = bytearray(content)
    accident = draw.choice(["cut", "flip", "page", "head"])
    if accident == "cut":
        return bytes(damaged[: draw.randrange(len(damaged))])
    if accident == "page":
        start = draw.randrange(len(damaged))
        size = min(draw.choice([4, 32, 256]), len(damaged) - start)
        damaged[start : start + size] = draw.choice([b"\0", b"\xff", draw.randbytes(1)]) * size
        return bytes(damaged)
    # Headers and footers decide how the rest is read, so half of the flips fall there.
    for _ in range(draw.choice([1, 1, 2, 8])):
        at = draw.randrange(min(200, len(damaged))) if accident == "head" else draw.randrange(len(damaged))
        damaged[at] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def _read_or_refuse(path: Path) -> bool:
    """Whether the file was read; anything but ``RecordingError`` fails the test."""
    try:
        column_names(path)
        recording = read_recording(path)
    except RecordingError as error:
        return _refused_in_one_line(str(error), path)
    assert np.isfinite(recording.values).all()
    assert recording.values.shape == (recording.rows, len(recording.names))
    return True


def _refused_in_one_line(message: str, path: Path) -> bool:
    assert "\n" not in message
    assert str(path) in message
    return False


@pytest.mark.parametrize("name", _WRITERS)
def test_damaged_file_loads_or_is_refused(tmp_path, name):
    path = _WRITERS[name](tmp_path / name)
    content = path.read_bytes()
    assert _read_or_refuse(path)
    draw = random.Random(name)
    refused = 0
    for _ in range(_MUTATIONS):
        path.write_bytes(_mutate(content, draw))
        refused += not _read_or_refuse(path)
    assert refused > 0


@pytest.mark.parametrize("plugin", ["MCAP", "SQLITE3"])
def test_damaged_bag_loads_or_is_refused(tmp_path, write_bag, plugin):
    vector = "geometry_msgs/msg/Vector3"
    bag = write_bag(
        tmp_path / "run",
        [("/v", 10**9 + row, vector, {"x": float(row), "y": 0.0, "z": 1.0}) for row in range(20)],
        plugin,
    )
    (path,) = [path for path in bag.iterdir() if path.suffix in (".mcap", ".db3")]
    content = path.read_bytes()
    draw = random.Random(plugin)
    refused = 0
    for _ in range(_MUTATIONS):
        path.write_bytes(_mutate(content, draw))
        refused += not _read_or_refuse(path)
    assert refused > 0


@pytest.mark.parametrize("name", [*_WRITERS, "log.mcap", "log.db3"])
@pytest.mark.parametrize("size", [0, 1, 7, 100])
def test_noise_under_a_known_suffix_is_refused(tmp_path, name, size):
    pytest.importorskip("pyarrow")
    pytest.importorskip("rosbags")
    path = tmp_path / name
    path.write_bytes(random.Random(size).randbytes(size))
    assert not _read_or_refuse(path)
