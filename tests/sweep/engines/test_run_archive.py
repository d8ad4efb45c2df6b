import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.errors import InputError
from ltc_edge.sweep.engines import run_archive
from ltc_edge.sweep.engines.run_archive import pack, unpack


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for entry, content in entries:
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def link(kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo("link")
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "made" / "seed-0"
    (folder / "data" / "below").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "data" / "below" / "round").write_bytes(bytes(100_000))
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def test_files_come_back_and_links_do_not(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "trials" / "0007" / "seed-0"
    unpack(pack(run), target)
    assert files_below(target) == {"config.json": b"{}", "data/below/round": bytes(100_000)}
    assert sorted(path.name for path in target.parent.iterdir()) == ["seed-0"]
    assert target.stat().st_mode == run.stat().st_mode


def test_an_older_run_makes_way(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "seed-0"
    target.mkdir()
    (target / "older").write_text("")
    unpack(pack(run), target)
    assert "older" not in files_below(target)


@pytest.mark.parametrize("name", ["/absolute", "../above", "data/../../above", "", "."])
def test_no_path_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        unpack(archive((tarfile.TarInfo("fine"), b""), (tarfile.TarInfo(name), b"x")), tmp_path / "seed-0")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_nothing_but_files_is_unpacked(kind: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file of a run folder"):
        unpack(archive((link(kind), b"")), tmp_path / "seed-0")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_FILES"])
def test_neither_side_handles_more_than_a_run(
    limit: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = pack(run)
    monkeypatch.setattr(run_archive, limit, 1)
    with pytest.raises(InputError, match="too much to be sent"):
        pack(run)
    with pytest.raises(InputError, match="more than a run folder holds"):
        unpack(packed, tmp_path / "trials" / "seed-0")
    assert not list((tmp_path / "trials").iterdir())


def test_a_file_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no run folder"):
        unpack(archive((tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")), tmp_path / "seed-0")


def damaged_anyhow(packed: bytes, place: int, value: int) -> bytes:
    return packed[: place % len(packed)] + bytes([value]) + packed[place % len(packed) + 1 :]


@given(place=st.integers(0, 1 << 20), value=st.integers(0, 255))
def test_damage_is_refused_or_harmless(
    place: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    (folder / "made").mkdir()
    (folder / "made" / "file").write_bytes(os.urandom(100))
    packed = damaged_anyhow(pack(folder / "made"), place, value)
    try:
        unpack(packed, folder / "seed-0")
    except InputError:
        assert not (folder / "seed-0").exists()
    else:
        assert (folder / "seed-0").is_dir()
    assert {path.name for path in folder.iterdir()} <= {"made", "seed-0"}


@pytest.mark.parametrize(
    "cut", [lambda packed: packed[:-20], lambda packed: packed[:0], lambda packed: packed[10:]]
)
def test_what_is_torn_is_refused(cut: Callable[[bytes], bytes], run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no run folder"):
        unpack(cut(pack(run)), tmp_path / "seed-0")
    assert not (tmp_path / "seed-0").exists()


def test_what_unpacks_to_more_than_it_may_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_archive, "MAX_BYTES", 1 << 20)
    bomb = gzip.compress(gzip.decompress(archive((tarfile.TarInfo("zeros"), bytes(1 << 22)))))
    assert len(bomb) < 1 << 14
    with pytest.raises(InputError, match="more than a run folder holds"):
        unpack(bomb, tmp_path / "seed-0")
