"""The log that the C loop writes: read by others, cut off anywhere, on a full disk."""

import bisect
import json
import os
import signal
from collections import Counter

import numpy as np
import pytest

from ltc_edge.deploy.replay.replay import replay
from ltc_edge.deploy.step_log.messages import SETTINGS, SNAPSHOT, STEP, definition, settings_from_bytes
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.errors import RecordingError


def _steps(path):
    blocks = [block.steps for block in StepLog(path).blocks()]
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=[("sequence", "u8")])


def _readable(path, content):
    path.write_bytes(content)
    try:
        StepLog(path)
    except RecordingError as error:
        return "\n" in str(error)  # which no message may have
    return True


def test_the_mcap_package_reads_it_and_finds_every_checksum_right(log_file):
    from mcap.reader import NonSeekingReader, make_reader

    expected = {"/tiny/step": 4000, "/tiny/settings": 1}
    with log_file.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        by_index = [(channel.topic, message.log_time) for _, channel, message in reader.iter_messages()]
    with log_file.open("rb") as file:
        # This reader also checks the sum of all of the data section.
        in_order = NonSeekingReader(file, validate_crcs=True).iter_messages()
        by_order = [(channel.topic, message.log_time) for _, channel, message in in_order]
    assert by_index == by_order
    counted = Counter(topic for topic, _ in by_order)
    assert expected.items() <= counted.items()
    assert counted["/tiny/snapshot"] > 4  # one a second, and where memory was changed
    statistics = summary.statistics
    assert statistics.message_count == len(by_order)
    assert statistics.chunk_count == len(summary.chunk_indexes) > 1
    times = [time for _, time in by_order]
    assert (statistics.message_start_time, statistics.message_end_time) == (min(times), max(times))
    texts = {schema.name: schema.data.decode() for schema in summary.schemas.values()}
    assert texts == {name: definition(name) for name in (STEP, SNAPSHOT, SETTINGS)}
    assert summary.channels[1].metadata["controller"] == "tiny"


def test_the_summary_s_own_checksum_is_right(log_file):
    from zlib import crc32

    content = log_file.read_bytes()
    footer = content[-37:]
    start = int.from_bytes(footer[9:17], "little")
    assert int.from_bytes(footer[25:29], "little") == crc32(content[start:-12]) != 0


def test_rosbags_reads_the_same_values(log_file):
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_typestore

    steps = _steps(log_file)
    with AnyReader([log_file], default_typestore=get_typestore(Stores.EMPTY)) as reader:
        connections = [one for one in reader.connections if one.msgtype == STEP]
        read = [reader.deserialize(raw, STEP) for _, _, raw in reader.messages(connections=connections)]
    assert len(read) == len(steps) == 4000
    for row in range(0, 4000, 97):
        for name in steps.dtype.names:
            if name != "head" and not name.endswith("_count"):
                np.testing.assert_array_equal(getattr(read[row], name), steps[name][row])


def test_it_holds_every_mode_and_what_the_supervisor_was_told(log_file):
    log, steps = StepLog(log_file), _steps(log_file)
    assert set(steps["mode"]) == {0, 1, 2, 3, 4}
    assert set(steps["given"]) == {0, 1, 2, 3}
    assert steps["requests"][5] & 1
    assert (np.diff(steps["sequence"].astype(int)) == 1).all()
    assert (np.diff(steps["monotonic_ns"]) == 1_000_000).all()
    assert log.settings["pd_gain"].tolist() == [0.5, 0.0]
    assert (log.settings["misses_allowed"], log.settings["recover_steps"]) == (3, 20)
    assert log.facts.observations == (("target", ""), ("level", ""))


def test_an_existing_log_is_kept_unless_forced(driver, tmp_path):
    path = tmp_path / "run.mcap"
    path.write_text("precious")
    refused = driver(path, 5, 1000)
    assert refused.returncode == 3
    assert refused.stderr == (f"Error: {path}: File exists; choose another name, or remove it\n")
    assert path.read_text() == "precious"
    assert driver(path, 5, 1000, "f")["written"] == 5
    assert len(_steps(path)) == 5


