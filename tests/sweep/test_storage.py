"""Where a study is kept: what a URL may say, and what is left of a journal."""

from __future__ import annotations

import json
import random

import pytest

pytest.importorskip("optuna")
from toy_sweep import Quiet, Scrambled, plan, record_of, study_in

from ltc_edge.errors import ControllerFileError, InputError, OutputError
from ltc_edge.sweep.driver import run_sweep
from ltc_edge.sweep.storage import JOURNAL, open_storage, repair, storing, without_password

LINES = b'{"a": 1}\n{"b": 2}\n'


@pytest.mark.parametrize("torn", [b'{"c"', b'{"c": 3}', b"\0" * 40, b"\0\0\n\0\0\n", b'{"c": 3\n'])
def test_a_torn_end_is_cut_off(tmp_path, torn):
    journal = tmp_path / JOURNAL
    journal.write_bytes(LINES + torn)
    note = repair(journal)
    assert f"the last {len(torn)} bytes were torn" in str(note)
    assert journal.read_bytes() == LINES
    assert repair(journal) is None


def test_a_journal_that_is_whole_or_not_there_is_left_alone(tmp_path):
    journal = tmp_path / JOURNAL
    assert repair(journal) is None
    for content in (b"", LINES):
        journal.write_bytes(content)
        assert repair(journal) is None
        assert journal.read_bytes() == content


def test_damage_before_the_end_is_no_torn_end(tmp_path):
    journal = tmp_path / JOURNAL
    journal.write_bytes(b'{"a": 1}\n{"b": \n{"c": 3}\n')
    with pytest.raises(ControllerFileError, match="line 2 is damaged"):
        repair(journal)


@pytest.mark.parametrize("line", ["{}", '{"op_code": 99}', '{"op_code": 4, "worker_id": "w"}'])
def test_what_is_no_record_of_a_study_is_refused(tmp_path, line):
    (tmp_path / JOURNAL).write_text(line + "\n")
    with pytest.raises(ControllerFileError, match="holds what no sweep has written"):
        open_storage(tmp_path, None)


def test_the_lock_of_a_killed_driver_is_not_waited_for(tmp_path):
    (tmp_path / f"{JOURNAL}.lock").symlink_to(tmp_path / JOURNAL)
    study_in(tmp_path, plan())
    assert not (tmp_path / f"{JOURNAL}.lock").is_symlink()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("postgresql://me:secret@host:5433/sweeps", "postgresql://me@host:5433/sweeps"),
        ("postgresql://me@host/sweeps?password=secret&sslmode=require",
         "postgresql://me@host/sweeps?sslmode=require"),
        ("sqlite:////tmp/sweeps.db", "sqlite:////tmp/sweeps.db"),
    ],
)  # fmt: skip
def test_no_password_is_written_down(said, kept):
    assert without_password(said) == kept


def test_a_relative_file_is_found_again_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert without_password("sqlite:///sweeps.db") == f"sqlite:///{tmp_path}/sweeps.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sweeps.db", "", "://"])
def test_what_outlives_no_process_is_refused(url):
    with pytest.raises(InputError, match="--storage"):
        without_password(url)


def test_a_database_that_is_not_there_is_one_line_without_the_password(tmp_path):
    missing = tmp_path / "missing" / "sweeps.db"
    with pytest.raises(InputError, match="unable to open database file"):
        open_storage(tmp_path, f"sqlite:///{missing}")
    with pytest.raises(InputError) as refused:
        open_storage(tmp_path, "mysql+nodriver://me:secret@127.0.0.1/sweeps")
    assert "secret" not in str(refused.value)


def test_a_database_gives_the_trials_that_a_journal_does(tmp_path):
    records = []
    for storage in (None, f"sqlite:///{tmp_path}/sweeps.db"):
        for total in (2, 5):  # the second time it is read again
            study = study_in(tmp_path, plan(storage=storage, trials=5, lookahead=2))
            run_sweep(study, Scrambled(tmp_path, 2, random.Random(total)), tmp_path, total, Quiet())
        records.append(record_of(study_in(tmp_path, plan(storage=storage, trials=5, lookahead=2))))
    assert records[0] == records[1]


def test_a_full_disk_is_one_line():
    with pytest.raises(OutputError, match=r"^there: cannot be written \(No space left"), storing("there"):
        raise OSError(28, "No space left on device")


def test_records_of_a_journal_are_lines_of_json(tmp_path):
    study_in(tmp_path, plan()).ask(1)
    lines = (tmp_path / JOURNAL).read_text().splitlines()
    assert [json.loads(line)["op_code"] for line in lines] == [0, 4]  # of a study, and of a whole trial
