import stat
from pathlib import Path

import pytest

import ltc_edge
from ltc_edge.errors import InputError, RecordingError
from ltc_edge.sweep.engines.ray_options import RayOptions, room
from ltc_edge.sweep.engines.ray_session import lay_out
from ltc_edge.sweep.engines.sent_files import files_of
from ltc_edge.training.sources import EnvironmentSource, RecordingsSource, SequenceSource, TaskSource


def test_halves_of_a_processor_on_two_nodes_are_no_slot() -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 2.5, "memory": 4.0}},
        {"Alive": True, "Resources": {"CPU": 8.0, "memory": 3.0}},
        {"Alive": True, "Resources": {"memory": 8.0}},
        {"Alive": False, "Resources": {"CPU": 8.0, "memory": 8.0}},
    ]
    assert room(nodes, {"CPU": 1.0, "memory": 1.0}) == 5
    assert room(nodes, {"CPU": 1.0, "memory": 1.0, "GPU": 1.0}) == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"address": "ray://head:10001"}, "Ray Client is not supported"),
        ({"workers": 0}, "0 workers"),
        ({"cpus": 0.0}, "takes some"),
        ({"code": "installed", "files": (Path("task.py"),)}, "sent with the code alone"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        RayOptions(**options)  # type: ignore[arg-type]


def test_what_is_sent_is_the_whole_package_as_files(tmp_path: Path) -> None:
    lay_out(tmp_path, ())
    package = Path(ltc_edge.__path__[0])
    wanted = {
        path.relative_to(package)
        for place in (package, package / "export", package / "deploy" / "firmware")
        for path in place.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    sent = {path.relative_to(tmp_path / "ltc_edge") for path in tmp_path.rglob("*") if path.is_file()}
    assert sent == wanted
    assert all(stat.S_ISREG(path.lstat().st_mode) or path.is_dir() for path in tmp_path.rglob("*"))
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_files_keep_their_places_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "flights").mkdir(parents=True)
    (tmp_path / "here" / "flights" / "a.csv").write_text("1")
    (tmp_path / "here" / "task.py").write_text("2")
    monkeypatch.chdir(tmp_path / "here")
    lay_out(tmp_path / "sent", (Path("flights/a.csv"), Path("flights"), Path("task.py")))
    assert (tmp_path / "sent" / "flights" / "a.csv").read_text() == "1"
    assert (tmp_path / "sent" / "task.py").read_text() == "2"
    for path, reason in ((Path("../sent"), "not below the current folder"), (Path("b.csv"), "no such file")):
        with pytest.raises(InputError, match=reason):
            lay_out(tmp_path / "again", (path,))


def test_recordings_and_modules_of_the_current_folder_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv", "my_task_here.py"):
        Path(name).write_text("")
    Path("my_package_here").mkdir()
    Path("my_package_here/__init__.py").write_text("")
    recordings = RecordingsSource(data=("*.csv", str(tmp_path / "b.csv")), inputs="x", targets="y")
    assert files_of(recordings) == (Path("a.csv"), Path("b.csv"))
    assert files_of(TaskSource("my_task_here:Task")) == (Path("my_task_here.py"),)
    assert files_of(EnvironmentSource("Env-v0", "my_package_here.expert:act")) == (Path("my_package_here"),)
    for source in (TaskSource("cartpole"), TaskSource("json:loads"), SequenceSource("bits")):
        assert files_of(source) == ()
    with pytest.raises(RecordingError, match="no file matches"):
        files_of(RecordingsSource(data=("none.csv",), inputs="x", targets="y"))