def test_what_is_no_file_is_never_replaced(driver, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = driver(pipe, 5, 1000, "f")
    assert refused.returncode == 3
    assert pipe.is_fifo()


def test_a_loop_that_is_killed_leaves_what_it_had_written(driver, tmp_path, library):
    path = tmp_path / "run.mcap"
    killed = driver(path, 12_000, 1000, "k")
    assert killed.returncode == -signal.SIGKILL
    log = StepLog(path)
    found = replay(log, library)
    # All but what fits into the ring and into the chunk that was being filled.
    assert 3000 < found.steps <= 12_000
    assert (found.differing, found.is_whole) == (0, False)


def test_a_file_cut_off_anywhere_gives_a_prefix_of_its_steps(driver, tmp_path):
    path, cut = tmp_path / "run.mcap", tmp_path / "cut.mcap"
    driver(path, 300, 50_000)  # chunks of 32 steps
    content, whole = path.read_bytes(), _steps(path)
    ends = sorted({*range(len(content) - 50, len(content)), *range(0, len(content), 701)})
    first_chunk = ends[bisect.bisect(ends, False, key=lambda end: _readable(cut, content[:end]))]
    assert 0 < first_chunk < len(content) // 3  # what says what the log is comes before
    reached = set()
    for end in ends[ends.index(first_chunk) :]:
        cut.write_bytes(content[:end])
        steps = _steps(cut)
        assert (steps == whole[: len(steps)]).all()
        reached.add(len(steps))
    assert len(reached) > 5
    assert max(reached) == 300


@pytest.mark.parametrize("tail", [b"\0" * 5000, bytes(range(256))], ids=["zeros", "nonsense"])
def test_a_torn_end_is_not_read(log_file, tmp_path, tail):
    content, torn = log_file.read_bytes(), tmp_path / "torn.mcap"
    whole = _steps(log_file)
    torn.write_bytes(content[: len(content) * 2 // 3] + tail)
    steps = _steps(torn)
    assert 0 < len(steps) < 4000
    assert (steps == whole[: len(steps)]).all()


def test_a_full_disk_ends_the_log_and_not_the_loop(driver, tmp_path, library):
    path = tmp_path / "run.mcap"
    done = driver(path, 6000, 1000, file_bytes=400_000)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "the log ends after" in done.stderr
    counts = json.loads(done.stdout)
    assert counts["written"] + counts["lost"] == 6000
    assert 0 < counts["written"] < 6000
    assert counts["error"] != 0
    assert path.stat().st_size == counts["bytes"] <= 400_000
    found = replay(StepLog(path), library)
    assert (found.steps, found.differing) == (counts["written"], 0)


def test_dropped_entries_are_gaps_that_say_how_many(driver, tmp_path, library):
    path = tmp_path / "run.mcap"
    counts = driver(path, 20_000, 100_000, "d")  # a ring of 256 entries, and nobody waits
    assert counts["dropped"] > 0
    assert counts["written"] == 20_000 - counts["dropped"]
    found = replay(StepLog(path), library)
    numbers = _steps(path)["sequence"].astype(int)
    assert found.steps == counts["written"]
    assert found.differing == found.unreachable == 0
    assert found.gaps == (np.diff(numbers) != 1).sum()
    assert found.missing == numbers[-1] + 1 - len(numbers)
    gaps = np.flatnonzero(np.diff(numbers) != 1) + 1
    assert (_steps(path)["dropped"][gaps] == numbers[gaps] - numbers[gaps - 1] - 1).all()


def test_files_are_numbered_and_the_newest_kept(driver, tmp_path, library):
    path = tmp_path / "run.mcap"
    counts = driver(path, 900, 1000, "p", 1, 3)  # a minute is 0.2 s here
    assert counts["written"] == 900
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert files[-1].name > "run-0003.mcap"
    driver(path, 5, 1000, "", 1, 3)
    later = sorted(tmp_path.iterdir())
    assert len(later) == 3
    assert later[:2] == files[1:]
    for file in later:
        found = replay(StepLog(file), library)
        assert (found.differing, found.is_whole, found.unreachable) == (0, True, 0)
    assert found.steps == 5


def test_the_loop_allocates_nothing(driver, tmp_path):
    assert driver(tmp_path / "run.mcap", 3000, 1000)["allocations"] == 0
    assert driver(tmp_path / "counted.mcap", 3000, 1000, "a")["allocations"] == 1


def test_settings_are_refused_with_anything_after_them(log_file):
    from mcap.reader import make_reader

    with log_file.open("rb") as file:
        ((_, _, message),) = make_reader(file).iter_messages(topics=["/tiny/settings"])
    assert settings_from_bytes(message.data)["actions"] == 1
    for wrong in (message.data + b"\0", message.data[:-1], b"\0\0" + message.data[2:]):
        with pytest.raises(ValueError, match=r"field|little"):
            settings_from_bytes(wrong)
