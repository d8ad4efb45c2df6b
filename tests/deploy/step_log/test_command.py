"""``ltc-edge replay``, and ``ltc-edge train --data`` on a step log, as a user meets them."""

import dataclasses
import io
import json

import numpy as np
import pytest

from ltc_edge.cli.main import main
from ltc_edge.deploy.replay import library as replay_library
from ltc_edge.deploy.replay.settings import logged_settings
from ltc_edge.deploy.step_log.messages import SETTINGS, definition, new_steps
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.deploy.step_log.writing import StepLogWriter


@pytest.fixture
def cli(capfd):
    def run(*arguments, expect=0):
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exited:
            code = exited.code or 0
        out, err = capfd.readouterr()
        assert code == expect, (out, err)
        assert "Traceback" not in err
        return out, err

    return run


@pytest.fixture
def ready(library, monkeypatch):
    """The library of all tests in the place of one that is compiled anew."""
    monkeypatch.setattr(replay_library, "ReplayLibrary", lambda sources, settings: library)  # noqa: ARG005


@pytest.mark.usefixtures("ready")
def test_a_log_that_replays(cli, bundle, log_file):
    out, err = cli("replay", log_file, "--bundle", bundle.path)
    assert out.startswith(
        f"{log_file}: OK: 4000 steps, 4.0 s, every action, status and state the same to the bit\n"
    )
    assert "steps by mode: disarmed " in out
    assert err == ""
    found = json.loads(cli("replay", log_file, "--bundle", bundle.path, "--json")[0])
    assert found["ok"]
    (log,) = found["logs"]
    assert (log["steps"], log["differing_steps"], log["first_difference"]) == (4000, 0, None)
    assert (log["format"], log["controller"], log["closed"]) == ("c-float32", "tiny", True)
    assert sum(log["modes"].values()) == 4000


@pytest.fixture
def altered(log_file, tmp_path):
    """The log with another action at step 77, after a reading that is no number at step 76."""
    path, log = tmp_path / "altered.mcap", StepLog(log_file)
    with StepLogWriter(path, log.facts, logged_settings(log), "tiny") as writer:
        for block in log.blocks():
            states = {one.sequence: one for one in block.snapshots}
            for row in block.steps:
                step = np.array([row])
                number = int(step["sequence"][0])
                step["action"] += number == 77
                step["age_s"][0, 0] = np.nan if number == 77 else step["age_s"][0, 0]
                step["given"] |= number == 77
                writer.add(step, states.get(number))
    return path


@pytest.mark.usefixtures("ready")
def test_a_log_that_does_not(cli, bundle, log_file, altered):
    out, err = cli("replay", altered, log_file, "--bundle", bundle.path, expect=1)
    assert err.startswith(f"Error: {altered}: ")
    assert err.endswith("steps differ, the first is step 77\n")
    assert f"{altered}: DIFFERS: " in out
    assert "step 77, 0.077 s after the first" in out
    assert "action, logged:   drive 1" in out
    assert f"{log_file}: OK" in out
    found = json.loads(cli("replay", altered, "--bundle", bundle.path, "--json", expect=1)[0])
    assert not found["ok"]
    first = found["logs"][0]["first_difference"]
    assert first["sequence"] == 77
    assert first["input"]["age_s"][0] == "nan"
    assert "action" in first["outputs"]
    assert first["logged"]["action"]["bits"] != first["replayed"]["action"]["bits"]


@pytest.mark.usefixtures("ready")
def test_another_bundle_needs_to_be_asked_for(cli, bundle, log_file, tmp_path):
    log = StepLog(log_file)
    for ran, reason in (
        ("ab" * 32, "is of another bundle (manifest abababababab, not "),
        ("", "names no bundle"),
    ):
        path = tmp_path / f"of{ran}.mcap"
        facts = dataclasses.replace(log.facts, bundle=ran)
        first = next(log.blocks())
        with StepLogWriter(path, facts, logged_settings(log), "tiny") as writer:
            writer.add(first.steps[:1], first.snapshots[0])
        _, err = cli("replay", path, "--bundle", bundle.path, expect=2)
        assert err.startswith(f"Error: {path}: {reason}")
        assert err.endswith("give the one that ran, or go on with --any-bundle\n")
        assert "OK: 1 steps" in cli("replay", path, "--bundle", bundle.path, "--any-bundle")[0]


