"""Flight code gives way to newer flight code, and nothing else does."""

import pytest

from ltc_edge.deploy.px4.code_folder import RECORD, write_code
from ltc_edge.errors import OutputError

FILES = {"README.md": b"old", "src/a.c": b"int a;"}


@pytest.fixture
def folder(tmp_path):
    write_code(FILES, tmp_path / "module")
    return tmp_path / "module"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_what_was_written_is_replaced_when_asked(folder):
    with pytest.raises(OutputError, match="with --force"):
        write_code({"README.md": b"new"}, folder)
    assert contents(folder).items() >= FILES.items()
    write_code({"README.md": b"new"}, folder, force=True)
    assert set(contents(folder)) == {"README.md", RECORD}
    write_code(FILES, folder, force=True)
    assert contents(folder).items() >= FILES.items()


@pytest.mark.parametrize(
    ("name", "why"), [("src/a.c", "was changed"), ("src/mine.c", "is not of ltc-edge"), ("b/c", "is not of")]
)
def test_somebodys_files_stay(folder, name, why):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    before = contents(folder)
    with pytest.raises(OutputError, match=f"{name}: {why}.*move it elsewhere"):
        write_code(FILES, folder, force=True)
    assert contents(folder) == before


def test_a_link_is_somebodys(folder, tmp_path):
    (tmp_path / "a.c").write_bytes(FILES["src/a.c"])
    (folder / "src/a.c").unlink()
    (folder / "src/a.c").symlink_to(tmp_path / "a.c")
    with pytest.raises(OutputError, match="was changed"):
        write_code(FILES, folder, force=True)


@pytest.mark.parametrize("record", [None, b"", b"[]", b'{"format": "other", "files": {}}', b"\xff"])
def test_a_folder_of_somebodys_stays(tmp_path, record):
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "notes").write_text("mine")
    if record is not None:
        (tmp_path / "module" / RECORD).write_bytes(record)
    with pytest.raises(OutputError, match="no flight code"):
        write_code(FILES, tmp_path / "module", force=True)
    assert (tmp_path / "module" / "notes").read_text() == "mine"
