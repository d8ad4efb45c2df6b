"""Step logs from Python: the same messages as from C, byte by byte as rosbags writes them."""

from pathlib import Path

import numpy as np
import pytest

from ltc_edge.deploy.replay.library import OUTPUTS
from ltc_edge.deploy.replay.replay import replay
from ltc_edge.deploy.step_log.facts import Facts, facts_c, make_facts
from ltc_edge.deploy.step_log.logged import LoggedController
from ltc_edge.deploy.step_log.messages import (
    SETTINGS,
    SNAPSHOT,
    STEP,
    Snapshot,
    definition,
    new_steps,
    settings_from_bytes,
    settings_to_bytes,
)
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.deploy.step_log.writing import StepLogWriter
from ltc_edge.errors import OutputError, RecordingError
from ltc_edge.supervision.codes import Request
from ltc_edge.supervision.compiled import SupervisedController
from ltc_edge.supervision.settings import default_settings
from ltc_edge.supervision.supervisor import Input

QUICKLY = ("-std=c99", "-O1", "-ffp-contract=off")


@pytest.fixture(scope="module")
def store():
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.EMPTY)
    for name in (STEP, SNAPSHOT, SETTINGS):
        store.register(get_types_from_msg(definition(name), name))
    return store


def test_a_step_is_the_bytes_that_rosbags_writes(store):
    row = new_steps(1, 3, 2)
    rng = np.random.default_rng(0)
    for name in row.dtype.names:
        if name != "head" and not name.endswith("_count"):
            row[name] = rng.integers(1, 1000, size=row[name].shape)
    values = {
        name: row[name][0] for name in row.dtype.names if name != "head" and not name.endswith("_count")
    }
    plain = {name: value if np.ndim(value) else value.item() for name, value in values.items()}
    message = store.types[STEP](**plain)
    assert bytes(store.serialize_cdr(message, STEP)) == row.tobytes()


def test_a_snapshot_is_the_bytes_that_rosbags_writes_and_comes_back(store):
    snapshot = Snapshot(7, 4, bytes(range(36)), np.array([1.5, np.nan], dtype=np.float32), b"\1\2\3\4" * 4)
    message = store.types[SNAPSHOT](
        7, 4, np.arange(36, dtype=np.uint8), snapshot.room, np.frombuffer(snapshot.context, dtype=np.uint8)
    )
    written = bytes(store.serialize_cdr(message, SNAPSHOT))
    assert written == snapshot.to_bytes()
    again = Snapshot.from_bytes(written)
    assert again.to_bytes() == written
    assert (again.sequence, again.reason, again.context) == (7, 4, snapshot.context)
    for end in range(len(written)):
        with pytest.raises(ValueError, match=r"field|little"):
            Snapshot.from_bytes(written[:end])


def test_settings_are_the_bytes_that_rosbags_writes_and_come_back(store):
    from ltc_edge.deploy.step_log.messages import fields

    values = {
        name: np.arange(3, dtype=np.float32) if kind.endswith("[]") else 2 for kind, name in fields(SETTINGS)
    }
    written = settings_to_bytes(values)
    assert bytes(store.serialize_cdr(store.types[SETTINGS](**values), SETTINGS)) == written
    again = settings_from_bytes(written)
    assert settings_to_bytes(again) == written


def test_facts_come_back_and_are_c_to_the_byte(bundle):
    odd = (('a "b"\\?', "°/s"), ("ω[0]\n", ""))
    facts = Facts('n"am\\e??/', "ab", "c-float32", 0.1, "cd", odd, ())
    assert Facts.from_metadata(facts.to_metadata(), "here") == facts
    text = facts_c(facts)
    assert text.isascii()
    import re

    literals = re.findall(r'"((?:[^"\\]|\\\d{3})*)" \},', text)
    assert len(literals) == len(facts.to_metadata())
    plain = [
        re.sub(rb"\\(\d{3})", lambda octal: bytes([int(octal[1], 8)]), literal.encode()).decode()
        for literal in literals
    ]
    assert plain == list(facts.to_metadata().values())
    for wrong in ({"observations": "[1]"}, {"period_s": "soon"}, {"actions": "{"}):
        with pytest.raises(RecordingError, match="here: its metadata"):
            Facts.from_metadata(wrong, "here")
    made = make_facts(bundle, "c-float32", 0.02, default_settings(bundle.controller))
    assert made.bundle == bundle.manifest_sha256()


@pytest.fixture(scope="module")
def controller(bundle):
    sources = bundle.artifacts["c-float32"].c_sources()
    return SupervisedController(sources, default_settings(bundle.controller), flags=QUICKLY)


def _log(path, bundle, controller, steps=400):
    """Logs steps whose memory is changed once on the way."""
    facts = make_facts(bundle, "c-float32", 0.02, controller.settings)
    rng = np.random.default_rng(1)
    requests = {3: Request.ARM, 200: Request.SHADOW}
    with StepLogWriter(path, facts, controller.settings, "tiny") as log:
        logged = LoggedController(controller, log)
        for step in range(steps):
            if step == 150:
                controller.context[6] ^= 1
            reading = tuple(rng.normal(size=2).astype(np.float32).tolist())
            outside = None if step % 2 else (0.25,)
            age_s = None if step % 3 else (0.0, 0.01)
            logged.step(Input(reading, 0.02, age_s, outside, 0, requests.get(step, Request.NONE)))
    controller.start()


def test_a_log_from_python_is_whole_and_replays_to_the_bit(tmp_path, bundle, controller):
    from mcap.reader import NonSeekingReader

    from ltc_edge.deploy.replay.library import ReplayLibrary
    from ltc_edge.deploy.replay.settings import logged_settings

    path = tmp_path / "python.mcap"
    _log(path, bundle, controller)
    with path.open("rb") as file:
        assert len(list(NonSeekingReader(file, validate_crcs=True).iter_messages())) > 401
    log = StepLog(path)
    assert logged_settings(log) == controller.settings
    library = ReplayLibrary(bundle.artifacts["c-float32"].c_sources(), logged_settings(log), QUICKLY)
    found = replay(log, library)
    assert (found.steps, found.differing, found.changed, found.is_whole) == (400, 0, 1, True)
    assert {1, 2} <= set(found.modes)
    assert len(OUTPUTS) == 6


def test_a_log_is_not_overwritten_and_a_full_disk_is_told(tmp_path, bundle, controller):
    path = tmp_path / "python.mcap"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        _log(path, bundle, controller)
    assert path.read_text() == "precious"
    facts = make_facts(bundle, "c-float32", 0.02, controller.settings)
    log = StepLogWriter(path, facts, controller.settings, "tiny", force=True)
    full = Path("/dev/full").open("wb")  # noqa: SIM115
    log._file.close()
    log._file = log._writer._Writer__stream = full
    logged = LoggedController(controller, log)
    for _ in range(200):
        logged.step(Input((0.1, 0.2), 0.02))  # the loop goes on
    assert str(logged.failure) == f"{path}: the log ends here (No space left on device)"
    with pytest.raises(OutputError, match="No space left"):
        log.close()