def _foreign():
    from mcap.writer import CompressionType, Writer

    content = io.BytesIO()
    writer = Writer(content, compression=CompressionType.NONE)
    writer.start()
    channel = writer.register_channel(
        "/x", "json", writer.register_schema("other/Thing", "jsonschema", b"{}")
    )
    writer.add_message(channel, 1, b"{}", 1)
    writer.finish()
    return content.getvalue()


def test_what_is_no_step_log_is_refused_in_one_line(cli, bundle, log_file, tmp_path):
    content = log_file.read_bytes()
    files = {
        "foreign.mcap": (_foreign(), "is no step log: it holds other/Thing"),
        "empty.mcap": (b"", "is not an MCAP file"),
        "text.mcap": (b"theta,omega\n" * 9, "is not an MCAP file"),
        "early.mcap": (content[:5000], "was cut off before its first steps"),
        "older.mcap": (content.replace(b"float32 dt_s", b"float64 dt_s"), "is of another version"),
        "torn.mcap": (content[:9000] + bytes(64) + content[9064:], "is damaged"),
    }
    for name, (bytes_of, reason) in files.items():
        (tmp_path / name).write_bytes(bytes_of)
        _, err = cli("replay", tmp_path / name, "--bundle", bundle.path, expect=2)
        assert reason in err, (name, err)
        assert err.count("\n") == 1
    _, err = cli("replay", tmp_path / "missing.mcap", "--bundle", bundle.path, expect=2)
    assert "no such file" in err
    _, err = cli("replay", log_file, "--bundle", bundle.path, "--format", "onnx", expect=2)
    assert "has no onnx" in err


def test_a_recording_of_the_controller_trains_another(cli, log_file, tmp_path):
    from ltc_edge.logs import column_names, read_recording

    assert column_names(log_file)[:4] == ("target", "level", "drive", "proposal.drive")
    steps = np.concatenate([block.steps for block in StepLog(log_file).blocks()])
    ran = np.isin(steps["mode"], (1, 2)) & np.isfinite(steps["observation"]).all(axis=1)
    recording = read_recording(log_file)
    np.testing.assert_array_equal(recording.values[:, :2], steps["observation"][ran])
    np.testing.assert_array_equal(recording.values[:, 2:], steps["action"][ran])
    numbers = steps["sequence"][ran].astype(int)
    np.testing.assert_allclose(recording.time_s, (numbers - numbers[0]) / 1000, rtol=0, atol=1e-9)
    assert recording.begins == tuple(np.flatnonzero(np.diff(numbers) != 1) + 1)
    arguments = (
        "--inputs",
        "target,level",
        "--targets",
        "drive",
        "--window",
        "8",
        "--units",
        "5",
        "--rounds",
        "1",
    )
    out, _ = cli("train", "--data", log_file, *arguments, "-o", tmp_path / "run", "--json")
    assert (tmp_path / "run").is_dir()
    assert json.loads(out)


def test_names_that_are_taken_twice_are_told_apart(log_file, tmp_path):
    from ltc_edge.errors import RecordingError
    from ltc_edge.logs import column_names, read_recording

    log = StepLog(log_file)
    facts = dataclasses.replace(log.facts, observations=(("drive", ""), ("mode", "")))
    path = tmp_path / "same.mcap"
    row = new_steps(1, 2, 1)
    with StepLogWriter(path, facts, logged_settings(log), "tiny") as writer:
        for number in range(3):
            row["sequence"], row["monotonic_ns"], row["mode"] = number, 1000 * number, 2 * (number > 1)
            writer.add(row)
    assert column_names(path)[:3] == ("observation.drive", "observation.mode", "action.drive")
    with pytest.raises(RecordingError, match="ran in 1 steps"):
        read_recording(path)
    assert "uint8[] context" in definition(SETTINGS.replace("Settings", "Snapshot"))
