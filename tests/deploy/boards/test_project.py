"""Firmware projects: the same bytes every time, whole or not at all, and the user's files stay."""

import json

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.boards import find_board
from ltc_edge.deploy.boards.project import RECORD, image_hash, make_project
from ltc_edge.deploy.boards.project_folder import read_project, write_project
from ltc_edge.errors import InputError, OutputError


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return load_bundle(unverified_bundle("c-float32"))


@pytest.fixture(scope="module")
def project(bundle):
    return make_project(bundle, find_board("stm32f4"), "c-float32", period_s=0.02)


def listed(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_project_is_the_same_every_time(bundle, project, tmp_path):
    again = make_project(bundle, project.board, "c-float32", period_s=0.02)
    assert dict(again.files) == dict(project.files)
    write_project(project.files, tmp_path / "a")
    assert read_project(tmp_path / "a") == dict(project.files)
    assert listed(tmp_path) == {f"a/{name}" for name in project.files}


def test_the_project_says_what_it_is_of(bundle, project):
    record = json.loads(project.files[RECORD])
    assert record["bundle_sha256"] == bundle.manifest_sha256()
    assert record["controller"] == project.sources.version()
    assert record["files"].keys() == project.files.keys() - {RECORD, "app/sensors.c"}
    assert b"#define LOOP_PERIOD_NS 20000000U" in project.files["settings/project.h"]


def test_settings_of_the_supervisor_reach_the_project(bundle, project, tmp_path):
    (tmp_path / "supervisor.toml").write_text("recover_steps = 77\n")
    other = make_project(
        bundle, project.board, "c-float32", period_s=0.02, supervisor=tmp_path / "supervisor.toml"
    )
    assert b".recover_steps = 77U" in other.files["settings/supervisor_settings.c"]
    assert image_hash(other.files) != image_hash(project.files)


def test_a_period_that_the_counter_cannot_hold_is_refused(bundle, project):
    with pytest.raises(InputError, match="up to 4 s"):
        make_project(bundle, project.board, "c-float32", period_s=5.0)


def test_the_image_is_known_by_its_sources_alone(project):
    files = dict(project.files)
    assert image_hash(files | {"README.md": b"other words", "build/x.c": b""}) == image_hash(files)
    for name in ("app/sensors.c", "Makefile", "board/layout.ld", "common/firmware.mk"):
        assert image_hash(files | {name: files[name] + b"\n"}) != image_hash(files)


def test_the_users_files_stay_and_the_rest_is_new(project, tmp_path):
    folder = tmp_path / "p"
    write_project(project.files, folder)
    (folder / "app" / "sensors.c").write_text("mine")
    (folder / "app" / "imu.c").write_text("mine too")
    (folder / ".git" / "refs").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (folder / "build").mkdir()
    (folder / "build" / "firmware.elf").write_text("old")
    changed = dict(project.files) | {"README.md": b"new"}
    write_project(changed, folder)
    assert (folder / "app" / "sensors.c").read_text() == "mine"
    assert (folder / "app" / "imu.c").read_text() == "mine too"
    assert (folder / ".git" / "HEAD").read_text() == "ref: refs/heads/main"
    assert (folder / "README.md").read_bytes() == b"new"
    assert not (folder / "build").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("name", ["Makefile", "mine.c"])
def test_what_somebody_changed_or_added_is_not_lost(project, tmp_path, name):
    write_project(project.files, tmp_path / "p")
    (tmp_path / "p" / name).write_text("mine")
    with pytest.raises(OutputError, match=name):
        write_project(project.files, tmp_path / "p")
    assert (tmp_path / "p" / name).read_text() == "mine"
    write_project(project.files, tmp_path / "p", force=True)
    assert read_project(tmp_path / "p") == dict(project.files)


def test_a_folder_that_is_no_project_is_never_replaced(project, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    for force in (False, True):
        with pytest.raises(OutputError, match="no firmware project"):
            write_project(project.files, tmp_path, force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_link_is_not_followed(project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(OutputError, match="is not a folder"):
        write_project(project.files, tmp_path / "link")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_failure_in_between_leaves_the_old_project_whole(project, tmp_path, monkeypatch):
    folder = tmp_path / "p"
    write_project(project.files, folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ltc_edge.deploy.boards.project_folder.exchange", full)
    with pytest.raises(OutputError, match="No space left"):
        write_project(dict(project.files) | {"README.md": b"new"}, folder)
    assert read_project(folder) == dict(project.files)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
